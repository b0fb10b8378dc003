"""Markdown of the committed pages: text stays text, in a paragraph and in the cell of a table."""

from __future__ import annotations

import re
from typing import Final

_CODE: Final = re.compile(r"(`[^`]+`)")
_SPECIAL: Final = re.compile(r"[\\`*\[\]<>|~]|(?<!\w)_|_(?!\w)")
_FENCES: Final = re.compile(r"`+")


def markdown(text: str) -> str:
    """Return text in which backticks mark code and nothing else means anything; one line."""
    parts = _CODE.split(re.sub(r"\s+", " ", text))
    # Every second part is code. A bar would end the cell of a table even there.
    return "".join(
        part.replace("|", "\\|") if number % 2 else _SPECIAL.sub(r"\\\g<0>", part)
        for number, part in enumerate(parts)
    )


def code(text: str) -> str:
    """Return text as code, safe in a cell too."""
    fence = _fence(text, 1)
    space = " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")


def row(*cells: str) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def fenced(text: str) -> list[str]:
    """Return the lines of a block of code."""
    fence = _fence(text, 3)
    return [fence, *text.splitlines(), fence]


def _fence(text: str, shortest: int) -> str:
    """Return backticks that are longer than any in the text."""
    longest = max(map(len, _FENCES.findall(text)), default=0)
    return "`" * max(shortest, longest + 1 if longest >= shortest else shortest)
