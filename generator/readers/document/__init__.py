"""Markdown and plain text: how they are recognised. Only somebody who names one has it judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from generator.readers.script import SCRIPT
from generator.readers.signs import Signs

SIGNS: Final = Signs(
    named=frozenset({".md", ".markdown", ".mdx", ".rst", ".adoc", ".org"}),
    # A fence, or a sentence: it begins with a capital letter and has three words and no `=`.
    content=r"(?m)^ {0,3}(?:```|~~~)|^[A-Z][\w'’,-]* [^\s=:]+ [^=\n]*$",
    never=r"\A#!",
)
DOCUMENT: Final = replace(SCRIPT, kind="document")
