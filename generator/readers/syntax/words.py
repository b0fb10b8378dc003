r"""Words of a systemd line: quotes and C escapes undone, then `%` specifiers, systemd.syntax(7).

A Word keeps where each of its characters stands, so that a fix can name the text to replace.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANKS: Final = " \t\n\r"
_QUOTES: Final = "\"'"
_SIMPLE: Final = {
    "a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34, "'": 39, "s": 32,
}  # fmt: skip
_CODES: Final = (
    (re.compile(r"x([0-9A-Fa-f]{2})"), 16),
    (re.compile(r"u([0-9A-Fa-f]{4})"), 16),
    (re.compile(r"U([0-9A-Fa-f]{8})"), 16),
    (re.compile(r"([0-7]{3})"), 8),
)
_BYTE: Final = 0xFF
_NOT_CHARACTERS: Final = re.compile("[\ud800-\udfff\ufdd0-\ufdef]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A byte of a word: where its spelling ends in the line, and the quotes it stands in (0: none).

    Every pair of quotes on a line has a number of its own.
    """

    end: int
    quotes: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its place in the line, from `start` up to `end`; `pieces` by byte of UTF-8."""

    text: str
    start: int
    end: int
    pieces: tuple[Piece, ...]
    closes: int = 0
    """The quotes that its last character closes."""

    def tail(self, head: str) -> tuple[int, int] | None:
        """Return where the rest behind `head` is written, None where quotes cut through it."""
        count = len(head.encode("utf-8", "surrogatepass"))
        if not count:
            return self.start, self.end
        opened = self.pieces[count - 1].quotes
        if not opened:
            return self.pieces[count - 1].end, self.end
        same = all(piece.quotes == opened for piece in self.pieces[count:])
        whole = same and self.closes == opened
        return (self.pieces[count - 1].end, self.end - 1) if whole else None


def words(text: str, *, relaxed: bool = False) -> Iterator[Word]:
    """Yield the words of a line; `relaxed` keeps an unknown escape as it is, as for commands.

    Raises ValueError where systemd gives up: the words before stand.
    """
    at, quotes = 0, 0
    while at < len(text):
        if text[at] in BLANKS:
            at += 1
            continue
        word = _Reading(text, at, quotes, relaxed).word()
        at, quotes = word.end, max((piece.quotes for piece in word.pieces), default=quotes)
        quotes = max(quotes, word.closes)
        yield word


class _Reading:
    """One word while it is read."""

    def __init__(self, text: str, at: int, quotes: int, relaxed: bool) -> None:
        self.text, self.start, self.at, self.relaxed = text, at, at, relaxed
        self.numbered, self.quotes, self.quote, self.closes = quotes, 0, "", 0
        self.data = bytearray()
        self.pieces: list[Piece] = []

    def word(self) -> Word:
        """Read up to a blank outside quotes; raise ValueError for quotes that stay open."""
        while self.at < len(self.text):
            if not self.quote and self.text[self.at] in BLANKS:
                break
            self._next(self.text[self.at])
        if self.quote:
            raise ValueError(f"a {self.quote} has no partner; close it")
        text = self.data.decode("utf-8", "surrogateescape")
        return Word(text, self.start, self.at, tuple(self.pieces), self.closes)

    def _next(self, char: str) -> None:
        closing = 0
        if char == "\\":
            self._put(*self._escape())
        elif self.quote and char == self.quote:
            closing, self.quote, self.quotes = self.quotes, "", 0
            self.at += 1
        elif not self.quote and char in _QUOTES:
            self.numbered += 1
            self.quote, self.quotes = char, self.numbered
            self.at += 1
        else:
            self._put(char.encode("utf-8", "surrogatepass"), 1)
        self.closes = closing

    def _put(self, data: bytes, length: int) -> None:
        self.at += length
        self.data += data
        self.pieces += [Piece(self.at, self.quotes)] * len(data)

    def _escape(self) -> tuple[bytes, int]:
        """Return the bytes of the escape here, and how long its spelling is."""
        found = _escaped(self.text, self.at + 1)
        if found is not None:
            return found
        if not self.relaxed:
            raise ValueError("an unknown escape; write `\\\\` for a backslash")
        spelt = self.text[self.at : self.at + 2]
        return spelt.encode("utf-8", "surrogatepass"), len(spelt)


def _escaped(text: str, at: int) -> tuple[bytes, int] | None:
    simple = _SIMPLE.get(text[at : at + 1])
    if simple is not None:
        return bytes([simple]), 2
    for pattern, base in _CODES:
        if match := pattern.match(text, at):
            data = _coded(int(match[1], base), text[at])
            return None if data is None else (data, 1 + match.end() - at)
    return None


def _coded(number: int, kind: str) -> bytes | None:
    r"""Return the byte of `\x41` and `\101`, the character of `\u` and `\U`; None: refused."""
    if not number:
        return None
    if kind not in "uU":
        return bytes([number]) if number <= _BYTE else None
    if kind == "U" and not is_character(number):
        return None
    return chr(number).encode("utf-8", "surrogatepass")


def is_character(number: int) -> bool:
    """Whether systemd takes a code point for a character: no surrogate, no noncharacter."""
    if number > 0x10FFFF or number & 0xFFFE == 0xFFFE:  # noqa: PLR2004 -- the last two of a plane
        return False
    return not _NOT_CHARACTERS.match(chr(number))


def is_text(text: str) -> bool:
    """Whether systemd takes a text for UTF-8; it ignores an assignment that is not."""
    return all(is_character(ord(char)) for char in text if char > "\ud7ff")
