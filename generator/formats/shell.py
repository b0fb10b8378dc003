"""Words of POSIX shell scripts."""

from __future__ import annotations

import shlex

from generator.formats.text import refuse_nul


def quote(word: str, where: str = "a shell word") -> str:
    """Return `word` as one word of a POSIX shell; RenderError naming `where` for NUL."""
    return shlex.quote(refuse_nul(word, where))
