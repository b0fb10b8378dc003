"""Put a set of files in place so that a crash leaves the old set or the new one.

Three ways, in order of preference:

1. `root` does not exist: stage the tree beside it, one rename.
2. Everything in `root` is ours: stage a complete tree beside it, exchange the two in one step
   (`renameat2`, Linux), delete the old one.
3. Otherwise (`/etc/systemd/system`, the working directory, a mount point): stage each file beside
   its destination and replace them one by one, rolling back on any exception. A power cut or
   SIGKILL can leave some files new and others old, each of them whole, with the old manifest and
   `.<name>.hostwright-…` litter; the next write puts both right. At the very end it can leave
   the empty folder of a removed file.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import stat
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from generator.files.lock import failing
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.targets.base import File

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_LITTER = re.compile(r"\.(.+)\.hostwright-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Work:
    """What to do below `root`: `steps` in order (`None`: no such file), `same` stays as it is."""

    root: Path
    steps: tuple[tuple[str, File | None], ...]
    same: tuple[str, ...]

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


def put(work: Work, *, whole: bool) -> None:
    """Do `work`; `whole` allows to exchange the directory as such where all of it is ours.

    Raises EnvironmentFailure, or OSError for the directory as a whole; then nothing has changed.
    """
    if not work.root.exists():
        _create_tree(work)
    elif not (whole and _exchangeable(work) and _exchange_tree(work)):
        _replace_files(work)


def _top(root: Path) -> Path:
    """The uppermost part of `root` that does not exist yet, or `root`."""
    return next((place for place in (*reversed(root.parents), root) if not place.exists()), root)


def _create_tree(work: Work) -> None:
    top = _top(work.root)
    stage = _sibling(top)
    base = stage / work.root.relative_to(top)
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        _build(base, work)
        for folder in _folders(stage, [base]):
            _sync(folder)
        stage.rename(top)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    _settle(top.parent)


def _exchangeable(work: Work) -> bool:
    """Whether all below `work.root` is ours, and nobody would miss the directory itself."""
    files = set(work.paths)
    folders = _folders(work.root, files)
    with suppress(OSError):  # what cannot be read cannot be judged
        here = Path.cwd()
        return (
            work.root not in (here, *here.parents)
            and os.access(work.root.parent, os.W_OK | os.X_OK)
            and all(
                {Path(place, name) for name in names} <= files
                and {Path(place, name) for name in children} <= folders
                and _reproducible(Path(place))
                for place, children, names in os.walk(work.root, onerror=_raise)
            )
        )
    return False


def _reproducible(folder: Path) -> bool:
    """Whether this user can make a directory with the same owner, and delete this one."""
    status = folder.stat()
    groups = {os.getegid(), *os.getgroups()}
    return (
        status.st_uid == os.geteuid()
        and (status.st_gid in groups or status.st_uid == 0)
        and os.access(folder, os.W_OK | os.X_OK)
        and not os.path.ismount(folder)
    )


def _exchange_tree(work: Work) -> bool:
    """Exchange the tree, or return False with nothing changed."""
    stage = _sibling(work.root)
    try:
        _build(stage, work)
        # Asked again: staging took a while, and what is not ours would be deleted.
        if not (_exchangeable(work) and _exchange(stage, work.root)):
            return False
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    _settle(work.root.parent)
    return True


def _exchange(one: Path, two: Path) -> bool:
    """Exchange two paths in one step; False where system, file system or sandbox cannot."""
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):
        return False
    paths = _AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(two)
    return bool(renameat2(*paths, _RENAME_EXCHANGE) == 0)


def _build(base: Path, work: Work) -> None:
    """Lay the complete new tree at `base`, on disk when this returns."""
    files = {base / path: file for path, file in work.steps if file}
    same = {base / path: work.root / path for path in work.same}
    folders = sorted(_folders(base, [*files, *same]))
    for folder in folders:
        folder.mkdir()
    for path, file in files.items():
        with failing("write", work.root / file.path):
            _create(path, file, work.root / file.path)
    for path, old in same.items():
        _carry(old, path)
    for folder in reversed(folders):
        _resemble(folder, work.root / folder.relative_to(base))
        _sync(folder)


def _replace_files(work: Work) -> None:
    """Replace file by file. Callbacks run backwards: first `undo`, then the litter goes."""
    folders = sorted(_folders(work.root, [work.root / path for path, file in work.steps if file]))
    with ExitStack() as litter, ExitStack() as undo:
        for folder in folders:
            if not folder.exists():
                litter.callback(_prune, folder)
                with failing("write", folder):
                    folder.mkdir()
        staged = [_stage(work.root / path, file, litter) for path, file in work.steps]
        for (path, _), fresh in zip(work.steps, staged, strict=True):
            with failing("write", work.root / path):
                _replace(work.root, path, fresh, litter, undo)
        for folder in folders:
            _sync(folder)
        undo.pop_all()
    for folder in sorted(_folders(work.root, work.paths), reverse=True):
        _prune(folder)


def _stage(target: Path, file: File | None, litter: ExitStack) -> Path | None:
    if file is None:
        return None
    fresh = _sibling(target)
    litter.callback(_remove, fresh)
    with failing("write", target):
        _create(fresh, file, target)
    return fresh


def _replace(root: Path, path: str, fresh: Path | None, litter: ExitStack, undo: ExitStack) -> None:
    """Put `fresh` at `path`, or remove that; `undo` is ready before anything happens.

    The backup lies in `root`, where `sweep` finds it when nothing else is left in its folder.
    """
    target = root / path
    if target.exists():
        backup = _sibling(root / target.name)
        litter.callback(_remove, backup)
        _carry(target, backup)
        undo.callback(shutil.move, backup, target)
    elif fresh:
        undo.callback(target.unlink, missing_ok=True)
    if fresh:
        fresh.replace(target)
    else:
        target.unlink(missing_ok=True)


def _create(path: Path, file: File, old: Path) -> None:
    """Create `path`, on disk when this returns; a file at `old` lends its owner and mode."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755 if file.executable else 0o644)
    with os.fdopen(fd, "wb") as stream:
        if old.exists():
            status = old.stat()
            bits = stat.S_IMODE(status.st_mode) & 0o666
            with suppress(PermissionError):  # only root can give files away
                os.fchown(fd, status.st_uid, status.st_gid)
            os.fchmod(fd, bits | (bits & 0o444) >> 2 if file.executable else bits)
        stream.write(file.text.encode())
        stream.flush()
        os.fsync(fd)


