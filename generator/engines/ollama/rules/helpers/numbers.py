"""Digits that a text can only mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.units import parse_size

if TYPE_CHECKING:
    from generator.catalogue.records import Variable as Fact


def _is_uint64(word: str) -> bool:
    return word.isascii() and word.isdigit() and int(word) < 2**64


def digits_of(word: str, fact: Fact) -> str:
    """Return the digits that a text can only mean: `2G` bytes, `4.0`, `8_192`; else nothing."""
    plain = re.sub(r"(?<=\d)[_,' ](?=\d{3}(?!\d))", "", word)
    plain = re.sub(r"\.0+$", "", plain)
    if _is_uint64(plain):
        return plain
    if fact.kind != "bytes":
        return ""
    try:
        return str(parse_size(word.upper().replace("IB", "iB")))
    except ValueError:
        return ""
