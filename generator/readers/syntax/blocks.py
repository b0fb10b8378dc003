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


Branches = tuple[tuple[int, int], ...]
"""The blocks around a line, each by the line that opens it and which of its branches it is."""


def branches(lines: Sequence[str]) -> list[Branches]:
    """Return what branches each line stands in, the outermost first."""
    found: list[Branches] = []
    blocks: list[tuple[int, int]] = []
    deeper = 0
    for number, line in enumerate(lines):
        text = line[:LONGEST]
        if _CLOSES.match(text):
            if deeper:
                deeper -= 1
            elif blocks:
                blocks.pop()
        elif _ELSE.match(text) and blocks and not deeper:
            blocks[-1] = (blocks[-1][0], blocks[-1][1] + 1)
        found.append(tuple(blocks))
        if _OPENS.search(text):
            deeper += len(blocks) >= _DEEPEST
            blocks += [(number, 0)] if len(blocks) < _DEEPEST else []
    return found


_DEEPEST: Final = 20
_ELSE: Final = re.compile(r"\s*(?:else\b|elif\b)|.*;;\s*$")


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
