"""How values of an engine's chart are recognised."""

from __future__ import annotations

from typing import Final

from generator.engines import ENGINES, load_signs
from generator.readers.signs import Signs

_CHARTS: Final = "|".join(ENGINES)
_PREFIXES: Final = "|".join(prefix for name in ENGINES for prefix in load_signs(name).prefixes)

SIGNS: Final = Signs(
    maybe=frozenset({".yaml", ".yml"}),
    content=rf"(?m)^(?:{_CHARTS}):(?:\s*\{{|(?:\s*#.*)?\n(?:\s*(?:#.*)?\n)*\s+\w+:)",
    # Other charts have `extraEnv` as well, so that somebody has to name the file.
    hinted=rf"(?m)^extraEnv:[\s\S]*\b(?:{_PREFIXES})",
)
