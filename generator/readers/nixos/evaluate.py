"""What a module defines, as Nix says: each definition with its line and how the text spells it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from generator.errors import EnvironmentFailure, Problem, ProfileError, shortened
from generator.readers.base import NeedsMore, Source
from generator.records import dataclass
from generator.view import Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SECONDS: Final = 20
MOST_PACKAGES: Final = 100
_HERE: Final = Path(__file__).parent
_NAME: Final = "given.nix"
_CALL: Final = (
    "{ reader, file, more, enabled }: import reader { inherit file; "
    "more = builtins.fromJSON more; enabled = builtins.fromJSON enabled; }"
)
_NAME_OF: Final = r"[A-Za-z_][\w'-]*"
_ALIAS: Final = re.compile(rf"\b({_NAME_OF})\s*=\s*config((?:\.{_NAME_OF})+)\s*;")
_SWITCH: Final = re.compile(rf"(?<![\w.'-])({_NAME_OF})((?:\.{_NAME_OF})*)\.enable\b")
# Restricted: the module reads nothing but itself, and nothing is fetched, built or stored.
_CONFIG: Final = """\
restrict-eval = true
allow-import-from-derivation = false
build-users-group =
sandbox = false
substituters =
experimental-features =
"""
_BOUNDED: Final = {
    "LC_ALL": "C.UTF-8",
    "NIX_CONFIG": _CONFIG,
    "GC_MAXIMUM_HEAP_SIZE": str(2**31),
}
_MISSING: Final = re.compile(r"(?:attribute|undefined variable) '([^']+)'")
_ASKED: Final = re.compile(r"asks for (?:the module argument `([^']+)'|an option that [a-z ]+)")
_ERROR: Final = re.compile(r"^\s*error: *(\S.*)$", re.MULTILINE)
_PLACE: Final = re.compile(r"/given\.nix:(\d+)")
_CIRCLES: Final = ("stack overflow", "infinite recursion", "out of memory")


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of an option: its path, value, priority (100: plain) and line."""

    path: tuple[str, ...]
    value: Any
    priority: int
    line: int

    @property
    def values(self) -> list[Any]:
        """The items of a list, or the one value."""
        return self.value if isinstance(self.value, list) else [self.value]


class Definitions:
    """Some definitions of a module, which are in force, and its text."""

    def __init__(self, source: Source, found: Sequence[Definition]) -> None:
        self.source, self.found = source, found
        self.texts = source.text.split("\n")

    def value(self, *path: str) -> Any:  # noqa: ANN401 -- any Nix value
        """Return the value of an option, None where there is none."""
        return next((d.value for d in self.found if d.path == path), None)

    def place(self, found: Definition) -> Place:
        """Return where a definition stands."""
        return Place(self.source.path, found.line, ".".join(found.path))

    def place_of(self, found: Definition, text: str) -> Place:
        """Return where an item of a list stands, which begins on the line of its option."""
        lines = enumerate(self.texts[found.line - 1 :] if found.line else [], found.line)
        number = next((n for n, line in lines if f'"{text}"' in line), found.line)
        return replace(self.place(found), line=number)

    def written(self, found: Definition, text: str) -> str:
        """Return the text if its line spells it so."""
        here = self.texts[found.line - 1] if 0 < found.line <= len(self.texts) else ""
        return text if text and text in here else ""

    def lines(self) -> Iterator[Line]:
        """Yield every value as the rules see it."""
        for found in self.found:
            section, name = ".".join(found.path[:-1]), found.path[-1]
            for value in found.values:
                place = self.place(found)
                yield Line(section=section, name=name, value=unit_text(value), place=place)


