"""Write one file of the user's: whole or not at all, and over nothing that was not read."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from generator.errors import WriteRefused
from generator.files.lock import failing


def rewrite(path: Path, old: str, new: str) -> None:
    """Replace the text of `path`, which must still be `old`, by `new`; mode and owner stay.

    A symbolic link is followed: the file behind it changes. Raises WriteRefused when the file is
    not what was read any more, EnvironmentFailure when the machine fails; then it is as it was.
    """
    real = Path(os.path.realpath(path))
    with failing("write", path):
        if real.read_bytes() != old.encode():
            raise WriteRefused(f"`{path}` has changed meanwhile", hint="check it again")
        status = real.stat()
        _replace(real, new.encode(), stat.S_IMODE(status.st_mode), owner=status)


def create(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write a new file, whole or not at all; with `force` one that is there is replaced.

    Raises WriteRefused for a file that is there, EnvironmentFailure when the machine fails.
    """
    with failing("write", path):
        if path.is_dir():
            raise WriteRefused(f"`{path}` is a directory", hint="name a file")
        if force:
            _replace(Path(os.path.realpath(path)), data)
            return
        try:
            write_new(path, data)
        except FileExistsError as error:
            message = f"`{path}` is there already"
            raise WriteRefused(message, hint="--force replaces it") from error


def _replace(
    path: Path, data: bytes, mode: int = 0o666, owner: os.stat_result | None = None
) -> None:
    staged = sibling(path)
    write_new(staged, data, mode, owner)
    try:
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


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
