"""What was worked out before, kept in the user's cache directory.

A slot is named by a digest of everything that its content follows from, this program's own files
among it. Anything that goes wrong here means working it out again, never a failure.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OFF: Final = "HOSTWRIGHT_NO_CACHE"
KEEP: Final = 200
_CODE: Final = Path(__file__).parent.parent


def slot(kind: str, key: str, folders: Sequence[str]) -> Path | None:
    """Return the file for `key`; None where nothing may be kept.

    `folders` are those of this program, beside the outermost, that the content follows from.
    """
    home = os.environ.get("HOME", "")
    cache = os.environ.get("XDG_CACHE_HOME") or (home and f"{home}/.cache")
    if os.environ.get(OFF, "0") not in {"", "0"} or not cache.startswith("/"):
        return None
    digest = hashlib.sha256(key.encode(errors="surrogateescape"))
    for line in _fingerprint(folders):
        digest.update(line.encode())
    return Path(cache, "hostwright", kind, digest.hexdigest())


def recall(file: Path) -> bytes | None:
    """Return what was kept in a slot, whole; None where nothing was, or by somebody else."""
    try:
        if file.stat().st_uid != os.geteuid():
            return None
        digest, _, data = file.read_bytes().partition(b"\n")
    except OSError:
        return None
    return data if digest == _digest(data) else None


def remember(file: Path, data: bytes) -> None:
    """Keep `data` in a slot, and of its kind no more than KEEP."""
    import tempfile

    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=file.parent, suffix=".new")
        with os.fdopen(handle, "wb") as stream:
            stream.write(_digest(data) + b"\n" + data)
        Path(name).replace(file)
        _prune(file.parent)


def _fingerprint(folders: Sequence[str]) -> Iterator[str]:
    """Yield what tells one state of this program from another, cheaper than reading it."""
    for folder in (_CODE, *(_CODE / name for name in folders)):
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.endswith((".py", ".json")):
                    status = entry.stat()
                    yield f"{entry.path}:{status.st_size}:{status.st_mtime_ns}\n"


def _digest(data: bytes) -> bytes:
    """Return the first line of a slot, so that a damaged one is told from a whole."""
    return hashlib.sha256(data).hexdigest().encode()


def _prune(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-KEEP]:
        path.unlink(missing_ok=True)
