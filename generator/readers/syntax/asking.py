"""Variables that are given to a command which only asks a server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.blocks import LONGEST
from generator.view import ASKING, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.view import Command, Variable

_ASKS: Final = frozenset({"pull", "push", "run", "list", "ls", "ps", "show", "rm", "cp", "stop"})
_VALUE: Final = r"(?:\"[^\"]*\"|'[^']*'|[^\s\"';|&]*)"
_SET: Final = re.compile(rf"([A-Za-z_]\w*)=({_VALUE})\s")
_HANDED: Final = re.compile(rf"\s(?:-e|--env)[\s=]([A-Za-z_]\w*)=({_VALUE})\s")


def asked_with(texts: Iterable[tuple[int, list[str]]], engine: Engine, file: str) -> Iterator[Line]:
    """Yield the variables that a script sets for a command which only asks the server."""
    called = rf"(?:\S*/)?{re.escape(engine.name)}\s+({'|'.join(sorted(_ASKS))})\b"
    before = re.compile(
        rf"\s*(?:sudo\s+(?:-\w+\s+(?:[\w-]+\s+)?){{0,3}})?(?:env\s+)?"
        rf"((?:[A-Za-z_]\w*={_VALUE}\s+){{1,9}}){called}"
    )
    inside = re.compile(
        rf"\s*(?:sudo\s+)?(?:docker|podman|nerdctl)(?:\s+compose|-compose)?\s+exec(\s[^;&|]*?\s){called}"
    )
    for first, lines in texts:
        for number, parts in _commands(first, lines):
            line = " ".join(part.rstrip("\\") for part in parts)
            if "=" not in line or engine.name not in line or len(line) > LONGEST:
                continue
            for pattern, one in ((before, _SET), (inside, _HANDED)):
                found = pattern.match(line)
                for name, _ in one.findall(found[1]) if found else ():
                    at = next(i for i, part in enumerate(parts) if f"{name}=" in part)
                    place = Place(file, number + at, name)
                    verb = found[2] if found else ""
                    yield Line(section=ASKING, name=name, value=verb, place=place)


def _commands(first: int, lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield commands by the number of their first line, each with the lines that it stands on."""
    parts: list[str] = []
    for number, line in enumerate(lines, first):
        parts.append(line)
        if not line.endswith("\\") or len(parts) > _LINES:
            yield number - len(parts) + 1, parts
            parts = []


_LINES: Final = 20


def asked_by_tasks(commands: Iterable[Command], variables: Iterable[Variable]) -> Iterator[Line]:
    """Yield the variables of a task that does nothing but ask the server."""
    verbs = [command.words[0][0] for command in commands if command.words]
    if verbs and all(verb in _ASKS for verb in verbs):
        for one in variables:
            yield Line(section=ASKING, name=one.name, value=verbs[0], place=one.place)


_SHELL: Final = re.compile(r"(?:\S*/)?(?:ba|da|z)?sh[ \t]+-\w*c[ \t]+[\"']?")
_PARTS: Final = re.compile(r"&&|;")
_PAUSE: Final = re.compile(r"sleep[ \t]+\d+[smh]?")


def asked_by(command: str, name: str) -> list[str]:
    """Return the verbs of a command that only asks a server, one after the other; else nothing.

    `name` is the engine's program; a pause counts as an empty verb.
    """
    plain = command.replace("\\\n", "")
    shell = _SHELL.match(plain)
    told = plain[shell.end() :] if shell else plain
    asks = re.compile(rf"(?:\S*/)?{re.escape(name)}[ \t]+(pull|create)[ \t][^|&]+")
    verbs: list[str] = []
    for part in (one.strip(" \t\"'") for one in _PARTS.split(told)):
        found = asks.fullmatch(part)
        if found is None and not _PAUSE.fullmatch(part):
            return []
        verbs.append(found[1] if found else "")
    return verbs if any(verbs) else []
