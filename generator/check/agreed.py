"""A line that several services read, by an anchor or a file, is mended for all or for none.

What one of them does not read may be a setting of the other, whose release is older.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from generator.view import ALSO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import Edit, LocatedFinding, Variable, View

_Key = tuple[str, int, str]


def agreed(
    judged: Sequence[tuple[View, Sequence[LocatedFinding]]],
) -> Iterator[LocatedFinding]:
    """Yield what was found of each View, without Edits that another View of the line lacks."""
    readers: dict[_Key, set[int]] = {}
    beside: dict[_Key, str] = {}
    wanted: dict[tuple[_Key, str], set[int]] = {}
    for at, (view, found) in enumerate(judged):
        for variable in view.served:
            for read in _keys(variable):
                readers.setdefault(read, set()).add(at)
        for also in view.lines_in(ALSO):
            beside[also.place.file, also.place.line, also.name] = also.value
        for edit in (edit for placed in found for edit in placed.edits):
            wanted.setdefault((_key(edit), edit.new), set()).add(at)
    without = {
        want: min(others)
        for want, views in wanted.items()
        if (others := readers.get(want[0], set()) - views)
    }
    for placed in (placed for _, found in judged for placed in found):
        keys = {(_key(edit), edit.new) for edit in placed.edits}
        if wrong := keys & without.keys():
            name = judged[min(without[key] for key in wrong)][0].name
            yield _withheld(placed, f"it is not right for `{name}`, which reads that line as well")
        elif name := min((beside[key] for key, _ in keys if key in beside), default=""):
            yield _withheld(placed, f"`{name}` gets that line as well, and may use the name")
        else:
            yield placed


def _keys(variable: Variable) -> Iterator[_Key]:
    """Yield where an Edit of a variable is made: its name, its value."""
    place, named = variable.place, variable.named or variable.place
    yield named.file, named.line, variable.name
    yield place.file, place.line, variable.name
    if variable.written:
        yield place.file, place.line, variable.written


def _key(edit: Edit) -> _Key:
    return edit.place.file, edit.place.line, edit.old.partition("=")[0]


def _withheld(placed: LocatedFinding, why: str) -> LocatedFinding:
    return dataclasses.replace(placed, edits=(), withheld=why)
