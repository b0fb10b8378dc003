"""Where a path leads that somebody names, and which other names its file has."""

from __future__ import annotations

import os
from pathlib import Path


def led_out(path: Path) -> Path | None:
    """Return the real place of a path of which a link leads out of the folder that it lies in.

    Of an absolute path only the last part counts: how a system lays out its folders is no news.
    """
    parts = path.parts[-1:] if path.is_absolute() else path.parts
    for number in range(len(parts), 0, -1):
        link = Path(*path.parts[: len(path.parts) - len(parts) + number])
        if link.is_symlink():
            real = Path(os.path.realpath(path))
            folder = Path(os.path.realpath(link.parent))
            if not real.is_relative_to(folder):
                return real
    return None


def kept_alone(path: Path) -> str:
    """Return why a file is not to be replaced by a new one; empty: nothing that is known."""
    try:
        names = path.stat().st_nlink
    except (OSError, ValueError):
        return ""
    return f"a new file would take one of its {names} names (hard links)" if names > 1 else ""
