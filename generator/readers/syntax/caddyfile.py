"""The syntax of a Caddyfile: lines of words, and blocks that `{` opens at the end of a line.

Source: caddyserver.com/docs/caddyfile/concepts; caddyconfig/caddyfile/lexer.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"|`[^`]*`|\S+", re.DOTALL)
_HEREDOC: Final = re.compile(r"<<([A-Za-z0-9_-]+)[ \t]*$", re.MULTILINE)
_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A line with its words, the first one its name, and its block; `file`: in another file."""

    words: tuple[str, ...]
    line: int
    block: tuple[Entry, ...] = ()
    file: str = ""

    @property
    def name(self) -> str:
        """The first word."""
        return self.words[0] if self.words else ""

    def inside(self) -> Iterator[Entry]:
        """Yield every entry of the block, however deep."""
        for entry in self.block:
            yield entry
            yield from entry.inside()


def parse(text: str) -> tuple[Entry, ...]:
    """Return the entries at the top: sites, snippets, and the global options without a word.

    Without braces the first line names the only site. Raises ValueError, with the line.
    """
    lines = list(_lines(text))
    opens = lines and (lines[0][0][-1] == "{" or lines[0][0][0] == "import")
    if lines and not opens and not _braces(lines):
        words, line = lines[0]
        return (Entry(words, line, tuple(Entry(w, n) for w, n in lines[1:])),)
    found, rest = _block(lines, 0, 0)
    if rest != len(lines):
        raise ValueError(f"line {lines[rest][1]}: this `}}` closes nothing")
    return found


def _braces(lines: list[tuple[tuple[str, ...], int]]) -> bool:
    """Whether the first line is no site of its own: a later line at the top opens a block."""
    depth = 0
    for words, _ in lines[1:]:
        if words == ("}",):
            depth -= 1
        if depth < 0:
            return True
        depth += words[-1] == "{"
    return lines[0][0][0].endswith(",") or len(lines) == 1 or lines[1][0] == ("{",)


def _lines(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    number, rest = 1, text
    end = ""
    for line in rest.split("\n"):
        if end:
            end = "" if line.strip() == end else end
        else:
            words = tuple(_words(line))
            if opened := _HEREDOC.search(line):
                end = opened[1]
            if words:
                yield words, number
        number += 1


def _words(line: str) -> Iterator[str]:
    for found in _WORD.finditer(line):
        word = found[0]
        if word.startswith("#"):
            return
        yield word[1:-1] if word[:1] in '"`' and len(word) > 1 and word[-1] == word[0] else word


def _block(
    lines: list[tuple[tuple[str, ...], int]], at: int, depth: int
) -> tuple[tuple[Entry, ...], int]:
    found: list[Entry] = []
    if depth > _DEEPEST:
        raise ValueError(f"line {lines[at][1]}: blocks are nested too deeply")
    while at < len(lines):
        words, line = lines[at]
        if words == ("}",):
            break
        at += 1
        if words[-1] != "{":
            found.append(Entry(words, line))
            continue
        inner, at = _block(lines, at, depth + 1)
        if at >= len(lines):
            raise ValueError(f"line {line}: a block is never closed")
        found.append(Entry(words[:-1], line, inner))
        at += 1
    return tuple(found), at
