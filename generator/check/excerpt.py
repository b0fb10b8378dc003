"""The line that a Finding is about, and the part of it to mark."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from generator.readers.signs import BOM
from generator.records import dataclass
from generator.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from generator.check.report import Report
    from generator.view import LocatedFinding, Place

_QUOTED: Final = re.compile(r"`([^`]+)`")
_OPTION: Final = re.compile(r"`(--[\w-]+)[= ][^`]+`")
_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A line of a file without its indent, and what is marked: characters `start` to `end`.

    `indent` are the characters that the file has before `line`, each tab one, the mark of the byte
    order none.
    """

    line: str
    start: int
    end: int
    indent: int = 0

    @property
    def columns(self) -> tuple[int, int]:
        """In the line of the file, from 1: the first marked character, and the one behind it."""
        return self.indent + self.start + 1, self.indent + self.end + 1

    @property
    def parts(self) -> tuple[str, str, str]:
        """What stands before the mark, under it, and behind it."""
        return self.line[: self.start], self.line[self.start : self.end], self.line[self.end :]

    def cut(self, room: int) -> Excerpt:
        """Return as much of it as there is room for, with the mark in sight."""
        first = max(0, min(self.start - room // 4, len(self.line) - room))
        line = self.line[first : first + room]
        start = self.start - first
        end = max(start + 1, min(self.end - first, len(line)))
        return Excerpt(line, start, end, self.indent + first)


def with_secrets(
    found: Iterable[LocatedFinding], texts: Mapping[str, str], secret: Callable[[str], bool]
) -> Iterator[Place]:
    """Yield the places of lines that hold a secret, whatever is found there.

    `secret` tells of a variable whether it holds one.
    """
    places = dict.fromkeys(placed.place for placed in found)
    lines = {file: texts.get(file, "").split("\n") for file in {place.file for place in places}}
    for place in places:
        for line in lines[place.file][max(place.line - 1, 0) : place.line]:
            shown = line.strip()[:_LONGEST]
            if redacted(shown, secret) != shown:
                yield place


def excerpt(placed: LocatedFinding, report: Report) -> Excerpt | None:
    """Return what a Finding is about, as its file has it; None: no line, or one with a secret."""
    if placed.place in report.secret:
        return None
    lines = _lines(report.texts.get(placed.place.file, ""))
    if not placed.place.line or placed.place.line > len(lines):
        return None
    whole = lines[placed.place.line - 1]
    line = whole.strip()[:_LONGEST]
    if not line:
        return None
    indent = len(whole) - len(whole.lstrip())
    for part in _meant(placed, line):
        if (start := _start(line, part)) >= 0:
            return Excerpt(line, start, start + len(part), indent)
    return Excerpt(line, 0, len(line), indent)


@functools.lru_cache(maxsize=8)
def _lines(text: str) -> tuple[str, ...]:
    """Parting a long file for each of its findings would take the square of its length."""
    return tuple(text.removeprefix(BOM).split("\n"))


def _start(line: str, part: str) -> int:
    """Return where a part begins, as a word of its own if it is one: `on` in `Environment=A=on`."""
    word = re.search(rf"(?<!\w){re.escape(part)}(?!\w)", line)
    return word.start() if word else line.find(part)


def _meant(placed: LocatedFinding, line: str) -> Iterator[str]:
    """Yield what of a line a Finding may speak of, the surest first."""
    yield from _QUOTED.findall(placed.finding.message)
    yield from (edit.old.strip() for edit in placed.edits if edit.place == placed.place)
    # An option that is to have another value.
    for name in _OPTION.findall(placed.finding.fix):
        yield from re.findall(rf"(?<![\w-]){re.escape(name)}[= ]\S+", line)[:1]
    if placed.setting:
        yield placed.setting
