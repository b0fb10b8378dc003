"""Commands of a shell one by one, wherever they stand: on lines of their own, or all on one."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN: Final = re.compile(
    r"""
    (?P<single>'[^']*+') | (?P<double>"(?:[^"\\]|\\.)*+")
  | (?P<comment>(?<![^\s;&|(])\#[^\n]*+)
  | (?P<here><<-?[ \t]*+["'\\]?(?P<tag>[A-Za-z_]\w*+)["']?)
  | (?P<end>&&|\|\||;;|(?<![<>])&(?!>)|[;|\n])
  | (?P<plain>\\.|<<<|[<>]&|&>|[^\\;&|\n'"<>#]++|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SHELL: Final = re.compile(r"(?:^|[\s/])(?:ba|da|z)?sh[ \t]+-\w{0,5}c[ \t]+\Z")
_REMOTE: Final = re.compile(r"\s*(?:sudo\s+)?(?:ssh|su)\s")
_FED: Final = re.compile(r"\s*(?:sudo\s+)?(?:(?:/\S*)?(?:ba|da|z)?sh|ssh|su)\b")
_TAIL: Final = 40  # characters before a word in quotes
_ESCAPED: Final = re.compile(r"\\([\\\"$`])")
_DEEPEST: Final = 2
_MOST: Final = 20  # here-documents of one command
_LONGEST: Final = 200_000


@dataclass(frozen=True, slots=True)
class Statement:
    """A command as it is written, what ends it, and its line, counted from 0."""

    text: str
    end: str
    line: int


def scopes(text: str, line: int = 0, depth: int = 0) -> Iterator[list[Statement]]:
    """Yield the commands of a script, then those of each script that it hands to a shell."""
    if len(text) > _LONGEST:
        return
    inner: list[tuple[str, int]] = []
    yield list(_Pass(text, line, inner).statements())
    for told, at in inner if depth < _DEEPEST else ():
        yield from scopes(told, at, depth + 1)


@dataclasses.dataclass(slots=True)
class _Pass:
    """One pass over a script; what it hands to shells is put into `inner`, with its line."""

    text: str
    line: int
    inner: list[tuple[str, int]]
    _pieces: list[str] = dataclasses.field(default_factory=list)
    _tags: list[str] = dataclasses.field(default_factory=list)
    _began: int = 0
    _tail: str = ""
    _fed: bool = False

    def statements(self) -> Iterator[Statement]:
        at = 0
        while at < len(self.text):
            found = _TOKEN.match(self.text, at)
            assert found is not None  # noqa: S101 -- the last alternative takes anything
            at, kind, sign = found.end(), found.lastgroup or "", found[0]
            if kind == "end":
                yield from self._ends(sign)
            elif found["tag"]:
                self._fed = self._fed or _FED.match("".join(self._pieces[:3])) is not None
                self._tags += [found["tag"]] if len(self._tags) < _MOST else []
            elif kind != "comment" and sign != "\\\n":
                self._takes(kind, sign)
            self.line += sign.count("\n")
            if sign == "\n" and self._tags:
                at = self._body(at)
        yield from self._ends("")

    def _takes(self, kind: str, sign: str) -> None:
        if not self._pieces:
            self._began = self.line + sign[: len(sign) - len(sign.lstrip())].count("\n")
        if kind in {"single", "double"} and self._is_script():
            told = sign[1:-1]
            self.inner.append((_ESCAPED.sub(r"\1", told) if kind == "double" else told, self.line))
        self._pieces.append(sign)
        self._tail = f"{self._tail}{sign[-_TAIL:]}"[-_TAIL:]

    def _is_script(self) -> bool:
        if _SHELL.search(self._tail):
            return True
        first = "".join(self._pieces[:3]) if self._tail.endswith((" ", "\t")) else ""
        return _REMOTE.match(first) is not None

    def _ends(self, sign: str) -> Iterator[Statement]:
        text = "".join(self._pieces).strip()
        if text:
            yield Statement(text, sign, self._began)
        self._pieces, self._tail = [], ""

    def _body(self, at: int) -> int:
        """Pass over the here-documents that were announced, and return where they end."""
        for tag in self._tags:
            end = re.compile(rf"^[ \t]*{tag}[ \t\r]*$", re.MULTILINE).search(self.text, at)
            stop, after = (end.start(), end.end()) if end else (len(self.text), len(self.text))
            if self._fed:
                self.inner.append((self.text[at:stop], self.line))
            self.line += self.text.count("\n", at, after)
            at = after
        self._tags, self._fed = [], False
        return at
