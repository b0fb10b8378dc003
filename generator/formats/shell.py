"""Words of POSIX shell scripts, and the lines of data that one reads."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from generator.errors import RenderError
from generator.formats.text import refuse_nul

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENDS_A_VALUE = re.compile(r"[\t\n]")


def quote(word: str, where: str = "a shell word") -> str:
    """Return `word` as one word of a POSIX shell; RenderError naming `where` for NUL."""
    return shlex.quote(refuse_nul(word, where))


def options(option: str, values: Iterable[str]) -> str:
    """Return an option once for each value: `--set a=1 --set b=2`."""
    return " ".join(f"{option} {quote(value)}" for value in values)


def heredoc(text: str, where: str) -> str:
    """Return text that stands between `<<EOF` and `EOF`, where a shell looks for variables.

    Raises RenderError naming `where` for NUL, and for a line that would end it.
    """
    if "EOF" in text.split("\n"):
        raise RenderError(f"`{where}` has a line `EOF`, which would end it", hint="change it")
    return re.sub(r"[\\$`]", r"\\\g<0>", refuse_nul(text, where))


def record(word: str, value: str) -> str:
    """Return a line of data, `word<TAB>value`, for a script that asks `IFS= read -r` for lines.

    Nothing in the value has a meaning to such a script, so nothing is escaped. Raises RenderError
    naming `word` for NUL, for a line break and, so that values can stand in one line, for a tab.
    """
    if _ENDS_A_VALUE.search(refuse_nul(value, word)):
        raise RenderError(f"`{word}` is {value!r}, and has a tab or a line break in it")
    return f"{word}\t{value}"
