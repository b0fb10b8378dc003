"""What psutil reports of the machine that this runs on; a captured one is read from its files."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from generator.detect.detected import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")


def memory() -> Memory | None:
    """Return what there is, what is free for new work, and the swap; None: unknown."""
    found = _ask(lambda psutil: (psutil.virtual_memory(), psutil.swap_memory().total))
    if found is None:
        return None
    now, swap = found
    return Memory(now.total, min(now.available, now.total), swap)


def cpus() -> tuple[int, int]:
    """Return the physical cores and the hardware threads; 0: unknown."""
    found = _ask(lambda psutil: (psutil.cpu_count(logical=False), psutil.cpu_count()))
    cores, threads = found or (None, None)
    return cores or 0, threads or 0


def disk_of(directory: str) -> str:
    """Return the name of the device that is mounted where a directory is, like `sda2`.

    Empty: none is, or it is unknown.
    """
    mounts = _ask(lambda psutil: {m.mountpoint: m.device for m in psutil.disk_partitions()}) or {}
    above = (at for at in mounts if Path(directory).is_relative_to(at))
    device = Path(mounts.get(max(above, key=len, default=""), ""))
    return device.resolve().name if device.is_relative_to("/dev") else ""


def _ask(question: Callable[[Any], Answer]) -> Answer | None:
    """Return psutil's answer; it fails where a container hides a part of /proc."""
    try:
        import psutil

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of numbers that nobody here looks at
            return question(psutil)
    except (ImportError, LookupError, OSError, RuntimeError, ValueError):
        return None
