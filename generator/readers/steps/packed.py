"""Texts that cloud-init unpacks before it writes them: base64, gzip, or both."""

from __future__ import annotations

import base64
import zlib
from typing import Final

MOST: Final = 2**20
"""Bytes that a text may become; what is longer sets nothing."""
_GZIP: Final = 31  # zlib: the header of gzip
_BASE64: Final = frozenset({"b64", "base64"})
_ZIPPED: Final = frozenset({"gz", "gzip"})
PLAIN: Final = frozenset({"", "text/plain"})


def unpacked(text: str, encoding: str) -> str | None:
    """Return what `encoding` makes of a text; None: nobody can tell, or it is too long."""
    ways = set(encoding.split("+"))
    if not ways & _BASE64 or not ways <= _BASE64 | _ZIPPED or len(text) > 2 * MOST:
        return None
    try:
        raw = base64.b64decode(text)
        if ways & _ZIPPED:
            raw = zlib.decompressobj(_GZIP).decompress(raw, MOST + 1)
        return None if len(raw) > MOST else raw.decode("utf-8")
    except (ValueError, zlib.error):
        return None
