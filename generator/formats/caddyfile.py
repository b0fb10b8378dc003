r"""Caddyfiles: blocks of lines of tokens.

Source: caddyserver.com/docs/caddyfile/concepts; caddyconfig/caddyfile/lexer.go@v2.6.2. A token ends
at a space; all stands for itself between backquotes, and all but `"` between double quotes.
`{$NAME}` is replaced in the whole file before that, and `{name}` in many values when a request
comes: neither can be escaped, so that no token has a brace in it but as a Placeholder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.errors import RenderError
from generator.formats.text import comment, refuse_nul
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BARE: Final = re.compile(r"[A-Za-z0-9_./:@%+,=?*~()!^|&<>-][A-Za-z0-9_./:@%+,=?*~()!^|&<>#-]*")
_NEVER: Final = re.compile(r"[\r\n{}]")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A token as Caddy is to read it, with what it replaces: `{path}`, `{$NAME}/keys`."""

    text: str


@dataclass(frozen=True, slots=True)
class Body:
    """A text that is answered: JSON, which has braces, of this program alone."""

    text: str


Token = str | Placeholder | Body


@dataclass(frozen=True, slots=True)
class Directive:
    """A line of tokens with the lines of its block (None: it has none), and why it is there."""

    words: tuple[Token, ...]
    block: Sequence[Directive] | None = None
    why: str | tuple[str, ...] = ""


def directive(
    *words: Token, block: Sequence[Directive] | None = None, why: str | tuple[str, ...] = ""
) -> Directive:
    """Return a line of tokens, or with a block."""
    return Directive(words, block, why)


def to_caddyfile(header: Iterable[str], sites: Iterable[Directive]) -> str:
    """Return a Caddyfile. Raises RenderError for a token that it cannot hold."""
    head = [line for text in header for line in comment(text)]
    blocks = [head, *(list(_lines(site, "")) for site in sites)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def token(text: str) -> str:
    """Return one token that Caddy reads as `text`; RenderError for what it would change."""
    if _NEVER.search(refuse_nul(text, "a token of the Caddyfile")):
        raise RenderError(f"{text!r} has a brace or a line break in it, which a Caddyfile changes")
    if _BARE.fullmatch(text):
        return text
    if "`" not in text:
        return f"`{text}`"
    if "\\" in text:
        raise RenderError(f"`{text!r}` has a backquote and a backslash, which no quotes hold")
    return '"' + text.replace('"', r"\"") + '"'


def _lines(one: Directive, pad: str) -> Iterator[str]:
    yield from comment(one.why, f"{pad}# ")
    words = " ".join(map(_written, one.words))
    if one.block is None:
        yield f"{pad}{words}"
        return
    yield f"{pad}{words} {{" if words else f"{pad}{{"
    for inner in one.block:
        yield from _lines(inner, f"{pad}\t")
    yield f"{pad}}}"


def _written(one: Token) -> str:
    if isinstance(one, Body):
        return f"`{one.text}`"
    return one.text if isinstance(one, Placeholder) else token(one)
