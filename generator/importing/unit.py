"""What a unit of systemd says beside variables and limits: who runs the server, what, and how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.importing.entries import Entry, Left

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from generator.catalogue.facts import Facts
    from generator.view import Line, View

SERVICE: Final = "Service"
_SPAN: Final = re.compile(r"\s*(\d+)\s*([a-z]*)", re.ASCII)
_SECONDS: Final = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600),
}
_CREDENTIALS: Final = {"LoadCredential": False, "LoadCredentialEncrypted": True}
_KEEP_FILE: Final = "the profile names the file, and copies nothing out of it"


def seconds(text: str) -> int:
    """Return the whole seconds of a time of systemd, `1min 30s`. Raises ValueError for others."""
    total, at = 0, 0
    while match := _SPAN.match(text, at):
        if match[2] not in _SECONDS:
            break
        total, at = total + int(match[1]) * _SECONDS[match[2]], match.end()
    if not text or at != len(text):
        raise ValueError(f"`{text}` is no whole number of seconds")
    return total


def directives(view: View, facts: Facts) -> Iterator[Entry | Left]:
    """Yield what the directives of a unit become that a profile has keys for."""
    last = {line.name: line for line in view.lines if line.section == SERVICE and line.name}
    yield from (_entry(name, last[name]) for name in KEYS if name in last and last[name].value)
    for line in view.lines:
        if line.section == SERVICE and line.name in _CREDENTIALS and line.value:
            yield _credential(line, facts, encrypted=_CREDENTIALS[line.name])
    if "ExecStart" in last:
        yield from _program(last["ExecStart"], view)


def restarts(view: View) -> Iterator[Entry | Left]:
    """Yield when systemd starts a container again that it runs."""
    found = {line.name: line for line in view.lines if line.section == SERVICE}
    yield from (_entry(name, found[name]) for name in ("Restart", "RestartSec") if name in found)


def _entry(name: str, line: Line) -> Entry | Left:
    key, read = KEYS[name]
    try:
        return Entry(key=key, value=read(line.value), name=line.name, place=line.place)
    except ValueError as error:
        return Left(name=line.name, value=line.value, place=line.place, reason=str(error))


KEYS: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "User": ("service.user", str),
    "Group": ("service.group", str),
    "Restart": ("service.restart", str),
    "RestartSec": ("service.restart_seconds", seconds),
}


def _program(line: Line, view: View) -> Iterator[Entry | Left]:
    """Yield the program of the server, where the command is it alone."""
    from generator.engines import load_signs

    program, *rest = line.value.split() or [""]
    if rest == list(load_signs(view.engine).command[1:]) and program.startswith("/"):
        yield Entry(key="service.binary", value=program, name=line.name, place=line.place)


def _credential(line: Line, facts: Facts, *, encrypted: bool) -> Entry | Left:
    name, _, path = line.value.partition(":")
    if name not in facts.credentials or not path.startswith("/"):
        reason = "the server reads no credential of that name"
        return Left(name=line.name, value=line.value, place=line.place, reason=reason)
    value = {"path": path, "encrypted": True} if encrypted else {"path": path}
    return Entry(
        key=f"service.credentials.{name}",
        value=value,
        name=line.name,
        place=line.place,
        note=_KEEP_FILE,
    )
