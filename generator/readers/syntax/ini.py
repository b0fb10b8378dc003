"""Files of Python's configparser, as supervisord has them: sections and keys with their lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SECTION: Final = re.compile(r"\[([^\]]+)\]")
_KEY: Final = re.compile(r"([^\s=:;#\[][^=:]*)[=:](.*)")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))[;#]")
"""What begins a comment; behind a value a blank stands before it."""


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a key: each line of it, with its number."""

    lines: Sequence[tuple[int, str]]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(text for _, text in self.lines)

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.lines[0][0]


@dataclass(frozen=True, slots=True)
class Section:
    """A section by its name, its line, and what its keys, in small letters, say last."""

    name: str
    line: int
    keys: dict[str, Value]

    def text(self, key: str, default: str = "") -> str:
        """Return what a key says on one line."""
        return self.keys[key].text.strip() if key in self.keys else default


def sections(text: str) -> Iterator[Section]:
    """Yield the sections of a file. A line that begins with a blank goes on with a value."""
    found: Section | None = None
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        comment = _COMMENT.search(line)
        plain = (line[: comment.start()] if comment else line).rstrip()
        if not plain:
            continue
        if plain[0].isspace():
            lines.append((number, plain.strip()))
        elif head := _SECTION.match(plain):
            if found is not None:
                yield found
            found, lines = Section(head[1].strip(), number, {}), []
        elif found is not None and (told := _KEY.match(plain)):
            lines = [(number, told[2].strip())]
            found.keys[told[1].strip().lower()] = Value(lines)
    if found is not None:
        yield found
