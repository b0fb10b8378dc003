"""Where Edits are written: into a file once, under one name, and into none that is not replaced."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from generator.files.links import kept_alone
from generator.readers.links import is_link, real_name
from generator.records import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.view import LocatedFinding


def without_kept(found: Sequence[LocatedFinding]) -> tuple[LocatedFinding, ...]:
    """Return the Findings without the Edits of files that nobody replaces; they say why."""
    reasons = {file: kept_alone(Path(file)) for file in _files(found)}
    why = (
        next(filter(None, (reasons[edit.place.file] for edit in placed.edits)), "")
        for placed in found
    )
    return tuple(
        replace(placed, edits=(), withheld=reason) if reason else placed
        for placed, reason in zip(found, why, strict=True)
    )


def at_one_name(found: Sequence[LocatedFinding]) -> tuple[LocatedFinding, ...]:
    """Return the Findings, the Edits of a file all at one of its names: of no link if it can be.

    Behind a link it would be written twice, and the second time not be what was read.
    """
    files, first = _files(found), dict[str, str]()
    for file in sorted(files, key=is_link):
        first.setdefault(real_name(file), file)
    names = {file: first[real_name(file)] for file in files}
    if all(name == file for file, name in names.items()):
        return (*found,)
    return tuple(_renamed(placed, names) if placed.edits else placed for placed in found)


def _files(found: Sequence[LocatedFinding]) -> dict[str, None]:
    return dict.fromkeys(edit.place.file for placed in found for edit in placed.edits)


def _renamed(placed: LocatedFinding, names: dict[str, str]) -> LocatedFinding:
    places = [replace(e.place, file=names[e.place.file]) for e in placed.edits]
    edits = [replace(e, place=at) for e, at in zip(placed.edits, places, strict=True)]
    return replace(placed, edits=tuple(edits))
