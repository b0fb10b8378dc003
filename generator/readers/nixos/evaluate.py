"""What a module defines, as Nix says: each definition with its line and how the text spells it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from generator.errors import shortened
from generator.readers.syntax.nix import UNKNOWN
from generator.records import dataclass
from generator.view import Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Patience, Source

MOST_SECONDS: Final = 10
"""How long Nix may be asked about one module, in each of two ways at most."""
REMEMBERED: Final = 512
MOST_NAMES: Final = 3000
_FAR: Final = 500  # lines of one list
_HERE: Final = Path(__file__).parent
_NAME: Final = "given.nix"
_ASKED: Final = "asked.json"
_CALL: Final = (
    "{ reader, file, asked, ellipsis }: "
    "import reader ({ inherit file ellipsis; } // builtins.fromJSON (builtins.readFile asked))"
)
_WORD: Final = re.compile(r"[A-Za-z_][\w'-]*", re.ASCII)
_NAME_OF: Final = r"[A-Za-z_][\w'-]*"
_ALIAS: Final = re.compile(rf"(?<![\w'-])({_NAME_OF})\s*=\s*config((?:\.{_NAME_OF})+)\s*;")
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
_ERROR: Final = re.compile(r"^\s*error: *(\S.*)$", re.MULTILINE)
_PLACE: Final = re.compile(r"/given\.nix:(\d+)")
_CIRCLES: Final = ("stack overflow", "infinite recursion", "out of memory")


class Function:
    """A value that is a function, which no option of a service takes."""

    def __str__(self) -> str:
        return "a function"


_VALUES: Final = {"<function>": Function()}
"""What `module.nix` writes for values that JSON has no word for."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of an option: its path, value, priority (100: plain) and line.

    `unresolved`: something else makes the value, or a part of it. `file`: of a neighbour.
    `maybe`: it depends on a condition, of which nobody knows here whether it holds.
    `below`: the conditions that it stands below, from the outermost, which may be known;
    `released`: they do not ask more than which options the release of NixOS has. `holds`: the text
    of the file that a function makes of it.
    """

    path: tuple[str, ...]
    value: Any
    priority: int
    line: int
    unresolved: bool = False
    file: str = ""
    maybe: bool = False
    below: tuple[str, ...] = ()
    released: bool = False
    holds: str = ""

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
        return Place(found.file or self.source.path, found.line, ".".join(found.path))

    def text(self, found: Definition) -> str:
        """Return the line of a definition; empty: it is a neighbour's."""
        here = 0 < found.line <= len(self.texts) and not found.file
        return self.texts[found.line - 1] if here else ""

    def place_of(self, found: Definition, text: str) -> Place:
        """Return where an item of a list stands, which begins on the line of its option."""
        last = min(len(self.texts), found.line + _FAR) if self.text(found) else 0
        near = range(found.line, last + 1)
        number = next((n for n in near if f'"{text}"' in self.texts[n - 1]), found.line)
        return replace(self.place(found), line=number)

    def written(self, found: Definition, text: str) -> str:
        """Return the text if its line spells it so."""
        return text if text and text in self.text(found) else ""

    def lines(self) -> Iterator[Line]:
        """Yield every value as the rules see it."""
        for found in self.found:
            section, name, place = ".".join(found.path[:-1]), found.path[-1], self.place(found)
            # A list of which nothing is known is no empty one.
            for value in found.values or ([None] if found.unresolved else []):
                text = UNKNOWN if found.unresolved and value is None else unit_text(value)
                yield Line(section=section, name=name, value=text, place=place)


