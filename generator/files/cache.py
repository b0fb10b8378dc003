"""What was worked out before, kept in the user's cache directory.

A slot is named by a digest of everything that its content follows from, this program's own files
among it, and what it holds names the slot. Only what nobody else can have put there is believed.
Anything that goes wrong here means working it out again, never a failure.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OFF: Final = "HOSTWRIGHT_NO_CACHE"
KEEP: Final = 200
LARGEST: Final = 4 << 20
_CODE: Final = str(Path(__file__).parent.parent)
_LISTED: Final = (".py", ".toml", ".json", ".jinja", ".nix", ".sh")
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Opening a FIFO or a device must not wait for the other end of it.
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def slot(kind: str, key: str) -> Path | None:
    """Return the file for `key`; None where nothing may be kept."""
    home = os.environ.get("HOME", "")
    cache = os.environ.get("XDG_CACHE_HOME") or (home and f"{home}/.cache")
    if os.environ.get(OFF, "0") not in {"", "0"} or not cache.startswith("/"):
        return None
    digest = hashlib.sha256(key.encode(errors="surrogateescape"))
    for line in _fingerprint(_CODE):
        digest.update(line.encode())
    return Path(cache, "hostwright", kind, digest.hexdigest())


def remembered(kind: str, key: str, make: Callable[[], str]) -> str:
    """Return the text that was kept for `key`, or make it and keep it."""
    file = slot(kind, key)
    known = recall(file) if file else None
    if known is not None:
        return known.decode()
    text = make()
    if file:
        remember(file, text.encode())
    return text


def recall(file: Path) -> bytes | None:
    """Return what was kept in a slot; None where it is not whole, of another slot or not ours."""
    try:
        with _folder(file) as folder:
            handle = os.open(file.name, _READ, dir_fd=folder)
            with os.fdopen(handle, "rb") as stream:
                status = os.fstat(handle)
                if not (stat.S_ISREG(status.st_mode) and _private(status)):
                    return None
                label, _, data = stream.read(LARGEST + 1).partition(b"\n")
    except OSError:
        return None
    return data if label == _label(file, data) else None


def remember(file: Path, data: bytes) -> None:
    """Keep `data` in a slot, and of its kind no more than KEEP."""
    whole = _label(file, data) + b"\n" + data
    if len(whole) > LARGEST:
        return
    staged = f"{file.name}.{os.getpid()}.new"
    with contextlib.suppress(OSError), _folder(file, make=True) as folder:
        try:
            with os.fdopen(os.open(staged, _NEW, 0o600, dir_fd=folder), "wb") as stream:
                stream.write(whole)
            os.rename(staged, file.name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(staged, dir_fd=folder)
        _prune(folder)


@contextmanager
def _folder(file: Path, *, make: bool = False) -> Iterator[int]:
    """Open the folder of a slot. Raises OSError where others could have put something into it."""
    _, ours, cache = file.parents[:3]
    with ExitStack() as stack:
        folder = os.open("/", _FOLDER)
        stack.callback(os.close, folder)
        # The cache directory may be a symlink of the user's own; below it nothing is one.
        for name in (os.path.realpath(cache), ours.name, file.parent.name):
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=folder)
            folder = os.open(name, _FOLDER, dir_fd=folder)
            stack.callback(os.close, folder)
            if not _private(os.fstat(folder)):
                raise PermissionError(name)
        yield folder


def _private(status: os.stat_result) -> bool:
    """Return whether nobody else may write there."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _fingerprint(folder: str) -> Iterator[str]:
    """Yield what differs between two states of this program, cheaper than reading it."""
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.endswith(_LISTED):
                status = entry.stat()
                yield f"{entry.path}:{status.st_size}:{status.st_mtime_ns}\n"
            elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                yield from _fingerprint(entry.path)


def _label(file: Path, data: bytes) -> bytes:
    """Return the first line of a slot: whose it is, and a digest that proves it whole."""
    return f"{file.parent.name}/{file.name} {hashlib.sha256(data).hexdigest()}".encode()


def _prune(folder: int) -> None:
    with os.scandir(folder) as entries:
        kept = [entry for entry in entries if entry.is_file(follow_symlinks=False)]
    kept.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)
    for entry in kept[:-KEEP]:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(entry.name, dir_fd=folder)
