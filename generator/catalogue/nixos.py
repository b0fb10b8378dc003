"""What NixOS does with an engine: its releases, and the module that makes the service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal

from generator.errors import Problem
from generator.records import dataclass
from generator.units import Release

if TYPE_CHECKING:
    from collections.abc import Iterable

_BRANCH: Final = re.compile(r"\b(?:nixos|nixpkgs|release)-(\d\d\.\d\d|unstable)", re.ASCII)
_FLAKEHUB: Final = re.compile(r"/nixpkgs/0\.(\d\d)(\d\d)", re.ASCII)

OptionType = Literal[
    "bool", "enum", "optional string", "package", "port", "string", "strings", "variables"
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Channel:
    """A release of NixOS, and the last release of the engine that it is known to have."""

    name: str
    release: Release | None = None
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ModuleOption:
    """An option of the module. Releases of NixOS are compared as text."""

    name: str
    type: OptionType
    values: tuple[str, ...] = ()
    since: str = ""
    until: str | None = None
    renamed: str = ""
    instead: str = ""
    source: str = ""

    def fault(self, value: Any) -> str:  # noqa: ANN401 -- any Nix value
        """Return what a value should be and is not; empty: nothing, as far as can be told."""
        fits, wanted = {
            "bool": (isinstance(value, bool), "true or false, without quotes"),
            "enum": (value in (None, False, *self.values), f"one of {', '.join(self.values)}"),
            "optional string": (value is None or isinstance(value, str), "a string"),
            "package": (isinstance(value, dict), "a package, like `pkgs.ollama-cuda`"),
            "port": (type(value) is int and 0 <= value < 2**16, "a port number, without quotes"),
            "string": (isinstance(value, str), "a string"),
            "strings": (
                isinstance(value, list)
                and all(item is None or isinstance(item, str) for item in value),
                "a list of strings",
            ),
            "variables": (isinstance(value, dict), "a set of variables"),
        }[self.type]
        return "" if fits else wanted


@dataclass(frozen=True, kw_only=True, eq=False)
class ModuleVariable:
    """A variable that the module sets itself, of its `options`; `told`: if the first one is set.

    `default` is its value while none of them is.
    """

    name: str
    options: tuple[str, ...]
    default: str = ""
    told: bool = False


def no_channel(where: str, name: str, channels: Iterable[str]) -> Problem | None:
    """Return what is wrong with the name of a release of NixOS; None: it is one that is known."""
    *most, last = channels
    if name in (*most, last):
        return None
    return Problem(where, f"there is no NixOS `{name}`", f"known are {', '.join(most)} and {last}")


def channel_named(*texts: str) -> str:
    """Return the release of NixOS in the first text that names one, as flakes do; empty: none."""
    for text in texts:
        if branch := _BRANCH.search(text):
            return branch[1]
        if hub := _FLAKEHUB.search(text):
            return f"{hub[1]}.{hub[2]}"
    return ""