def unit_text(value: Any) -> str:  # noqa: ANN401 -- any Nix value
    """Return a value as NixOS writes it into a unit."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return str(value.get("package", ""))
    return "" if value is None else str(value)


def in_force(definitions: Sequence[Definition]) -> list[Definition]:
    """Return what NixOS decides on, in the order of the file: the strongest, and lists joined.

    What only a condition adds counts where nothing is there without it.
    """
    strongest: dict[tuple[str, ...], Definition] = {}
    for found in sorted(definitions, key=lambda found: found.maybe):
        other = strongest.get(found.path)
        certain = other is not None and found.maybe and not other.maybe
        if other is None or (found.priority < other.priority and not certain):
            strongest[found.path] = found
        elif not certain and found.priority == other.priority and isinstance(found.value, list):
            joined = [*(other.value if isinstance(other.value, list) else []), *found.value]
            strongest[found.path] = replace(other, value=joined)
    return sorted(strongest.values(), key=lambda found: (found.line, found.path))


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """Why Nix cannot say what a module defines: `broken`, it is no Nix; `absent`, there is none.

    `passing`: it may well say so another time.
    """

    reason: str
    where: str = ""
    broken: bool = False
    absent: bool = False
    passing: bool = False


Answer: TypeAlias = tuple[Definition, ...] | NotEvaluated


_answers: dict[tuple[str, str], Answer] = {}


@dataclass(frozen=True, slots=True)
class ToldBy:
    """What other files tell a module: values of options that it declares, and its arguments.

    Each is what `module.nix` takes: with `value`, or where nobody knows it, with `unknown`.
    `units` are names of units that the module may run a server in, beside that of the engine.
    `beside` are the texts of modules that declare options for it.
    """

    options: tuple[dict[str, Any], ...] = ()
    arguments: dict[str, dict[str, Any]] = field(default_factory=dict)
    units: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


NOTHING_TOLD: Final = ToldBy()


def evaluate(
    text: str, patience: Patience, told: ToldBy = NOTHING_TOLD, where: tuple[str, ...] = ()
) -> Answer:
    """Return what a module defines of the options that are read, or why Nix cannot say.

    `where` is its path in the file. What Nix has said of a text is remembered: a fix reads its file
    again and again.
    """
    by = {"told": told.options, "given": told.arguments, "units": told.units, "beside": told.beside}
    asked = json.dumps(by | {"where": where})
    key = (text, asked)
    answer = _answers.get(key) or _evaluated(text, patience, json.loads(asked))
    if isinstance(answer, tuple) or not answer.passing:
        if len(_answers) >= REMEMBERED:
            _answers.clear()
        _answers[key] = answer
    return answer


def _evaluated(text: str, patience: Patience, told: dict[str, Any]) -> Answer:
    beside = tuple(told["beside"])
    with tempfile.TemporaryDirectory(prefix="hostwright-") as name:
        file = Path(name).resolve() / _NAME
        file.write_text(text, encoding="utf-8", newline="")
        for number, other in enumerate(beside):
            file.with_name(f"beside-{number}.nix").write_text(other, encoding="utf-8", newline="")
        told = told | {"beside": len(beside)}
        names = dict.fromkeys(_WORD.findall("\n".join((text, *beside))))
        asked = {"names": list(names)[:MOST_NAMES], "enabled": switches(text), **told}
        file.with_name(_ASKED).write_text(json.dumps(asked), encoding="utf-8")
        answer = _answered(file, patience, ellipsis="..." in text)
    if isinstance(answer, NotEvaluated):
        return answer
    return tuple(_definition(one) for one in answer)


def _definition(one: dict[str, Any]) -> Definition:
    value = one["value"]
    value = _VALUES.get(value, value) if isinstance(value, str) else value
    return Definition(**one | {"path": tuple(one["path"]), "value": value})


def _answered(
    file: Path, patience: Patience, *, ellipsis: bool
) -> list[dict[str, Any]] | NotEvaluated:
    """Ask Nix, and once more without arguments that the module turns out not to take."""
    result = _run(file, patience, ellipsis=ellipsis)
    if isinstance(result, NotEvaluated):
        return result
    if ellipsis and "unexpected argument" in _first(result.stderr):
        return _answered(file, patience, ellipsis=False)
    if result.returncode == 0:
        # Old releases print control characters as they are.
        found: list[dict[str, Any]] = json.loads(result.stdout, strict=False)
        return found
    return _fault(result.stderr)


def _run(
    file: Path, patience: Patience, *, ellipsis: bool
) -> subprocess.CompletedProcess[str] | NotEvaluated:
    seconds = min(patience.left, MOST_SECONDS)
    if seconds <= 0:
        return NotEvaluated(
            f"Nix was asked for {patience.seconds:.0f} seconds already", passing=True
        )
    arguments = {"reader": str(_HERE / "module.nix"), "file": str(file)}
    told = [part for name, value in arguments.items() for part in ("--argstr", name, value)]
    told += ["--argstr", "asked", str(file.with_name(_ASKED))]
    told += ["--arg", "ellipsis", str(ellipsis).lower()]
    argv = ["nix-instantiate", "--store", "dummy://", "--eval", "--strict", "--json"]
    paths = ["--show-trace", "-I", str(_HERE), "-I", str(file.parent)]
    start = time.monotonic()
    try:
        return subprocess.run(
            [*argv, *paths, "-E", _CALL, *told],
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(file.parent), **_BOUNDED},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            encoding="utf-8",
            errors="replace",
        )  # fmt: skip
    except OSError:
        return NotEvaluated("there is no nix-instantiate", absent=True, passing=True)
    except subprocess.TimeoutExpired:
        return NotEvaluated(f"Nix is not done with it in {seconds:.0f} seconds", passing=True)
    finally:
        patience.left -= time.monotonic() - start


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


def _fault(told: str) -> NotEvaluated:
    message, where = _first(told), _line(told)
    missing = _MISSING.search(message)
    if "syntax error" in message:
        return NotEvaluated(f"Nix: {_named(message)}", where, broken=True)
    if missing:
        message = f"it asks for `{missing[1]}`, for which there is no stand-in"
    elif not message or any(word in told for word in _CIRCLES):
        message = "Nix goes round in circles in it, or needs more memory than any module does"
    elif "restricted mode" in message:
        message = "it reads another file or address, which is not done here"
    else:
        message = f"Nix: {_named(message)}"
    return NotEvaluated(message, where)


def _named(message: str) -> str:
    """Return a message without the directory that the module was put into."""
    named = re.sub(r"/\S*/given\.nix(?::\d+:\d+)?", "the module", message)
    return shortened(re.sub(r"/\S*/hostwright-[^/\s]*", ".", named), 160)
