"""Blocks of a script, told by their words and by how far their lines are indented."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPENS: Final = re.compile(r"^(?!\s*elif\b).*(?:\bthen|\bdo|\{|\bin)\s*(?:#.*)?$")
_CLOSES: Final = re.compile(r"\s*(?:fi|done|\}|esac)\b|\s*\}")
_TURNS: Final = re.compile(r"\s*(?:else\b|elif\b|\))|.*;;\s*$")
LONGEST: Final = 1000
"""Characters of a line that is looked at; nobody types a longer one."""


def depth(lines: Sequence[str]) -> int:
    """Return how many blocks lines open, and do not close."""
    return sum(map(_step, lines))


def _step(line: str) -> int:
    text = line[:LONGEST]
    return (_OPENS.search(text) is not None) - (_CLOSES.match(text) is not None)


def follows(lines: Sequence[str], first: int, later: int) -> bool:
    """Return whether a later line is run behind the first one, in its block or one within.

    A line that is not indented as far ends the block, and so does a branch.
    """
    far, open_ = _indent(lines[first]), 0
    for line in lines[first + 1 : later + 1]:
        if not line.strip():
            continue
        open_ += _step(line)
        if _indent(line) < far or open_ < 0 or (not open_ and _TURNS.match(line[:LONGEST])):
            return False
    return True


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
