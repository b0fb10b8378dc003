"""Variables that are given to a command which only asks a server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.blocks import LONGEST
from generator.readers.syntax.statements import scopes
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
        for one in (one for scope in scopes("\n".join(lines)) for one in scope):
            if "=" not in one.text or engine.name not in one.text or len(one.text) > LONGEST:
                continue
            for pattern, each in ((before, _SET), (inside, _HANDED)):
                found = pattern.match(one.text)
                for name, _ in each.findall(found[1]) if found else ():
                    at = _line_of(f"{name}=", lines, one.line)
                    verb = found[2] if found else ""
                    place = Place(file, first + at, name)
                    yield Line(section=ASKING, name=name, value=verb, place=place)


def _line_of(text: str, lines: Sequence[str], first: int) -> int:
    """Return the line, counted from 0, on which a part of a command stands that begins on one."""
    near = range(first, min(first + _LINES, len(lines)))
    return next((at for at in near if text in lines[at]), first)


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
