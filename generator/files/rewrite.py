"""Write one file of the user's: whole or not at all, and over nothing that was not read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from generator.errors import WriteRefused
from generator.files.backup import back_up, now
from generator.files.fresh import sibling, write_new
from generator.files.lock import failing


def rewrite(path: Path, old: str, new: str) -> Path:
    """Replace the text of `path`, which must still be `old`, by `new`; mode and owner stay.

    A symbolic link is followed: the file behind it changes. Returns where it is kept as it was.
    Raises WriteRefused when the file is not what was read any more, EnvironmentFailure when the
    machine fails; then it is as it was.
    """
    real = Path(os.path.realpath(path))
    with failing("write", path):
        if real.read_bytes() != old.encode():
            raise WriteRefused(f"`{path}` has changed meanwhile", hint="check it again")
        status = real.stat()
        kept = back_up(real, now())
        _replace(real, new.encode(), stat.S_IMODE(status.st_mode), owner=status, kept=kept)
    return kept


def create(path: Path, data: bytes, *, force: bool = False, ours: bool = False) -> Path | None:
    """Write a new file, whole or not at all; with `force` one that is there is replaced.

    Returns where that is kept as it was: of one that is `ours`, which can be made again, nothing
    is. Raises WriteRefused for a file that is there, EnvironmentFailure when the machine fails.
    """
    with failing("write", path):
        if path.is_dir():
            raise WriteRefused(f"`{path}` is a directory", hint="name a file")
        if force:
            real = Path(os.path.realpath(path))
            kept = (
                None
                if ours or not real.is_file() or real.read_bytes() == data
                else back_up(real, now())
            )
            _replace(real, data, kept=kept)
            return kept
        try:
            write_new(path, data)
        except FileExistsError as error:
            message = f"`{path}` is there already"
            raise WriteRefused(message, hint="--force backs it up and replaces it") from error
    return None


def _replace(
    path: Path,
    data: bytes,
    mode: int = 0o666,
    owner: os.stat_result | None = None,
    *,
    kept: Path | None = None,
) -> None:
    """Replace a file; where that fails, `kept` is not needed any more."""
    staged = sibling(path)
    try:
        write_new(staged, data, mode, owner)
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        if kept is not None:
            kept.unlink(missing_ok=True)
        raise
