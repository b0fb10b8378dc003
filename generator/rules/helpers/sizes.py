"""Sizes for prose."""

from __future__ import annotations

from typing import Final

MIB: Final = 2**20

GIB: Final = 2**30


def gib(size: int) -> str:
    """Return a size for prose, rounded: `13.3 GiB`."""
    return f"{round(size / GIB, 1):g} GiB"
