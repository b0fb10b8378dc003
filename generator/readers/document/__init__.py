"""Markdown and plain text: how they are recognised."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.document.fences import fences
from generator.readers.script import SCRIPT
from generator.readers.signs import Signs, names_an_engine

if TYPE_CHECKING:
    from generator.readers.base import Source


def _shows(source: Source) -> bool:
    """Whether a fence is about an engine; prose is no configuration."""
    return any(names_an_engine(f.text) and not f.mistake for f in fences(source.text))


SIGNS: Final = Signs(
    named=frozenset({".md", ".markdown", ".mdx", ".rst", ".adoc", ".org"}),
    # A fence, or a sentence: it begins with a capital letter and has three words and no `=`.
    content=r"(?m)^ {0,3}(?:```|~~~)|^[A-Z][\w'’,-]* [^\s=:]+ [^=\n]*$",
    never=r"\A#!",
    ours=_shows,
)
DOCUMENT: Final = replace(SCRIPT, kind="document")
