"""The commands of a file by their names, each with its line, and with what is set for it."""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from generator.readers.base import Source, refused
from generator.readers.recipes import MISE, PACKAGE, PROCFILE, VAGRANT
from generator.readers.recipes.vagrant import provisioners
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse
from generator.records import dataclass
from generator.view import Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PROCESS: Final = re.compile(r"([A-Za-z0-9_-]+):[ \t]*(\S.*)")
_GAP: Final = re.compile(
    r"\{\{-?[ \t]*+\.([A-Za-z_]\w*+)[ \t]*+"
    r"(?:\|[ \t]*+default[ \t]++(?:\"([^\"{}]*)\"|'([^'{}]*)'|(\d++))[ \t]*+)?-?\}\}"
)
_OPEN: Final = re.compile(r"\{\{|\$")
_HEAD: Final = re.compile(r"[ \t]*+\[{1,2}([^\[\]]+)\]")
_TOML_KEY: Final = re.compile(r"[ \t]*+[\"']?([^\s\"'=]++)[\"']?[ \t]*+=")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one name stands for: commands, each with its line, and the environment they get.

    `beside`: it is started together with all others of the file.
    """

    commands: tuple[tuple[int, str], ...]
    variables: tuple[Variable, ...] = ()
    beside: bool = False

    @property
    def scripts(self) -> list[tuple[int, str]]:
        """The commands as they are run, one behind the other, with those on later lines as one."""
        found: list[tuple[int, list[str]]] = []
        end = 0
        for line, text in self.commands:
            if found and 0 < line - end < _FAR:
                found[-1][1].append("\n" * (line - end))
            else:
                found.append((line, []))
            found[-1][1].append(text.rstrip())
            end = line + text.rstrip().count("\n")
        return [(line, "".join(parts)) for line, parts in found]


def recipes(source: Source) -> Iterator[Recipe]:
    """Yield the recipes of a file. Raises ProfileError for what its runner cannot read."""
    name = PurePosixPath(source.read_as or source.path).name
    if re.fullmatch(VAGRANT, name):
        # Each provisioner is a shell of its own.
        yield from (Recipe((script,)) for script in provisioners(source.text)[0])
        return
    for pattern, read in ((PROCFILE, _processes), (MISE, _of_mise), (PACKAGE, _scripts)):
        if re.fullmatch(pattern, name):
            yield from read(source)
            return
    yield from _tasks(source)


def _processes(source: Source) -> Iterator[Recipe]:
    """Yield the processes of a Procfile."""
    for number, line in enumerate(source.text.split("\n"), 1):
        if found := _PROCESS.match(line):
            yield Recipe(((number, found[2]),), beside=True)


def _scripts(source: Source) -> Iterator[Recipe]:
    """Yield the scripts of npm."""
    top = parse(source)
    scripts = top.table("scripts").entries if isinstance(top, Table) else {}
    for node in scripts.values():
        if isinstance(node, Scalar):
            yield Recipe(((node.starts, node.text),))


def _tasks(source: Source) -> Iterator[Recipe]:
    """Yield the tasks of a Taskfile."""
    top = parse(source)
    if not isinstance(top, Table):
        return
    names, given = _texts(top.table("vars")), _environment(top.table("env"))
    for task in top.table("tasks").entries.values():
        if not isinstance(task, Table):
            yield Recipe(tuple(_commands(task, names)), given)
            continue
        own = names | _texts(task.table("vars"))
        told = (one for key in ("cmds", "cmd") for node in task.items(key)
                for one in _commands(node, own))  # fmt: skip
        yield Recipe(tuple(told), (*given, *_environment(task.table("env"))))


def _commands(node: Node, names: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    if isinstance(node, Scalar):
        yield node.starts, _GAP.sub(lambda found: _meant(found, names), node.text)
    elif isinstance(node, Items):
        for item in node.items:
            yield from _commands(item, names)
    elif isinstance(told := node.get("cmd"), Scalar):
        yield from _commands(told, names)


def _meant(found: re.Match[str], names: Mapping[str, str]) -> str:
    default = next((one for one in found.group(2, 3, 4) if one is not None), found[0])
    return names.get(found[1], default)


def _texts(table: Table) -> dict[str, str]:
    """Return variables of Task that are plain texts, or have one as their default."""
    found = {n: _GAP.sub(lambda f: _meant(f, {}), v.text) for n, v in table.entries.items()
             if isinstance(v, Scalar)}  # fmt: skip
    return {name: text for name, text in found.items() if "{{" not in text and "\n" not in text}


def _environment(table: Table) -> tuple[Variable, ...]:
    return tuple(
        Variable(
            name=name,
            value=node.text,
            place=Place(node.place.file, node.place.line, name),
            unresolved=_OPEN.search(node.text) is not None,
        )
        for name, node in table.entries.items()
        if isinstance(node, Scalar)
    )


def _of_mise(source: Source) -> Iterator[Recipe]:
    """Yield the tasks of mise."""
    try:
        data = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise refused(source.path, "", f"is not TOML: {error}", "mend the TOML syntax") from None
    lines = _Lines(source)
    given = tuple(lines.variables(data.get("env"), "env"))
    tasks = data.get("tasks")
    for name, task in tasks.items() if isinstance(tasks, dict) else ():
        told = task.get("run") if isinstance(task, dict) else task
        own = task.get("env") if isinstance(task, dict) else None
        commands = tuple(lines.commands(told, f"tasks.{name}"))
        yield Recipe(commands, (*given, *lines.variables(own, f"tasks.{name}.env")))


class _Lines:
    """Where things stand in a file of TOML, whose parser does not tell."""

    def __init__(self, source: Source) -> None:
        self.file = source.path
        self.lines = source.text.split("\n")
        self.keys: dict[str, int] = {}
        head = ""
        for number, line in enumerate(self.lines, 1):
            if found := _HEAD.match(line):
                head = found[1].replace('"', "").replace("'", "").strip()
                self.keys.setdefault(head, number)
            elif told := _TOML_KEY.match(line):
                self.keys.setdefault(f"{head}.{told[1]}".strip("."), number)

    def commands(self, told: Any, name: str) -> Iterator[tuple[int, str]]:  # noqa: ANN401 -- TOML
        """Yield the commands of a task, a text or a list of some, each with its line."""
        at = self.keys.get(f"{name}.run", self.keys.get(name, 1))
        for text in [told] if isinstance(told, str) else told if isinstance(told, list) else ():
            if isinstance(text, str) and text.strip():
                at = self._starts(text.split("\n")[0], at)
                yield at, text

    def _starts(self, text: str, at: int) -> int:
        """Return the first line from one on that has a text, which quotes may have changed."""
        near = range(at, min(at + _FAR, len(self.lines) + 1))
        return next((number for number in near if text in self.lines[number - 1]), at)

    def variables(self, told: Any, name: str) -> Iterator[Variable]:  # noqa: ANN401 -- TOML
        """Yield the variables of a table."""
        for key, value in told.items() if isinstance(told, dict) else ():
            if isinstance(value, str | int):
                text = str(value).lower() if isinstance(value, bool) else str(value)
                line = self.keys.get(f"{name}.{key}", self.keys.get(name, 1))
                place = Place(self.file, line, key)
                yield Variable(
                    name=key, value=text, place=place, unresolved=bool(_OPEN.search(text))
                )


_FAR: Final = 40  # lines
