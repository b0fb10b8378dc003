"""JSON with comments, and object literals of JavaScript, as YAML reads them."""

from __future__ import annotations

import re
from typing import Final

_STRINGS: Final = r'"(?:[^"\\\n]|\\.)*+"|\'(?:[^\'\\\n]|\\.)*+\'|`[^`]*+`'
_PARTS: Final = re.compile(rf"{_STRINGS}|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/")
_WORDS: Final = re.compile(
    rf"(?P<text>{_STRINGS})|(?P<choice>\?\s*(?:{_STRINGS}|[\w.]++)\s*:\s*(?:{_STRINGS}|[\w.]++))"
    rf"|(?P<call>\((?:[^()\"'`]|{_STRINGS})*+\))|(?P<key>[\w$])[ \t]*:(?=\S)|\t"
)
_VISIBLE: Final = re.compile(r"[^\n]")


def without_comments(text: str) -> str:
    """Return a text with blanks in the place of its comments; every line stays where it is."""
    return _PARTS.sub(_blank, text)


def as_yaml(text: str) -> str:
    """Return an object literal as YAML takes it, without what calls and choices are made of."""
    return _WORDS.sub(_word, without_comments(text))


def _blank(part: re.Match[str]) -> str:
    return _VISIBLE.sub(" ", part[0]) if part[0].startswith("/") else part[0]


def _word(part: re.Match[str]) -> str:
    if part["call"] or part["choice"]:
        return "()" + "\n" * part[0].count("\n")
    if part["key"]:
        return f"{part['key']}: "
    text = part["text"] or " "
    if text[0] == "`" and not {'"', "\n", "\\"} & {*text}:
        return f'"{text[1:-1]}"'
    # A quote of YAML is written twice, not behind a backslash.
    return text.replace("\\'", "''") if text[0] == "'" else text
