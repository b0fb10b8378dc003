"""Where in a TOML file a key stands. The standard library's parser does not tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART: Final = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_PATH: Final = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADING: Final = re.compile(rf"\s*(\[\[?)\s*({_PATH})\s*\]")
_KEY: Final = re.compile(rf"\s*({_PATH})\s*=")


def line_of(text: str, key: str) -> int:
    """Return the line of `key` (`ollama.keep_alive`, `models.0.name`), or of the nearest table
    around it; 0 where the file has none of it.

    Text that looks like a heading inside a multi-line string can mislead it; lines are for people.
    """
    wanted = key.split(".")
    best, found = 0, 0
    for number, path in _keys(text):
        if len(path) > best and path == wanted[: len(path)]:
            best, found = len(path), number
    return found


def _keys(text: str) -> Iterator[tuple[int, list[str]]]:
    table: list[str] = []
    counts: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if heading := _HEADING.match(line):
            table = _parts(heading[2])
            if heading[1] == "[[":
                name = ".".join(table)
                counts[name] = counts.get(name, -1) + 1
                yield number, table
                table = [*table, str(counts[name])]
            yield number, table
        elif assignment := _KEY.match(line):
            yield number, [*table, *_parts(assignment[1])]


def _parts(path: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(_PART, path)]
