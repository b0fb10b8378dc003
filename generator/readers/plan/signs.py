"""How plans are recognised."""

from __future__ import annotations

from typing import Final

from generator.readers.signs import Signs, anyone

SIGNS: Final = Signs(
    maybe=frozenset({".json"}),
    content=r"(?s)\A\s*\{.*\"schema_version\"\s*:",
    ours=anyone,
)
