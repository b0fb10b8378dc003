"""Apply the mechanical fixes of Findings to the texts that they are about."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from generator.view import Edit, LocatedFinding


def mended(found: Iterable[LocatedFinding], texts: Mapping[str, str]) -> dict[str, str]:
    """Return the new text of each file that changes.

    An Edit whose line does not hold its `old` exactly once is left out, and so is one that takes
    away a line which others continue: somebody must look at it.
    """
    edits = dict.fromkeys(
        edit for placed in found if not placed.finding.ignored for edit in placed.edits
    )
    # None is a line that goes.
    changed: dict[str, list[str | None]] = {}
    for edit in edits:
        file, index = edit.place.file, edit.place.line - 1
        if file in texts:
            lines = changed.setdefault(file, [*_lines(texts[file])])
            if _applies(edit, lines):
                lines[index] = (
                    (lines[index] or "").replace(edit.old, edit.new) if edit.new else None
                )
    new = {
        file: "\n".join(line for line in lines if line is not None)
        for file, lines in changed.items()
    }
    return {file: new[file] for file in texts if new.get(file, texts[file]) != texts[file]}


def fixable(placed: LocatedFinding, texts: Mapping[str, str]) -> bool:
    """Return whether `mended` changes something for this Finding."""
    return not placed.finding.ignored and any(
        _applies(edit, _lines(texts[edit.place.file]))
        for edit in placed.edits
        if edit.place.file in texts and edit.old != edit.new
    )


@functools.lru_cache(maxsize=32)
def _lines(text: str) -> tuple[str, ...]:
    """Split by newline alone, as every reader counts lines; a report asks once per Finding."""
    return tuple(text.split("\n"))


def _applies(edit: Edit, lines: Sequence[str | None]) -> bool:
    index = edit.place.line - 1
    line = lines[index] if 0 <= index < len(lines) else None
    if line is None or not edit.old or line.count(edit.old) != 1:
        return False
    return bool(edit.new) or _stands_alone(index, lines)


def _stands_alone(index: int, lines: Sequence[str | None]) -> bool:
    """Return whether a line can go without breaking the ones around it."""
    line, before = lines[index] or "", (lines[index - 1] or "") if index else ""
    continued = any(text.rstrip().endswith("\\") for text in (line, before))
    balanced = all(line.count(a) == line.count(b) for a, b in ("[]", "{}", "()"))
    return balanced and not continued
