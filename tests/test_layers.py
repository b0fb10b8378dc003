"""Who may import whom. Lazy and TYPE_CHECKING imports count."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from generator.engines import ENGINES

ROOT = Path(__file__).parent.parent / "generator"

# Room: (rooms it may import, third parties it may import).
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "errors": (set(), set()),
    "units": (set(), set()),
    "meaning": (set(), set()),
    "records": (set(), set()),
    "redact": (set(), set()),
    *(("targets", name) for name in ("base", "bundle", "cache", "container", "docker", "pod")),
    *(("targets", name) for name in ("refusals", "unit")),
