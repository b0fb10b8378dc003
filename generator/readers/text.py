"""The text of a file that somebody names, and of those beside it."""

from __future__ import annotations

import functools
import os
import posixpath
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST: Final = 5 * 2**20
MOST_BESIDE: Final = 500


def is_file(path: str) -> bool:
    """Return whether there is a regular file of that name, which may be none that can be."""
    return os.path.isfile(path)  # noqa: PTH113 -- Path.is_file raises for a name that is too long


def is_masked(path: str) -> bool:
    """Return whether a link says that what is there counts as empty, as systemd understands it."""
    return os.path.islink(path) and os.path.realpath(path) == os.devnull  # noqa: PTH114


def text_of(path: str, problems: list[Problem]) -> str | None:
    """Return the text of a file, None and a Problem where there is none."""
    if not is_file(path):
        if is_masked(path):
            return ""
        if os.path.exists(path):  # noqa: PTH110
            message = "is no regular file, and might never end"
            problems.append(Problem("", message, "name a file, or `-` for standard input", path))
            return None
    try:
        with Path(path).open("rb") as file:
            raw = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        reason = error.strerror if isinstance(error, OSError) else "there is no such name"
        message = "there is no such file" if missing else f"cannot be read: {reason}"
        problems.append(Problem("", message, "check the path and who may read it", path))
        return None
    return _decoded(raw, path, problems)


def _decoded(raw: bytes, path: str, problems: list[Problem]) -> str | None:
    if len(raw) > LARGEST:
        message, hint = f"has more than {LARGEST // 2**20} MiB", "name the file that you edit"
    elif b"\0" in raw:
        message, hint = "is no text: it has a NUL byte", "name a text file"
    else:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            message = f"is not UTF-8: byte {error.start} is no part of a character"
            hint = "save the file as UTF-8"
    problems.append(Problem("", message, hint, path))
    return None


def likely_text(path: str) -> str:
    """Return what a file that is no UTF-8 most likely says; empty: it cannot be read, or is data.

    Without its NUL bytes, UTF-16 is what it says in ASCII.
    """
    if not is_file(path):  # Opening a pipe would wait for its other end.
        return ""
    try:
        with Path(path).open("rb") as file:
            raw = file.read(LARGEST + 1)
    except (OSError, ValueError):
        return ""
    if len(raw) > LARGEST:
        return ""
    bare = raw[len(BOM_UTF16_LE) :] if raw.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else raw
    return bare.replace(b"\0", b"").decode("utf-8", "replace")


def read_beside(path: str) -> str | None:
    """Return the text of a file that another file refers to; None where it is no text at hand."""
    # Most are asked for in vain: this costs a tenth of what a reason does.
    return text_of(path, []) if os.path.lexists(path) else None


def listed_beside(path: str) -> tuple[str, ...]:
    """Return the files of a file's own folder, itself among them, in a fixed order."""
    return _files_of(posixpath.dirname(path))


def listed_once() -> Callable[[str], tuple[str, ...]]:
    """Return `listed_beside` that looks into each folder once, for files of many of them."""
    files = functools.cache(_files_of)
    return lambda path: files(posixpath.dirname(path))


def _files_of(folder: str) -> tuple[str, ...]:
    try:
        with os.scandir(folder or ".") as found:
            entries = sorted(found, key=attrgetter("name"))[:MOST_BESIDE]
    except OSError:
        return ()
    return tuple(posixpath.join(folder, one.name) for one in entries if _is_a_file(one))


def _is_a_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # as a link that leads to itself
        return False
