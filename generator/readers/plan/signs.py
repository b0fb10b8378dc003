"""How plans are recognised."""

from __future__ import annotations

from typing import Final

from generator.readers.signs import Signs, anyone

SIGNS: Final = Signs(
    maybe=frozenset({".json"}),
    # The manifest of a bundle begins with its version and files, and is read by nobody else.
    content=r"(?s)\A\s*\{(?!\s*\"schema_version\"\s*:\s*\d+,\s*\"files\"\s*:).*\"schema_version\"\s*:",
    ours=anyone,
)
