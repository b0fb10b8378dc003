"""Write one file of the user's: whole or not at all, and over nothing that was not read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.errors import HostwrightError, WriteRefused
from generator.files.backup import back_up, now
from generator.files.fresh import sibling, write_new
from generator.files.lock import failing
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANOTHER: Final = "name another file"


@dataclass(frozen=True, slots=True)
class Rewritten:
    """`kept` is where each file is as it was, `failed` why others are still what they were."""

    kept: Mapping[str, Path]
    failed: tuple[HostwrightError, ...] = ()


def rewrite_all(files: Mapping[str, tuple[str, str]], otherwise: str = "") -> Rewritten:
    """Replace the text of each file, the old one by the new one, as `rewrite` does.

    What can be seen to stand in the way of one is looked for before the first is written: then
    none is. What fails all the same stops no other.
    """
    failed: list[HostwrightError] = []
    for name, (old, _) in files.items():
        try:
            _look(Path(name), old, otherwise)
        except HostwrightError as error:
            failed.append(error)
    kept: dict[str, Path] = {}
    for name, (old, new) in files.items() if not failed else ():
        try:
            kept[name] = rewrite(Path(name), old, new, otherwise)
        except HostwrightError as error:
            failed.append(error)
    return Rewritten(kept, tuple(failed))


def rewrite(path: Path, old: str, new: str, otherwise: str = "") -> Path:
    """Replace the text of `path`, which must still be `old`, by `new`; mode and owner stay.

    A symbolic link is followed: the file behind it changes. Returns where it is kept as it was.
    Raises WriteRefused when the file is not what was read any more, EnvironmentFailure when the
    machine fails, with what there is to do `otherwise`; then it is as it was.
    """
    real = _look(path, old, otherwise)
    with failing("write", path, otherwise):
        status = real.stat()
        kept = back_up(real, now())
        _replace(real, new.encode(), stat.S_IMODE(status.st_mode), owner=status, kept=kept)
    return kept


def _look(path: Path, old: str, otherwise: str) -> Path:
    """Return the file behind a path, which can be replaced as far as it shows. Raises as above."""
    real = Path(os.path.realpath(path))
    with failing("write", path, otherwise):
        if real.read_bytes() != old.encode():
            raise WriteRefused(f"`{path}` has changed meanwhile", hint="check it again")
        if not os.access(real.parent, os.W_OK | os.X_OK):
            fixed = os.statvfs(real.parent).f_flag & os.ST_RDONLY
            reason = errno.EROFS if fixed else errno.EACCES
            raise OSError(reason, os.strerror(reason))
    return real


def create(path: Path, data: bytes, *, force: bool = False, ours: bool = False) -> Path | None:
    """Write a new file, whole or not at all; with `force` one that is there is replaced.

    Returns where that is kept as it was: of one that is `ours`, which can be made again, nothing
    is. Raises WriteRefused for a file that is there, EnvironmentFailure when the machine fails.
    """
    with failing("write", path, _ANOTHER):
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
