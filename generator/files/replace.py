"""Put a set of files in place: each of them whole, and all of them or none.

A new directory is staged beside its place and renamed. In one that is there, each file is staged
beside its destination; then they are replaced one by one, and put back on any exception. A power
cut or SIGKILL in that moment can leave some files new and others old, with the old manifest and
`.<name>.hostwright-…` litter; the next write puts both right. At the very end it can leave the
empty folder of a removed file.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from generator.files.backup import back_up, now
from generator.files.fresh import sibling, write_new
from generator.files.lock import BY_OPTION, failing
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from generator.targets.base import File

_LITTER = re.compile(r"\.(.+)\.hostwright-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Work:
    """What to do below `root`: `steps` in order (`None`: no such file), `same` stays as it is.

    `lost` are those of which somebody's work is replaced, and which are backed up before.
    """

    root: Path
    steps: tuple[tuple[str, File | None], ...]
    same: tuple[str, ...]
    lost: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that is ours: before, after or both."""
        return tuple(self.root / path for path in (*(path for path, _ in self.steps), *self.same))


def sweep(work: Work) -> None:
    """Delete what killed runs of this user left beside and in `work.root`. Needs the lock."""
    top = _top(work.root)
    inside = _folders(work.root, work.paths)
    for folder in (top.parent, *inside):
        # Litter that cannot be read or deleted harms nobody; the write itself matters.
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                match = _LITTER.fullmatch(entry.name)
                if match is None or entry.stat(follow_symlinks=False).st_uid != os.geteuid():
                    continue
                # Other names and trees may belong to a writer that holds another lock.
                if entry.is_dir(follow_symlinks=False):
                    if folder / match[1] == top:
                        shutil.rmtree(entry.path, ignore_errors=True)
                elif folder in inside:
                    Path(entry.path).unlink()


def put(work: Work) -> dict[str, Path]:
    """Do `work`, and return where each file is kept that was somebody's.

    Raises EnvironmentFailure, or OSError for the directory as a whole; then nothing has changed.
    """
    if work.root.exists():
        return _replace_files(work)
    _create_tree(work)
    return {}


def _top(root: Path) -> Path:
    """The uppermost part of `root` that does not exist yet, or `root`."""
    return next((place for place in (*reversed(root.parents), root) if not place.exists()), root)


def _create_tree(work: Work) -> None:
    top = _top(work.root)
    stage = sibling(top)
    base = stage / work.root.relative_to(top)
    files = {base / path: file for path, file in work.steps if file}
    folders = sorted(_folders(stage, files))
    try:
        for folder in folders:
            folder.mkdir()
        for path, file in files.items():
            with failing("write", work.root / file.path, BY_OPTION):
                _create(path, file)
        for folder in folders:
            _sync(folder)
        stage.rename(top)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    with suppress(OSError):  # It has happened, so a failure undoes nothing.
        _sync(top.parent)


def _replace_files(work: Work) -> dict[str, Path]:
    """Replace file by file. Callbacks run backwards: first `undo`, then the litter goes."""
    folders = sorted(_folders(work.root, [work.root / path for path, file in work.steps if file]))
    with ExitStack() as litter, ExitStack() as undo:
        for folder in folders:
            if not folder.exists():
                litter.callback(_quietly, folder.rmdir)
                with failing("write", folder, BY_OPTION):
                    folder.mkdir()
        staged = [_stage(work.root / path, file, litter) for path, file in work.steps]
        time = now()
        kept = {path: _keep(work.root / path, time, undo) for path in work.lost}
        for (path, _), fresh in zip(work.steps, staged, strict=True):
            with failing("write", work.root / path, BY_OPTION):
                _replace(work.root, path, fresh, litter, undo)
        for folder in folders:
            _sync(folder)
        undo.pop_all()
    for folder in sorted(_folders(work.root, work.paths), reverse=True):
        _quietly(folder.rmdir)
    return kept


def _keep(target: Path, time: datetime, undo: ExitStack) -> Path:
    with failing("back up", target):
        kept = back_up(target, time)
    undo.callback(_quietly, kept.unlink)
    return kept


def _stage(target: Path, file: File | None, litter: ExitStack) -> Path | None:
    if file is None:
        return None
    fresh = sibling(target)
    litter.callback(_quietly, fresh.unlink)
    with failing("write", target, BY_OPTION):
        _create(fresh, file, target.stat() if target.exists() else None)
    return fresh


def _replace(root: Path, path: str, fresh: Path | None, litter: ExitStack, undo: ExitStack) -> None:
    """Put `fresh` at `path`, or remove that; `undo` is ready before anything happens.

    The backup lies in `root`, where `sweep` finds it when nothing else is left in its folder.
    """
    target = root / path
    if target.exists():
        backup = sibling(root / target.name)
        litter.callback(_quietly, backup.unlink)
        _back_up(target, backup)
        undo.callback(shutil.move, backup, target)
    elif fresh:
        undo.callback(target.unlink, missing_ok=True)
    if fresh:
        fresh.replace(target)
    else:
        target.unlink(missing_ok=True)


def _create(path: Path, file: File, old: os.stat_result | None = None) -> None:
    """Create `path`; what lies in its place now lends its owner and mode."""
    mode = 0o755 if file.executable else 0o644
    if old:
        bits = stat.S_IMODE(old.st_mode) & 0o666
        mode = bits | (bits & 0o444) >> 2 if file.executable else bits
    write_new(path, file.text.encode(), mode, owner=old)


def _back_up(old: Path, new: Path) -> None:
    """Give the file at `old` a second name, so that even its inode stays; else copy it."""
    try:
        new.hardlink_to(old)
    except OSError:  # no hard links here, or a file of somebody else
        shutil.copy2(old, new)
        _sync(new)


def _folders(root: Path, files: Iterable[Path]) -> set[Path]:
    """`root` and each folder between it and `files`."""
    return {root} | {up for file in files for up in file.parents if up.is_relative_to(root)}


def _quietly(act: Callable[[], object]) -> None:
    """Remove litter, or an empty folder: it may be gone or in use; the next sweep looks again."""
    with suppress(OSError):
        act()


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # not for directories, says FUSE
            raise
    finally:
        os.close(fd)
