"""Write one file of the user's: whole or not at all, and over nothing that was not read."""

from __future__ import annotations

import os
import secrets
import shutil
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
        staged = real.with_name(f".{real.name}.hostwright-{secrets.token_hex(4)}")
        try:
            _stage(staged, new, like=real)
            staged.replace(real)
        except BaseException:
            with suppress(OSError):
                staged.unlink()
            raise


def create(path: Path, data: bytes, *, force: bool = False) -> None:
    """Write a new file, whole or not at all; with `force` one that is there is replaced.

    Raises WriteRefused for a file that is there, EnvironmentFailure when the machine fails.
    """
    with failing("write", path):
        if path.is_dir():
            raise WriteRefused(f"`{path}` is a directory", hint="name a file")
        target = Path(os.path.realpath(path)) if force else path
        here = target.with_name(f".{target.name}.hostwright-{secrets.token_hex(4)}")
        try:
            _write_new(here if force else target, data)
        except FileExistsError as error:
            told = f"`{path}` is there already"
            raise WriteRefused(told, hint="--force replaces it") from error
        if force:
            here.replace(target)


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that must not be there yet; a half-written one does not stay."""
    with path.open("xb") as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise


def _stage(staged: Path, text: str, *, like: Path) -> None:
    with staged.open("xb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    shutil.copymode(like, staged)
    status = like.stat()
    # Only root may give a file away; anybody else owns it already, or could not keep the owner.
    if os.geteuid() == 0:
        os.chown(staged, status.st_uid, status.st_gid)
