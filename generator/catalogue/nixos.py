"""What NixOS does with an engine: its releases, and the module that makes the service."""

from __future__ import annotations

from typing import Any, Literal

from generator.records import dataclass
from generator.units import Release

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