def unit_text(value: Any) -> str:  # noqa: ANN401 -- any Nix value
    """Return a value as NixOS writes it into a unit."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return str(value.get("package", ""))
    return "" if value is None else str(value)


def in_force(definitions: Sequence[Definition]) -> list[Definition]:
    """Return what NixOS decides on, in the order of the file: the strongest, and lists joined."""
    strongest: dict[tuple[str, ...], Definition] = {}
    for found in definitions:
        other = strongest.get(found.path)
        if other is None or found.priority < other.priority:
            strongest[found.path] = found
        elif found.priority == other.priority and isinstance(found.value, list):
            joined = [*(other.value if isinstance(other.value, list) else []), *found.value]
            strongest[found.path] = replace(other, value=joined)
    return sorted(strongest.values(), key=lambda found: (found.line, found.path))


def evaluate(source: Source) -> tuple[Definition, ...]:
    """Return what a module defines of the options that are read.

    Raises ProfileError for what is no Nix, NeedsMore for what does not evaluate here, and
    EnvironmentFailure without Nix.
    """
    with tempfile.TemporaryDirectory(prefix="hostwright-") as name:
        file = Path(name).resolve() / _NAME
        file.write_text(source.text, encoding="utf-8", newline="")
        answer = _answered(source, file)
    return tuple(
        Definition(tuple(one["path"]), one["value"], one["priority"], one["line"]) for one in answer
    )


def _answered(source: Source, file: Path) -> list[dict[str, Any]]:
    """Ask Nix, once more for each package that the module turns out to name."""
    more: list[str] = []
    while True:
        result = _run(source, file, more)
        if result.returncode == 0:
            # Old releases print control characters as they are.
            found: list[dict[str, Any]] = json.loads(result.stdout, strict=False)
            return found
        missing = _MISSING.search(_first(result.stderr))
        if missing is None or missing[1] in more or len(more) >= MOST_PACKAGES:
            broken = "syntax error" in _first(result.stderr)
            fault = ProfileError if broken else NeedsMore
            raise fault(source.path, (_problem(result.stderr, source.path),))
        more.append(missing[1])


def _run(source: Source, file: Path, more: list[str]) -> subprocess.CompletedProcess[str]:
    arguments = {
        "reader": str(_HERE / "module.nix"), "file": str(file), "more": json.dumps(more),
        "enabled": json.dumps(switches(source.text)),
    }  # fmt: skip
    told = [part for name, value in arguments.items() for part in ("--argstr", name, value)]
    argv = ["nix-instantiate", "--store", "dummy://", "--eval", "--strict", "--json"]
    paths = ["--show-trace", "-I", str(_HERE), "-I", str(file.parent)]
    try:
        return subprocess.run(
            [*argv, *paths, "-E", _CALL, *told],
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(file.parent), **_BOUNDED},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
            encoding="utf-8",
            errors="replace",
        )  # fmt: skip
    except FileNotFoundError as error:
        raise EnvironmentFailure(
            "only Nix can read a NixOS module, and there is no nix-instantiate",
            hint="install Nix (Debian: `apt-get install nix-bin`), or leave the module out",
        ) from error
    except OSError as error:
        raise EnvironmentFailure(f"cannot run nix-instantiate: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        message = f"Nix is not done with it in {SECONDS} seconds"
        problem = Problem("", message, "name a module that is smaller", source.path)
        raise ProfileError(source.path, (problem,)) from error


def switches(text: str) -> list[tuple[str, ...]]:
    """Return the paths of the switches that a module asks `config` for: `services.lab.enable`.

    Whether another module turns them on, this one does not tell; what it does then is checked.
    """
    roots = {"config": ""} | dict(_ALIAS.findall(text))
    found = {roots[root] + path for root, path in _SWITCH.findall(text) if root in roots}
    return sorted((*path.split(".")[1:], "enable") for path in found if path)


def _first(told: str) -> str:
    """Return the message itself; where it came from stands behind it, or by age before it."""
    found = _ERROR.findall(told)
    return str(found[-1]).strip() if found else told.strip()


def _line(told: str) -> str:
    """Return where the module goes wrong: the place behind the message is the nearest."""
    start = max((match.end() for match in _ERROR.finditer(told)), default=0)
    behind, before = _PLACE.findall(told, start), _PLACE.findall(told, 0, start)
    return f"line {behind[0]}" if behind else f"line {before[-1]}" if before else ""


def _problem(told: str, source: str) -> Problem:
    message, where = _first(told), _line(told)
    asked, missing = _ASKED.search(message), _MISSING.search(message)
    if asked and asked[1]:
        message = f"the module asks for its argument `{asked[1]}`, for which there is no stand-in"
    elif asked:
        message = "the module asks for an option of its own that has no default"
    elif missing:
        message = f"the module asks for `{missing[1]}`, for which there is no stand-in"
    elif not message or any(word in told for word in _CIRCLES):
        message = "Nix goes round in circles in it, or needs more memory than any module does"
    elif "restricted mode" in message:
        message = "the module reads another file or address, which is not done here"
    else:
        # Without the directory that the module was put into.
        named = re.sub(r"/\S*/given\.nix(?::\d+:\d+)?", "the module", message)
        message = shortened(re.sub(r"/\S*/hostwright-[^/\s]*", ".", named), 160)
        return Problem(where, f"Nix: {message}", "mend the module", source)
    hint = "name a module that needs only `lib`, `config` and `pkgs`"
    return Problem(where, message, hint, source)
