r"""Configurations of HAProxy: sections of lines of words.

Source: configuration.txt of 2.6 and 3.0, 2.2 "Quoting and escaping".

A word ends at a space; outside of quotes `#` begins a comment, and in double quotes `$` a variable.
Nothing has a meaning between single quotes, and no line can hold a line break.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.errors import RenderError
from generator.formats.text import comment, refuse_nul
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BARE: Final = re.compile(r"[A-Za-z0-9_./:@%+,=?*~(){}\[\]!^|&-]+")
_BREAKS: Final = re.compile(r"[\r\n]")
_WORDS_MAX: Final = 64  # MAX_LINE_ARGS of HAProxy
_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]+")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a section: its words as HAProxy is to read them, and why it is there."""

    words: tuple[str | Variable, ...]
    comment: str | tuple[str, ...] = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """A word with an environment variable before it: `"${NAME}/rest"`."""

    name: str
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section, as `backend ollama`, with its lines, in order."""

    keyword: str
    name: str
    lines: Sequence[Line]


def line(*words: str | Variable, why: str | tuple[str, ...] = "") -> Line:
    """Return a line of words."""
    return Line(words, why)


def to_haproxy(header: Iterable[str], sections: Iterable[Section]) -> str:
    """Return a configuration. Raises RenderError for a word that no line can hold."""
    head = [each for text in header for each in comment(text)]
    blocks = [head, *(list(_section(section)) for section in sections)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def word(text: str) -> str:
    """Return one word that HAProxy reads as `text`; RenderError for what no line can hold."""
    if _BREAKS.search(refuse_nul(text, "a word of haproxy.cfg")):
        raise RenderError(f"`{text!r}` has a line break in it, which haproxy.cfg cannot hold")
    if _BARE.fullmatch(text):
        return text
    return "'" + text.replace("'", r"'\''") + "'"


def name_of(text: str) -> str:
    """Return a name of a section or server; RenderError where HAProxy would not take it."""
    if not _NAME.fullmatch(text):
        raise RenderError(f"`{text}` is no name for HAProxy", hint="use letters, digits and `_.:-`")
    return text


def _section(section: Section) -> Iterator[str]:
    yield f"{section.keyword} {name_of(section.name)}" if section.name else section.keyword
    for each in section.lines:
        yield from comment(each.comment, "    # ")
        if len(each.words) >= _WORDS_MAX:
            raise RenderError(f"a line of `{section.keyword}` has more words than HAProxy reads")
        yield "    " + " ".join(map(_written, each.words))


def _written(part: str | Variable) -> str:
    if isinstance(part, str):
        return word(part)
    if not re.fullmatch(r"[A-Za-z0-9_./-]*", part.rest):
        raise RenderError(f"`{part.rest}` cannot stand behind a variable in haproxy.cfg")
    return f'"${{{part.name}}}{part.rest}"'
