"""Failures of the machine in words, and the lock that keeps two writers apart."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from generator.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE = 10.0  # seconds for another writer; a write takes milliseconds
BY_OPTION: Final = "choose another directory with `-o`"
"""What else there is to do where a command has that option."""
_NO_SPACE: Final = "free some space there"
_NO_ACCESS: Final = "run as a user who may do that there"
_HINTS: Final = {
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.EACCES: _NO_ACCESS,
    errno.EPERM: _NO_ACCESS,
    errno.EROFS: "mount it so that it can be written",
}


@contextmanager
def failing(verb: str, path: Path, otherwise: str = "") -> Iterator[None]:
    """Turn an OSError into an EnvironmentFailure that names `path` and the reason.

    `otherwise` is what the command has to offer beside mending the machine.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        hint = _HINTS.get(error.errno or 0, "")
        hint = f"{hint}, or {otherwise}" if hint and otherwise else hint
        raise EnvironmentFailure(f"cannot {verb} `{path}`: {reason}", hint=hint) from error


@contextmanager
def locked(root: Path) -> Iterator[bool]:
    """Keep other writers out; yields False where the file system has no locks.

    The lock is on the nearest existing folder above `root`, which itself may not be there yet.
    """
    while True:
        folder = _anchor(root)
        with _lock(folder) as held:
            # Another writer may have made a nearer folder while this one waited.
            if _anchor(root) == folder:
                yield held
                return


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    with ExitStack() as stack:
        held = False
        with suppress(OSError):  # NFS and unreadable folders: the last writer of a file wins
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, fd)
            _wait(fd, folder)
            held = True
        yield held


def _wait(fd: int, folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = f"another process holds a lock on `{folder}`"
                raise EnvironmentFailure(message, hint="wait for it, or end it") from None
            time.sleep(0.02)


def _anchor(root: Path) -> Path:
    return next((folder for folder in root.parents if folder.is_dir()), root)
