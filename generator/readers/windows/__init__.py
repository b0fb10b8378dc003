"""Scripts of PowerShell and cmd: how they are recognised, and what they call things."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from generator.readers.script import SCRIPT
from generator.readers.signs import Signs
from generator.view import Phrases

_SUFFIXES: Final = frozenset({".ps1", ".psm1", ".bat", ".cmd"})
# Windows takes a name in any case, and START.BAT is a habit of decades.
SIGNS: Final = Signs(sure=_SUFFIXES | {suffix.upper() for suffix in _SUFFIXES})
WINDOWS: Final = Phrases(
    kind="windows",
    empty_is_none=True,
    read_by="every program of that user reads it, and the script goes to version control",
    keep_in="a file outside version control",
)
RUN: Final = replace(SCRIPT, kind="windows", keep_in="a file that `--env-file` names")
"""Of a container that a script runs."""
