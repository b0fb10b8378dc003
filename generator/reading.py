"""Read a file that somebody names: a regular one, and no more of it than anybody writes."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from generator.errors import HostwrightError

if TYPE_CHECKING:
    from pathlib import Path

LARGEST: Final = 5 * 2**20
# Opening a FIFO or a device must not wait for the other end of it.
_OPEN: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def read_regular(path: Path, most: int = LARGEST) -> bytes:
    """Return what a file holds.

    Raises HostwrightError for a pipe, a device and what has more than `most` bytes, OSError for
    what cannot be read.
    """
    with open(path, "rb", opener=lambda name, _: os.open(name, _OPEN)) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            message = f"`{path}` is no regular file, and might never end"
            raise HostwrightError(message, hint="name a file, or `-` for standard input")
        data = stream.read(most + 1)
    if len(data) > most:
        message = f"`{path}` has more than {most // 2**20} MiB"
        raise HostwrightError(message, hint="name the file that was meant")
    return data
