"""Secrets stay where they are: a file that holds one is named, and nothing copied out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.importing.entries import Entry, Left
from generator.readers.systemd import install_root
from generator.records import replace
from generator.redact import redacted
from generator.rules.registry import every_rule, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Line, Variable, View

    Exists = Callable[[str], bool]

FILES = "service.environment_files"
OF_CONTAINERS = "container.env_files"
_NOTE = (
    "holds a secret or is not at hand, so that the file itself is named; what it sets wins over "
    "the profile"
)
_UNKNOWN = frozenset({"", "…"})
_HINT = "put it into a file of mode 0600 and name that in `{}`"


def without_secrets(view: View, facts: Facts, exists: Exists) -> tuple[View, list[Entry | Left]]:
    """Return the View without secrets, and what the profile says of each and of their files."""
    secret = {one.name for one in view.variables if facts.secrets.has(one.name)}
    has = facts.secrets.has
    secret |= {one.name for one in view.variables if redacted(one.value, has) != one.value}
    secret |= {p.setting for p in judge(view, facts) if every_rule()[p.finding.rule].secret}
    kept = [
        line for line in view.lines if line.name == "EnvironmentFile" and line.value not in _UNKNOWN
    ]
    entries = [*_files(view, kept, secret, exists)]
    covered = {entry.value for entry in entries}
    found: list[Entry | Left] = [*entries]
    hidden = [one for one in view.variables if one.name in secret]
    key = OF_CONTAINERS if view.container else FILES
    found += (_secret(one, key) for one in hidden if not _in(one, covered))
    plain = tuple(one for one in view.variables if one.name not in secret)
    return replace(view, variables=plain), found


def _files(view: View, lines: list[Line], secret: set[str], exists: Exists) -> Iterator[Entry]:
    """Yield the files of variables that a unit goes on to read."""
    for line in lines:
        path = line.value.removeprefix("-")
        held = [one for one in view.variables if _in(one, {path})]
        optional, there = line.value.startswith("-"), exists(_in_root(path, line))
        if any(one.name in secret for one in held) or not (held or (optional and not there)):
            key = OF_CONTAINERS if view.container else FILES
            yield Entry(key=key, value=path, name=line.name, place=line.place, note=_NOTE)


def _in_root(path: str, line: Line) -> str:
    """Return where a file lies that an installed unit names, in its own root."""
    root = install_root(line.place.file)
    return path if root is None else f"{root}{path.lstrip('/')}"


def _in(one: Variable, paths: set[str]) -> bool:
    return any(f"/{one.place.file}".endswith(path) for path in paths)


def _secret(one: Variable, key: str) -> Left:
    reason = "it holds a secret, and a profile is no place for one"
    return Left(name=one.name, value="", place=one.place, reason=reason, fix=_HINT.format(key))
