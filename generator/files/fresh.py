"""A new file beside the place that it is for, on disk before it has its name."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def sibling(path: Path) -> Path:
    """Return the path at which what shall replace the file at `path` is staged."""
    return path.with_name(f".{path.name}.hostwright-{secrets.token_hex(4)}")


def write_new(
    path: Path, data: bytes, mode: int = 0o666, owner: os.stat_result | None = None
) -> None:
    """Write a file that must not be there yet, on disk when this returns; no part of it stays.

    The umask applies to `mode`, but not where the file gets an `owner`, as far as this user may
    give it away.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(fd, "wb") as stream:
            if owner is not None:
                with suppress(PermissionError):
                    os.fchown(fd, owner.st_uid, owner.st_gid)
                os.fchmod(fd, mode)
            stream.write(data)
            stream.flush()
            os.fsync(fd)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
