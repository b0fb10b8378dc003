"""Keep a file before something else takes its place, and put it back.

A backup lies beside its file, `NAME.before-20261130T153501Z`: an ending that systemd, quadlets,
Kubernetes, Nix and `gen check` all pass over. It has the bytes, the mode and the owner of the file.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.errors import WriteRefused
from generator.files.fresh import sibling, write_new
from generator.files.lock import failing, locked
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STAMP: Final = "%Y%m%dT%H%M%SZ"
_NAME: Final = re.compile(r"(.+)\.before-(\d{8}T\d{6}Z)(?:-\d+)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Backup:
    """`kept` is what `file` was until `time`."""

    file: Path
    kept: Path
    time: datetime

    @property
    def stamp(self) -> str:
        """The time as the name of a backup has it."""
        return stamp(self.time)


@dataclass(frozen=True, slots=True)
class Found:
    """Backups, the newest first, and the folders that could not be read."""

    backups: tuple[Backup, ...]
    unread: tuple[Path, ...] = ()


def now() -> datetime:
    """Return the time, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def stamp(time: datetime) -> str:
    """Return a time as names of backups have it."""
    return time.strftime(_STAMP)


def back_up(file: Path, time: datetime) -> Path:
    """Keep a regular file as it is, and return where. Nothing that is there is replaced.

    Raises OSError.
    """
    for number in count(1):
        more = f"-{number}" if number > 1 else ""
        kept = file.with_name(f"{file.name}.before-{stamp(time)}{more}")
        try:
            _copy(file, kept)
        except FileExistsError:
            if kept.is_symlink() or not kept.is_file() or kept.read_bytes() != file.read_bytes():
                continue
        return kept
    raise AssertionError  # numbers do not end


def _copy(file: Path, kept: Path) -> None:
    """Give the file a second name; what replaces it has another inode. Or else copy it."""
    try:
        kept.hardlink_to(file)
    except FileExistsError:
        raise
    except OSError:  # no hard links here, or a file of somebody else
        status = file.stat()
        staged = sibling(kept)
        write_new(staged, file.read_bytes(), stat.S_IMODE(status.st_mode), owner=status)
        try:
            if os.path.lexists(kept):
                raise FileExistsError(kept) from None
            staged.rename(kept)
        finally:
            staged.unlink(missing_ok=True)


def find(place: Path) -> Found:
    """Return the backups below a directory, or those of one file. Links are not followed."""
    if not place.is_dir():
        beside = _in(place.parent, [entry.name for entry in _listed(place.parent)])
        mine = (each for each in beside if place.name in {each.file.name, each.kept.name})
        return Found(_ordered(mine))
    unread: list[Path] = []
    found: list[Backup] = []
    for folder, folders, names in os.walk(place, onerror=lambda e: unread.append(Path(e.filename))):
        folders[:] = [name for name in folders if name != ".git"]
        found += _in(Path(folder), names)
    return Found(_ordered(found), tuple(unread))


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    with failing("read", folder), os.scandir(folder) as entries:
        return list(entries)


def _in(folder: Path, names: Sequence[str]) -> Iterator[Backup]:
    for name in names:
        match = _NAME.fullmatch(name)
        kept = folder / name
        if match is None or not stat.S_ISREG(kept.lstat().st_mode):
            continue
        with suppress(ValueError):  # digits that are no time
            time = datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)
            yield Backup(folder / match[1], kept, time)


def _ordered(found: Iterator[Backup] | Sequence[Backup]) -> tuple[Backup, ...]:
    by_name = sorted(found, key=lambda each: str(each.kept))
    return tuple(sorted(by_name, key=lambda each: each.time, reverse=True))


def changes(backups: Sequence[Backup]) -> tuple[Backup, ...]:
    """Return those whose file is another now, or gone.

    Raises WriteRefused where something is in the way that is no file, or a file has several of the
    same time; EnvironmentFailure for what cannot be read.
    """
    wrong = [f"`{each.file}`" for each in backups if not _may_be_put(each.file)]
    if wrong:
        raise WriteRefused(
            f"what is at {', '.join(wrong)} is no regular file", hint="move it away first"
        )
    if len({each.file for each in backups}) < len(backups):
        raise WriteRefused("several backups are of the same file", hint="name one of them")
    return tuple(each for each in backups if not _same(each))


def _may_be_put(file: Path) -> bool:
    return not os.path.lexists(file) or stat.S_ISREG(file.lstat().st_mode)


def _same(backup: Backup) -> bool:
    with failing("read", backup.file):
        if not backup.file.exists():
            return False
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (backup.file, backup.kept)}
        return len(modes) == 1 and backup.file.read_bytes() == backup.kept.read_bytes()


def put_back(backups: Sequence[Backup]) -> tuple[Path, ...]:
    """Put files back, all or none; what is in their place is backed up, and returned as kept.

    The backups stay. Raises as `changes` does; then nothing has changed.
    """
    changed = changes(backups)
    if not changed:
        return ()
    with ExitStack() as litter, ExitStack() as undo, locked(changed[0].file):
        staged = [_stage(each, litter) for each in changed]
        time, kept = now(), list[Path]()
        for each in changed:
            with failing("back up", each.file):
                if each.file.exists():
                    kept.append(back_up(each.file, time))
                    undo.callback(kept[-1].unlink)
        for each, fresh in zip(changed, staged, strict=True):
            with failing("write", each.file):
                fresh.replace(each.file)
            undo.pop_all()  # From now on what was kept is needed.
        return tuple(kept)


def _stage(backup: Backup, litter: ExitStack) -> Path:
    fresh = sibling(backup.file)
    litter.callback(fresh.unlink, missing_ok=True)
    with failing("write", backup.file):
        status = backup.kept.stat()
        data = backup.kept.read_bytes()
        write_new(fresh, data, stat.S_IMODE(status.st_mode), owner=status)
    return fresh
