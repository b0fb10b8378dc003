"""Apply the mechanical fixes of Findings to the texts that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from generator.view import Edit, Placed


def mended(found: Iterable[Placed], texts: Mapping[str, str]) -> dict[str, str]:
    """Return the new text of each file that changes.

    An Edit whose line does not hold its `old` exactly once is left out, and so is one that takes
    away a line which others continue: somebody must look at it.
    """
    # By newline alone, as every reader counts lines; None is a line that goes.
    lines: dict[str, list[str | None]] = {file: [*text.split("\n")] for file, text in texts.items()}
    edits = dict.fromkeys(
        edit for placed in found if not placed.finding.ignored for edit in placed.edits
    )
    for edit in edits:
        if edit.place.file in lines:
            _apply(edit, lines[edit.place.file])
    new = {
        file: "\n".join(line for line in parts if line is not None) for file, parts in lines.items()
    }
    return {file: text for file, text in new.items() if text != texts[file]}


def fixable(placed: Placed, texts: Mapping[str, str]) -> bool:
    """Return whether `mended` changes something for this Finding."""
    return bool(placed.edits) and bool(mended([placed], texts))


def _apply(edit: Edit, lines: list[str | None]) -> None:
    index = edit.place.line - 1
    line = lines[index] if 0 <= index < len(lines) else None
    if line is None or not edit.old or line.count(edit.old) != 1:
        return
    if edit.new:
        lines[index] = line.replace(edit.old, edit.new)
    elif _stands_alone(index, lines):
        lines[index] = None


def _stands_alone(index: int, lines: list[str | None]) -> bool:
    """Return whether a line can go without breaking the ones around it."""
    line, before = lines[index] or "", (lines[index - 1] or "") if index else ""
    continued = any(text.rstrip().endswith("\\") for text in (line, before))
    balanced = all(line.count(a) == line.count(b) for a, b in ("[]", "{}", "()"))
    return balanced and not continued
