"""Keep a file before something else takes its place, and put it back.

Backups lie below the state of the user, each in the folder that its file is in:
`~/.local/state/hostwright/backups/etc/…/NAME.before-20261130T153501Z`. So none is in a tree that
is committed, or that a manager reads. Where nothing can be written there it lies beside its file,
under an ending that systemd, quadlets, Kubernetes, Nix and `gen check` all pass over. It has the
bytes, the mode and the owner of the file.
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
    folder = _folder(file)
    for number in count(1):
        more = f"-{number}" if number > 1 else ""
        kept = folder / f"{file.name}.before-{stamp(time)}{more}"
        try:
            _copy(file, kept)
        except FileExistsError:
            if kept.is_symlink() or not kept.is_file() or kept.read_bytes() != file.read_bytes():
                continue
        return kept
    raise AssertionError  # numbers do not end


def _home() -> Path | None:
    """Return where backups are; None: the user has no place for what programs keep."""
    home = os.environ.get("HOME", "")
    state = os.environ.get("XDG_STATE_HOME") or (home and f"{home}/.local/state")
    return Path(state, "hostwright", "backups") if state.startswith("/") else None


def _mirrored(place: Path) -> Path | None:
    """Return the folder of backups that stands for a folder."""
    home = _home()
    return home / os.path.realpath(place).lstrip("/") if home else None


def _folder(file: Path) -> Path:
    """Return the folder for a backup: beside the file where there can be no other."""
    home, folder = _home(), _mirrored(file.parent)
    if home is None or folder is None:
        return file.parent
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return file.parent
    return folder if os.access(folder, os.W_OK) else file.parent


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
    """Return the backups of what is below a directory, or of one file, or a backup by its own name.

    The directory may be gone. Links are not followed.
    """
    kept = _of_kept(place)
    if kept:
        return Found((kept,))
    if not place.is_dir() and not _is_gone(place):
        both = (
            *_beside(place.parent, place.parent),
            *_beside(_mirrored(place.parent), place.parent),
        )
        return Found(_ordered([e for e in both if place.name in {e.file.name, e.kept.name}]))
    unread: list[Path] = []
    found = [*_below(place, place, unread), *_below(_mirrored(place), place, unread)]
    return Found(_ordered(found), tuple(unread))


def _is_gone(place: Path) -> bool:
    """Whether a place that is not there was a directory: there are backups of what was below it."""
    folder = _mirrored(place)
    return not os.path.lexists(place) and folder is not None and folder.is_dir()


def _of_kept(place: Path) -> Backup | None:
    """Return the backup that is named by its own path below the state of the user."""
    home, real = _home(), Path(os.path.realpath(place))
    if home is None or not real.is_relative_to(os.path.realpath(home)) or not real.is_file():
        return None
    folder = Path("/", real.parent.relative_to(os.path.realpath(home)))
    return next((one for one in _in(real.parent, [real.name], folder)), None)


def _beside(folder: Path | None, of: Path) -> Iterator[Backup]:
    """Yield the backups in a folder of files in the folder `of`."""
    if folder is not None and (folder == of or folder.is_dir()):
        yield from _in(folder, [entry.name for entry in _listed(folder)], of)


def _below(top: Path | None, of: Path, unread: list[Path]) -> Iterator[Backup]:
    """Yield the backups below a folder of files below the folder `of`."""
    if top is None or not top.is_dir():
        return
    for folder, folders, names in os.walk(top, onerror=lambda e: unread.append(Path(e.filename))):
        folders[:] = [name for name in folders if name != ".git" and not _is_home(folder, name)]
        yield from _in(Path(folder), names, of / Path(folder).relative_to(top))


def _is_home(folder: str, name: str) -> bool:
    """Whether a directory is that of all backups, whose files are found by where they belong."""
    home = _home()
    if home is None or name != home.name:
        return False
    return os.path.realpath(Path(folder, name)) == os.path.realpath(home)


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    with failing("read", folder), os.scandir(folder) as entries:
        return list(entries)


def _in(folder: Path, names: Sequence[str], of: Path) -> Iterator[Backup]:
    for name in names:
        match = _NAME.fullmatch(name)
        kept = folder / name
        if match is None or not stat.S_ISREG(kept.lstat().st_mode):
            continue
        with suppress(ValueError):  # digits that are no time
            time = datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)
            yield Backup(of / match[1], kept, time)


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
        for each in changed:
            _make_folders(each.file.parent, litter)
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


def _make_folders(folder: Path, litter: ExitStack) -> None:
    """Make the folders that are gone; those that are empty in the end go again."""
    for gone in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        litter.callback(_rmdir, gone)
        with failing("write", gone):
            gone.mkdir()


def _rmdir(folder: Path) -> None:
    with suppress(OSError):  # It holds what was put back.
        folder.rmdir()


def _stage(backup: Backup, litter: ExitStack) -> Path:
    fresh = sibling(backup.file)
    litter.callback(fresh.unlink, missing_ok=True)
    with failing("write", backup.file):
        status = backup.kept.stat()
        data = backup.kept.read_bytes()
        write_new(fresh, data, stat.S_IMODE(status.st_mode), owner=status)
    return fresh
