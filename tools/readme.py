"""The README: what stands between its fences."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).parent.parent / "README.md"
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OVERRIDE: Final = """\
[Service]
Environment=OLLAMA_NUM_THREADS=20
Environment=OLLAMA_KEEP_ALIVE=1d
CPUWeight=200
MemoryMax=20GiB
"""
"""The drop-in that the README has `gen check` judge, and what stands in its place in a test."""


def fences(language: str) -> list[str]:
    """Return the texts between fences of a language, in order; `` are those without one."""
    found = _FENCE.findall(FILE.read_text(encoding="utf-8"))
    return [text for named, text in found if named == language]


def profile() -> str:
    """Return the host that the README is about."""
    return fences("toml")[0]
