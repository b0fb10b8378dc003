"""The syntax of nginx: directives that end in `;`, and blocks. Source: ngx_conf_read_token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD: Final = re.compile(
    r"\s+|#[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[;{}]"
    r"|(?![\"'])(?:\\.|\$\{[^}\s]*\}|[^\s;{}\\])+|\\",
    re.DOTALL,
)
_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive with its words, and what stands in its block; `file`: in another file."""

    name: str
    words: tuple[str, ...]
    line: int
    block: tuple[Directive, ...] = ()
    file: str = ""

    def all(self, name: str) -> Iterator[Directive]:
        """Yield the directives of that name in the block itself."""
        return (one for one in self.block if one.name == name)


def parse(text: str) -> tuple[Directive, ...]:
    """Return the directives of a text. Raises ValueError, with the line, for what is none."""
    return _Reader(text).block(0)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.line = text, 0, 1

    def words(self) -> Iterator[tuple[str, int]]:
        while self.at < len(self.text):
            found = _WORD.match(self.text, self.at)
            if found is None:
                raise ValueError(f"line {self.line}: a quote is never closed")
            line, self.at = self.line, found.end()
            self.line += found[0].count("\n")
            if not found[0].isspace() and not found[0].startswith("#"):
                yield found[0], line

    def block(self, depth: int) -> tuple[Directive, ...]:
        found: list[Directive] = []
        words: list[str] = []
        first = self.line
        if depth > _DEEPEST:
            raise ValueError(f"line {first}: blocks are nested too deeply")
        for word, line in self.words():
            first = first if words else line
            if word == "}":
                if words and not any("$" in one for one in words):
                    raise ValueError(f"line {line}: `{words[0][:40]}` has no `;` at its end")
                if not depth:
                    raise ValueError(f"line {line}: this `}}` closes nothing")
                return tuple(found)
            if word not in ";{":
                words.append(_unquoted(word))
                continue
            inside = self._inside(words, depth) if word == "{" else ()
            if words:
                found.append(Directive(words[0], tuple(words[1:]), first, inside))
            words = []
        if depth:
            raise ValueError(f"line {first}: a block is never closed")
        return tuple(found)

    def _inside(self, words: list[str], depth: int) -> tuple[Directive, ...]:
        """Return what stands in a block; a program of Lua is passed over."""
        if not words or not words[0].endswith("_by_lua_block"):
            return self.block(depth + 1)
        open_ = 1
        while open_ and self.at < len(self.text):
            char = self.text[self.at]
            open_ += (char == "{") - (char == "}")
            self.line += char == "\n"
            self.at += 1
        return ()


def _unquoted(word: str) -> str:
    word = word.replace("\\$", "$")  # Where a shell writes the file.
    return word[1:-1] if word[:1] in "\"'" and len(word) > 1 else word
