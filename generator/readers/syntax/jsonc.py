"""JSON with comments, as YAML reads it."""

from __future__ import annotations

import re
from typing import Final

_STRINGS: Final = r'"(?:[^"\\\n]|\\.)*+"|\'(?:[^\'\\\n]|\\.)*+\'|`[^`]*+`'
_PARTS: Final = re.compile(rf"{_STRINGS}|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/")
_VISIBLE: Final = re.compile(r"[^\n]")


def without_comments(text: str) -> str:
    """Return a text with blanks in the place of its comments; every line stays where it is."""
    return _PARTS.sub(_blank, text)


def _blank(part: re.Match[str]) -> str:
    return _VISIBLE.sub(" ", part[0]) if part[0].startswith("/") else part[0]
