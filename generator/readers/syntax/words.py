r"""Words of a systemd line: quotes and C escapes undone, systemd.syntax(7), then `%` specifiers.

A Word keeps where each of its characters stands, so that a fix can name the text to replace.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANKS: Final = " \t\n\r"
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
_CHARACTER: Final = re.compile(
    r"(?P<plain>[!#-&(-\[\]-~]+)|"
    r"""(?P<blank>[ \t\n\r])|(?P<quote>["'])|\\(?P<short>[abfnrtvs\\"'])|\\x(?P<x>[0-9A-Fa-f]{2})"""
    r"|\\(?P<octal>[0-7]{3})|\\u(?P<u>[0-9A-Fa-f]{4})|\\U(?P<U>[0-9A-Fa-f]{8})|(?P<strange>\\.?)|.",
    re.DOTALL,
)
_SHORT: Final = dict(zip("abfnrtvs\\\"'", "\a\b\f\n\r\t\v \\\"'", strict=True))
_BYTE: Final = 0xFF
_LARGEST: Final = 0x10FFFF
_ENDS_OF_PLANES: Final = "".join(
    chr(plane | last) for plane in range(0, _LARGEST, 0x10000) for last in (0xFFFE, 0xFFFF)
)
_NO_TEXT: Final = re.compile(f"[\ud800-\udfff\ufdd0-\ufdef{_ENDS_OF_PLANES}]")
_SPECIFIER: Final = re.compile(r"%(.?)", re.DOTALL)
_DIRECTORIES: Final = {
    "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "E": "/etc", "T": "/tmp",  # noqa: S108
    "V": "/var/tmp", "D": "/usr/share", "h": "/root", "u": "root", "U": "0", "g": "root", "G": "0",  # noqa: S108
}  # fmt: skip
_ON_THE_HOST: Final = frozenset("aAbBcdfHlmMoqrRsvwWyY")
_ESCAPED_NAME: Final = re.compile(r"\\x([0-9a-fA-F]{2})|(-)")

Piece: TypeAlias = tuple[int, int]
"""A byte of a word: where its spelling ends in the line, and where the quotes around it begin.

The latter counts from 1; 0: there are none.
"""


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
        end, opened = self.pieces[count - 1]
        if not opened:
            return end, self.end
        whole = self.closes == opened and all(quotes == opened for _, quotes in self.pieces[count:])
        return (end, self.end - 1) if whole else None


def words(text: str, *, relaxed: bool = False) -> Iterator[Word]:
    """Yield the words of a line; `relaxed` keeps an unknown escape as it is, as for commands.

    Raises ValueError where systemd gives up: the words before stand.
    """
    at = 0
    while (blanks := _BLANKS.match(text, at)) and blanks.end() < len(text):
        word = _word(text, blanks.end(), relaxed=relaxed)
        at = word.end
        yield word


def _word(text: str, start: int, *, relaxed: bool) -> Word:
    """Read up to a blank outside quotes; raise ValueError for quotes that stay open."""
    data, pieces, end = bytearray(), list[Piece](), len(text)
    quotes = closes = 0
    for found in _CHARACTER.finditer(text, start):
        if plain := found["plain"]:
            data += plain.encode()
            closes = 0
            pieces += [(at, quotes) for at in range(found.start() + 1, found.end() + 1)]
            continue
        if found["blank"] and not quotes:
            end = found.start()
            break
        if found["quote"] and (not quotes or found[0] == text[quotes - 1]):
            quotes, closes = 0 if quotes else found.end(), quotes
            continue
        meant, closes = _meant(found), 0
        if meant is None and not relaxed:
            raise ValueError("an unknown escape; write `\\\\` for a backslash")
        spelt = found[0].encode("utf-8", "surrogatepass") if meant is None else meant
        data += spelt
        pieces += [(found.end(), quotes)] * len(spelt)
    if quotes:
        raise ValueError(f"a {text[quotes - 1]} has no partner; close it")
    return Word(data.decode("utf-8", "surrogateescape"), start, end, tuple(pieces), closes)


def _meant(found: re.Match[str]) -> bytes | None:
    r"""Return the byte of `\x41` and `\101`, the character of `\u` and `\U`; None: refused."""
    match found.lastgroup:
        case "short":
            return _SHORT[found["short"]].encode()
        case "x" | "octal" as kind:
            number = int(found[kind], 16 if kind == "x" else 8)
            return bytes([number]) if 0 < number <= _BYTE else None
        case "u" | "U" as kind:
            number = int(found[kind], 16)
            known = kind == "u" or (number <= _LARGEST and is_text(chr(number)))
            return chr(number).encode("utf-8", "surrogatepass") if number and known else None
        case "strange":
            return None
    return found[0].encode("utf-8", "surrogatepass")


def is_text(text: str) -> bool:
    """Whether systemd takes a text for UTF-8, without surrogates and noncharacters.

    It ignores an assignment that is not.
    """
    return not _NO_TEXT.search(text)


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text with its specifiers expanded; `unresolved`: some are kept, for only a host can."""

    text: str
    unresolved: bool = False


def expand(text: str, unit: str, *, user: bool = False) -> Expanded | None:
    """Expand the specifiers of a value in `unit`, a unit of a `user` manager or of the system.

    None: it has one that systemd does not know, for which it ignores the whole value. Source:
    systemd.unit(5).
    """
    if "%" not in text:
        return Expanded(text)
    known = {**_names(unit), **({} if user else _DIRECTORIES)}
    asked = {letter for letter in _SPECIFIER.findall(text) if letter not in known}
    open_ended = {letter for letter in asked if letter.isascii() and letter.isalnum()}
    if open_ended - _ON_THE_HOST - _DIRECTORIES.keys() - {"i", "I"}:
        return None
    return Expanded(_SPECIFIER.sub(lambda m: known.get(m[1], m[0]), text), bool(open_ended))


def _names(unit: str) -> dict[str, str]:
    """Return the specifiers of the unit's name; a template does not know its instance."""
    stem = unit.rpartition(".")[0] or unit
    prefix, at, instance = stem.partition("@")
    last = prefix.rpartition("-")[2]
    names = {
        "%": "%", "n": unit, "N": stem, "p": prefix, "P": _unescaped(prefix), "j": last,
        "J": _unescaped(last),
    }  # fmt: skip
    return names if at and not instance else {**names, "i": instance, "I": _unescaped(instance)}


def _unescaped(name: str) -> str:
    r"""Undo the escaping of names, systemd-escape(1): `-` was a slash, `\x2d` a dash."""
    return _ESCAPED_NAME.sub(lambda match: "/" if match[2] else chr(int(match[1], 16)), name)
