"""Apply the mechanical fixes of Findings to the texts that they are about."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.view import Edit, LocatedFinding

_HEADER: Final = re.compile(r"\[[A-Za-z][A-Za-z-]*\]\s*$", re.MULTILINE)
_SHELL: Final = {"then": ("fi", "else", "elif"), "do": ("done",), "else": ("fi",), "{": ("}",)}
"""Words of a shell that have to stand apart, by the last of a line: what ends the block."""
Lines = list[str | None]
"""The lines of a file; None is one that goes."""


def mended(
    found: Iterable[LocatedFinding], texts: Mapping[str, str], *, unsafe: bool = False
) -> dict[str, str]:
    """Return the new text of each file that changes, with `unsafe` fixes or without."""
    lines = mended_lines(found, texts, unsafe=unsafe)
    new = {file: "\n".join(kept.values()) for file, kept in lines.items()}
    return {file: new[file] for file in texts if new.get(file, texts[file]) != texts[file]}


def mended_lines(
    found: Iterable[LocatedFinding], texts: Mapping[str, str], *, unsafe: bool = False
) -> dict[str, dict[int, str]]:
    """Return what becomes of each line of the files with Edits that stays, by its old number.

    All Edits of a Finding apply, or none: each line has to hold its `old` exactly once, and one
    that goes may not be continued by others: somebody must look at it.
    """
    changed: dict[str, Lines] = {}
    for placed in found:
        if placed.finding.ignored or (placed.unsafe and not unsafe):
            continue
        for edit in placed.edits:
            if edit.place.file in texts and edit.place.file not in changed:
                changed[edit.place.file] = [*_lines(texts[edit.place.file])]
        for (file, index), line in (_applied(placed.edits, changed) or {}).items():
            changed[file][index] = line
    for file, lines in changed.items():
        _end_lists(lines, _lines(texts[file]))
    return {file: dict(_tidied(lines)) for file, lines in changed.items()}


def fixable(placed: LocatedFinding, texts: Mapping[str, str], *, unsafe: bool = False) -> bool:
    """Return whether `mended` changes something for this Finding."""
    if placed.unsafe and not unsafe:
        return False
    files = {edit.place.file for edit in placed.edits} & texts.keys()
    known = {file: _lines(texts[file]) for file in files}
    return not placed.finding.ignored and bool(_applied(placed.edits, known))


def left_empty(text: str, kept: Mapping[int, str]) -> str:
    """Return the word above a block of which `mended_lines` has kept nothing; empty: there is none.

    An empty block is another value in YAML, and a fault in a script.
    """
    before, lost = "", False
    for number, line in enumerate((*_lines(text), "end"), 1):
        stays = kept.get(number) if number <= len(_lines(text)) else line
        if stays is None:
            lost = lost or bool(line.strip())
        elif stays.strip() and not stays.lstrip().startswith("#"):
            if lost and (word := _opened(before, stays)):
                return word
            before, lost = stays.rpartition("\n")[2], False
    return ""


def _opened(before: str, after: str) -> str:
    """Return the word by which a line opens a block, if the next that stays is none of it."""
    words = before.partition(" #")[0].split()
    while words and words[-1][0] in "&!":  # An anchor, a tag.
        words.pop()
    last, first = (words or [""])[-1], after.split(maxsplit=1)[0]
    if last.endswith(":"):
        column = len(before) - len(before.lstrip(" \t-"))
        below = len(after) - len(after.lstrip(" \t"))
        return last if below < column or (below == column and first != "-") else ""
    grouped = last == "{" and not words[-2:][0].endswith(")")  # Not so by other languages.
    return last if first.rstrip(";)") in _SHELL.get(last, ()) and not grouped else ""


@functools.lru_cache(maxsize=32)
def _lines(text: str) -> tuple[str, ...]:
    """Split by newline alone, as every reader counts lines; a report asks once per Finding."""
    return tuple(text.split("\n"))


def _applied(
    edits: Iterable[Edit], files: Mapping[str, Sequence[str | None]]
) -> dict[tuple[str, int], str | None] | None:
    """Return the lines that change; None: an Edit does not apply.

    Of Edits that make the same of a line, which may spell it in different ways, one has to apply.
    """
    changed: dict[tuple[str, int], str | None] = {}
    spellings: dict[tuple[str, int, str, bool], list[str]] = {}
    for edit in edits:
        key = (edit.place.file, edit.place.line - 1, edit.new, edit.behind)
        spellings.setdefault(key, []).append(edit.old)
    for (file, index, new, behind), olds in spellings.items():
        lines = files.get(file, ())
        line = changed.get((file, index), lines[index] if 0 <= index < len(lines) else None)
        old = next((old for old in olds if line and old and line.count(old) == 1), None)
        if line is None or old is None or not (new or _stands_alone(index, lines)):
            return None
        if behind:
            end = _end_of(index, lines)
            last = changed.get((file, end), lines[end]) or ""
            if _goes_on(last):
                return None
            changed[file, end] = "\n".join([last, *_lines_like(line, new)])
        elif old != new:
            changed[file, index] = line.replace(old, _like(line, new)) if new else None
    return changed


def _lines_like(line: str, new: str) -> Iterator[str]:
    """Yield lines with the end and the indent of the one that they come behind."""
    indent, end = line[: len(line) - len(line.lstrip(" \t"))], "\r" * line.endswith("\r")
    yield from (f"{indent}{each}{end}" for each in new.split("\n"))


def _like(line: str, new: str) -> str:
    """Return lines with the end and the indent of the one that they join."""
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    ends = "\r\n" if line.endswith("\r") else "\n"
    first, *more = new.split("\n")
    return ends.join([first, *(f"{indent}{each}" if each else "" for each in more)])


def _end_of(index: int, lines: Sequence[str | None]) -> int:
    """Return the last line in which one goes on by backslashes; comments between are none of it."""
    end = index
    while _goes_on(lines[index]) and index + 1 < len(lines):
        index += 1
        while (lines[index] or "").lstrip().startswith(("#", ";")) and index + 1 < len(lines):
            index += 1
        end = index
    return end


def _goes_on(line: str | None) -> bool:
    text = (line or "").rstrip("\r")
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def _stands_alone(index: int, lines: Sequence[str | None]) -> bool:
    """Return whether a line can go without breaking the ones around it."""
    line, before = lines[index] or "", (lines[index - 1] or "") if index else ""
    continued = any(text.rstrip().endswith("\\") for text in (line, before))
    balanced = all(line.count(a) == line.count(b) for a, b in ("[]", "{}", "()"))
    return balanced and not continued


def _end_lists(lines: Lines, old: Sequence[str]) -> None:
    """Take the comma away behind what has become the last entry between brackets.

    JSON allows none there; where the one that went had a comma, the format does.
    """
    last, gone = -1, ""
    for index, line in enumerate(lines):
        if line is None:
            gone = old[index].strip() or gone
        elif (text := line.strip()) and not text.startswith(("#", "//")):
            if gone and not gone.endswith(",") and text[0] in "]}":
                above = lines[last] or ""
                end = len(above.rstrip()) - 1
                lines[last] = above[:end] + above[end:].removeprefix(",")
            last, gone = index, ""


def _tidied(lines: Lines) -> Iterator[tuple[int, str]]:
    """Yield the lines that stay, with their numbers: where some went, no section is left empty,
    and no blank line stands first, last or beside another.
    """
    emptied = _emptied(lines)
    before, gap = "", False
    blank: list[tuple[int, str]] = []
    for index, line in enumerate(lines):
        if line is None or index in emptied:
            gap = True
        elif not line.strip():
            blank.append((index + 1, line))
        else:
            yield from _between(blank, before, line) if gap else blank
            yield index + 1, line
            before, gap, blank = line, False, []
    yield from blank[-1:] if gap else blank


def _between(
    blank: Sequence[tuple[int, str]], before: str, after: str
) -> Sequence[tuple[int, str]]:
    """Return the blank lines that stay where others went: one, none at the start of a file."""
    return blank[:1] if before and after else ()


def _emptied(lines: Lines) -> set[int]:
    """Return the headers of sections that have lost all that was in them."""
    found: set[int] = set()
    header, lost = -1, False
    for index, line in enumerate([*lines, "[end]"]):
        if line is None:
            lost = True
        elif _HEADER.match(line):
            if header >= 0 and lost:
                found.add(header)
            # What a fix puts below a header is of the same line.
            header, lost = -1 if "\n" in line else index, False
        elif line.strip():
            header = -1
    return found
