"""How NixOS modules are recognised."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.engines import ENGINES
from generator.readers.signs import Signs

if TYPE_CHECKING:
    from generator.readers.base import Source

FLAKE: Final = "flake.nix"
"""Puts modules together, and is none."""
_ENGINES: Final = "|".join(ENGINES)
_MODULE: Final = re.compile(
    rf"\b(?:services|oci-containers)\b[\s\S]*\b(?:{_ENGINES})\b"
    rf"|\b(?:{_ENGINES})\b[\s\S]*\bserviceConfig\b"
)


def _is_module(source: Source) -> bool:
    return PurePosixPath(source.path).name != FLAKE and bool(_MODULE.search(source.text))


SIGNS: Final = Signs(
    sure=frozenset({".nix"}),
    content=rf"(?m)\bservices\.(?:{_ENGINES})\b|\bservices\s*=\s*\{{|^\s*\{{[^}}]*\}}\s*:\s*$",
    ours=_is_module,
)
