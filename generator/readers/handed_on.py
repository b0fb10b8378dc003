"""Variables that a role of Ansible hands on to what it writes: they are judged there, and once."""

from __future__ import annotations

import functools
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.view import Variable, View

_TELL: Final = frozenset({"defaults", "vars"})
_OF_ALL: Final = frozenset({"group_vars", "host_vars"})
_WRITE: Final = frozenset({"templates", "tasks", "handlers", "files"})

Written = dict[tuple[str, str], list[str]]
"""The values of a variable in what a role writes; of no role: in what any of them does."""


def once(views: Sequence[View]) -> Sequence[View]:
    """Return the Views, those of variables without what templates and tasks of roles hand on."""
    if not any(_told(view) for view in views):
        return views
    written: Written = {}
    for one in (variable for view in views for variable in view.variables):
        role, part = _place(one.place.file)
        for where in (role, "") if part in _WRITE else ():
            written.setdefault((where, one.name), []).append(one.value)
    return [_without(view, written) for view in views]


def _told(view: View) -> bool:
    return any(_place(one.place.file)[1] in _TELL | _OF_ALL for one in view.variables)


def _without(view: View, written: Mapping[tuple[str, str], list[str]]) -> View:
    kept = tuple(one for one in view.variables if not _is_handed_on(one, written))
    return view if len(kept) == len(view.variables) else replace(view, variables=kept)


def _is_handed_on(one: Variable, written: Mapping[tuple[str, str], list[str]]) -> bool:
    role, part = _place(one.place.file)
    where = role if part in _TELL else ""
    values = written.get((where, one.name), ()) if part in _TELL | _OF_ALL else ()
    return bool(one.value) and any(one.value in value for value in values)


@functools.lru_cache(maxsize=256)
def _place(file: str) -> tuple[str, str]:
    """Return the role that a file is of, and which part of the role; empty: of none."""
    parts = PurePosixPath(file).parts[:-1]
    return next(_split(parts), ("", ""))


def _split(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for at in reversed(range(len(parts))):
        if parts[at] in _TELL | _OF_ALL | _WRITE:
            yield "/".join(parts[:at]), parts[at]
