"""The page cache of this machine: what of a file it holds, and how to have it let go."""

from __future__ import annotations

import ctypes
import mmap
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def drop(paths: Sequence[Path]) -> None:
    """Ask the kernel to forget the pages of some files. Raises OSError where one cannot be read."""
    for path in paths:
        with path.open("rb", buffering=0) as file:
            # Pages that were written and are not on disk yet would stay.
            os.fdatasync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def held(paths: Sequence[Path]) -> int:
    """Return what percent of some files is in the page cache; -1: the kernel does not tell.

    It tells those who may write a file, or own it: to others every page seems to be there.
    """
    pages = there = 0
    for path in paths:
        if not (os.access(path, os.W_OK) or path.stat().st_uid == os.geteuid()):
            return -1
        found = _pages(path)
        pages, there = pages + len(found), there + sum(page & 1 for page in found)
    return round(100 * there / pages) if pages else -1


def _pages(path: Path) -> bytes:
    """Return a byte for each page of a file. Raises OSError."""
    size = path.stat().st_size
    if not size:
        return b""
    found = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY) as map_:
        start = ctypes.c_char.from_buffer(map_)
        call = ctypes.CDLL(None, use_errno=True).mincore
        call.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
        failed = call(ctypes.addressof(start), size, found)
        del start  # a map that something points into cannot be closed
        if failed:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
    return bytes(found)
