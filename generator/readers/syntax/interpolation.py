"""`$VAR` and `${VAR:-default}` in a Compose file, as compose-go's template package reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Lookup = Callable[[str], str | None]

LONGEST: Final = 1024 * 1024
_VARIABLE: Final = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<named>[_a-z][_a-z0-9]*)"
    r"|\{(?:(?P<braced>[_a-z][_a-z0-9]*(?::?[-+?].*)?)\}|(?P<invalid>)))",
    re.IGNORECASE,
)
_PARTS: Final = re.compile(
    r"(?P<name>[_a-z][_a-z0-9]*)(?:(?P<operator>:?[-+?])(?P<word>.*))?", re.IGNORECASE
)


def substitute(text: str, lookup: Lookup) -> str | None:
    """Return `text` with its variables replaced by what `lookup` says.

    None: it depends on a variable without a value; Compose would ask the shell. Raises
    ValueError, `what; what to do`, where Compose refuses the text.
    """
    parts: list[str] = []
    size = at = 0
    explicit = True
    while match := _VARIABLE.search(text, at):
        found, end = _replaced(match, lookup)
        explicit = explicit and found is not None
        parts += [text[at : match.start()], found or ""]
        size += len(found or "")
        at = end
        if size > LONGEST:
            raise ValueError("grows beyond a megabyte; use fewer variables in it")
    return "".join([*parts, text[at:]]) if explicit else None


def _replaced(match: re.Match[str], lookup: Lookup) -> tuple[str | None, int]:
    """Return the replacement of one variable, and where the text goes on."""
    if match["escaped"]:
        return "$", match.end()
    if match["named"]:
        return lookup(match["named"]), match.end()
    if match["braced"] is None:
        raise ValueError(
            f"`{match.string[match.start() :][:20]}` is no variable; write `$$` for a dollar sign"
        )
    closing = _closing(match[0])
    inner = match[0][2:closing]
    parts = _PARTS.fullmatch(inner)
    if parts is None:
        raise ValueError(f"`${{{inner[:20]}}}` is no variable; write `$$` for a dollar sign")
    return _value(parts, lookup), match.start() + closing + 1


def _closing(text: str) -> int:
    """Return where the brace that the text opens is closed, by its count; else its last brace."""
    depth, at = 0, 1
    while at < len(text):
        if text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        if text[at] == "{":
            depth += 1
            at += 1  # compose-go counts no brace right behind another
        at += 1
    return len(text) - 1


def _value(parts: re.Match[str], lookup: Lookup) -> str | None:
    """Return what `NAME`, `NAME:-word`, `NAME?word` or `NAME+word` stands for."""
    value = lookup(parts["name"])
    operator, word = parts["operator"] or "", parts["word"] or ""
    missing = value is None or (operator.startswith(":") and not value)
    match operator[-1:]:
        case "-":
            return substitute(word, lookup) if missing else value
        case "+":
            return "" if missing else substitute(word, lookup)
        case "?":
            return None if missing else value
        case _:
            return value
