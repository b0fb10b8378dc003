"""The syntax of HAProxy: sections, and lines of words below them.

Source: docs.haproxy.org/2.8/configuration.html, 2.1 to 2.5.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD: Final = re.compile(r"(?:\"(?:\\.|[^\"\\])*\"|'[^']*'|\\.|[^\s\"'\\#])+|#.*")
_SECTIONS: Final = frozenset(
    {
        *("global", "defaults", "frontend", "backend", "listen", "userlist", "resolvers", "peers"),
        *("mailers", "cache", "program", "http-errors", "ring", "log-forward", "fcgi-app"),
        *("crt-store", "traces", "acme", "log-profile"),
    }
)
_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIME: Final = re.compile(r"(\d{1,18})(us|ms|s|m|h|d|)")


@dataclass(frozen=True, slots=True)
class Section:
    """A section with its kind, its words behind that, and its lines: words and number of each."""

    kind: str
    words: tuple[str, ...]
    line: int
    lines: list[tuple[tuple[str, ...], int]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The name behind the kind, empty where it has none."""
        return self.words[0] if self.words else ""

    def all(self, *names: str) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield the lines that begin with these words: what stands behind them, and the number."""
        for words, line in self.lines:
            if words[: len(names)] == names:
                yield words[len(names) :], line


def parse(text: str) -> tuple[Section, ...]:
    """Return the sections. Raises ValueError, with the line, for one that stands in none."""
    found: list[Section] = []
    for number, line in enumerate(text.split("\n"), 1):
        words = tuple(_words(line))
        if not words or words[0].startswith("."):
            continue
        if words[0] in _SECTIONS:
            found.append(Section(words[0], words[1:], number))
        elif found:
            found[-1].lines.append((words, number))
        else:
            raise ValueError(f"line {number}: `{words[0][:40]}` stands in no section")
    return tuple(found)


def _words(line: str) -> Iterator[str]:
    for found in _WORD.finditer(line):
        if found[0].startswith("#"):
            return
        yield re.sub(r"\\(.)|[\"']", lambda m: m[1] or "", found[0])


def seconds(text: str) -> float | None:
    """Return the seconds of a time, which without a unit counts milliseconds; None: it is none."""
    found = _TIME.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found else None
