"""redis.conf: a directive and its words on each line, as sdssplitargs of Redis reads them.

A word stands in double quotes where it is empty or has a blank, a quote or a backslash; there,
`\\xHH` is a byte. A line that begins with `#` is a comment, and nothing else is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.formats.text import Commented, comment, refuse_nul

if TYPE_CHECKING:
    from collections.abc import Iterable

_BARE: Final = re.compile(r"[A-Za-z0-9_./:*@%+=,-]+")


def to_redis(head: Iterable[str], lines: Iterable[tuple[str, Commented]]) -> str:
    """Return the text of a redis.conf: comments, then each directive with its reason above."""
    text = [line for each in head for line in comment(each)]
    for name, entry in lines:
        text += ["", *comment(entry.comment)] if entry.comment else []
        text.append(" ".join([name, *(word(str(value), name) for value in entry.value)]))
    return "\n".join([*text, ""])


def word(text: str, where: str = "a directive") -> str:
    """Return one word, in quotes where it needs them; RenderError naming `where` for NUL."""
    if _BARE.fullmatch(refuse_nul(text, where)):
        return text
    return '"' + "".join(_escaped(byte) for byte in text.encode()) + '"'


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return f"\\{character}"
    return character if character.isascii() and character.isprintable() else f"\\x{byte:02x}"