def _carry(old: Path, new: Path) -> None:
    """Give the file at `old` a second name, so that even its inode stays; else copy it."""
    try:
        new.hardlink_to(old)
    except OSError:  # no hard links here, or a file of somebody else
        shutil.copy2(old, new)
        _sync(new)


def _resemble(folder: Path, old: Path) -> None:
    """Give `folder` the group, permission bits and attributes of `old`, where that exists."""
    if old.is_dir():
        os.chown(folder, -1, old.stat().st_gid)
        shutil.copystat(old, folder)
        os.utime(folder)


def _folders(root: Path, files: Iterable[Path]) -> set[Path]:
    """`root` and each folder between it and `files`."""
    return {root} | {up for file in files for up in file.parents if up.is_relative_to(root)}


def _sibling(path: Path) -> Path:
    return path.with_name(f".{path.name}.hostwright-{secrets.token_hex(4)}")


def _remove(litter: Path) -> None:
    with suppress(OSError):  # gone, or left to the next sweep
        litter.unlink()


def _prune(folder: Path) -> None:
    with suppress(OSError):  # in use, or gone
        folder.rmdir()


def _settle(folder: Path) -> None:
    """Ask for a rename to reach the disk; it has happened, so a failure undoes nothing."""
    with suppress(OSError):
        _sync(folder)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # not for directories, says FUSE
            raise
    finally:
        os.close(fd)


def _raise(error: OSError) -> None:
    raise error
