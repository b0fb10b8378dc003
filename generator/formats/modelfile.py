'''Modelfiles. The syntax is that of `ParseFile` in Ollama's parser/parser.go (v0.32.15).

There are no escapes. A value is bare, `"…"` or `"""…"""`; only the last two may span lines, and
they end at the first line end behind a closing quote. The parser drops what is not printable.
'''

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from generator.errors import RenderError
from generator.formats.text import comment

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = re.compile(r"[A-Za-z0-9_]+")
_BREAK = re.compile(r"[\r\n]")
_SPACES = " \t\r\n"
_TRIPLE = '"""'
# The parser keeps commands and parameters in one name space: `PARAMETER system x` sets the
# system prompt.
_COMMANDS = {
    *("from", "model", "parameter", "message", "system", "template", "license", "adapter"),
    *("draft", "renderer", "parser", "requires"),
}


def head(base: str, header_lines: Iterable[str] = ()) -> str:
    """Return how a Modelfile begins: the header as comments, and `FROM base`."""
    lines = [line for text in header_lines for line in comment(text)]
    return "\n".join([*lines, f"FROM {_value(base, 'FROM')}", ""])


def parameter_line(name: str, value: str, reason: str = "") -> str:
    """Return a `PARAMETER` line, below its reason as a comment.

    Raises RenderError naming a parameter whose name or value the parser would not give back.
    """
    if not _NAME.fullmatch(name) or name.lower() in _COMMANDS:
        raise RenderError(f"`{name}` is not the name of a Modelfile parameter")
    lines = comment(reason) if reason else []
    return "\n".join([*lines, f"PARAMETER {name} {_value(value, name)}", ""])


@lru_cache(maxsize=1024)
def _value(value: str, where: str) -> str:
    """Return the plainest spelling of `value` that the parser reads back."""
    for text in (value, f'"{value}"', _TRIPLE + value + _TRIPLE):
        if _read(text) == value:
            return text
    raise RenderError(
        f"a Modelfile cannot carry the value of `{where}`",
        hint="remove control characters and quotes at the end of a line",
    )


def _read(text: str) -> str | None:
    """Return what the parser makes of `text`, None if it ends early, late or loses something."""
    if not is_printable(text):
        return None
    breaks = (match.start() for match in _BREAK.finditer(text))
    if any(_unquoted(text[:end].strip(_SPACES)) is not None for end in breaks):
        return None
    return _unquoted(text.strip(_SPACES)) if text else None


def is_printable(text: str) -> bool:
    """Whether the parser drops nothing of a text, like U+00A0, U+200B and what else is not seen."""
    return all(character.isprintable() or character in _SPACES for character in text)


def _unquoted(text: str) -> str | None:
    """Return `text` without its quotes, None while they are still open (`unquote` in parser.go)."""
    for quotes in (_TRIPLE, '"'):
        if text.startswith(quotes):
            closed = len(text) >= 2 * len(quotes) and text.endswith(quotes)
            return text[len(quotes) : -len(quotes)] if closed else None
    return text
