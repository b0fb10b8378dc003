"""What changes in a file, as people and `patch` read it."""

from __future__ import annotations

import difflib
import re
import stat
from typing import TYPE_CHECKING

from generator.files.lock import failing
from generator.records import dataclass

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds, and whether it is a program."""

    data: bytes
    executable: bool


def content(path: Path) -> Content | None:
    """Return what a regular file holds, None where there is none. Raises EnvironmentFailure."""
    with failing("read", path):
        if not path.is_file():
            return None
        return Content(path.read_bytes(), executable=bool(path.stat().st_mode & stat.S_IXUSR))


def unified(path: str, old: Content | None, new: Content | None) -> str:
    """Return a unified diff between two states of the file at `path`, None for no file."""
    names = f"a/{path}" if old else "/dev/null", f"b/{path}" if new else "/dev/null"
    head = ""
    if old and new and old.executable != new.executable:
        modes = [0o100755 if side.executable else 0o100644 for side in (old, new)]
        head = f"old mode {modes[0]:o}\nnew mode {modes[1]:o}\n"
    lines = _lines(old), _lines(new)
    if lines[0] is None or lines[1] is None:
        return f"{head}Binary files {names[0]} and {names[1]} differ\n"
    body = difflib.unified_diff(lines[0], lines[1], *names)
    return head + "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in body
    )


def _lines(side: Content | None) -> list[str] | None:
    """Return the lines as `patch` counts them (by newline alone), or None for binary data."""
    data = side.data if side else b""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else re.findall(r"[^\n]*\n|[^\n]+", text)
