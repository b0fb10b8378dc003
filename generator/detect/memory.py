"""Memory, as the kernel tells it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.detect import live
from generator.detect.detected import Memory

if TYPE_CHECKING:
    from generator.detect.root import Root

_FILE: Final = "/proc/meminfo"


def read_memory(root: Root) -> Memory:
    """Return what there is, what is free for new work, and the swap."""
    if root.live and (found := live.memory()):
        return found
    text = root.text(_FILE)
    total = _bytes(text, "MemTotal")
    if total == 0:
        root.warn(_FILE, "tells of no memory")
    return Memory(total, min(_bytes(text, "MemAvailable"), total), _bytes(text, "SwapTotal"))


def _bytes(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d{{1,15}}) kB$", text, re.MULTILINE | re.ASCII)
    return int(found[1]) * 1024 if found else 0
