"""Files that a configuration takes in by name or by pattern: `include` of nginx, `import` of Caddy.

A repository names them as they will lie on the host: what looks like the end of such a path, below
the file that names it or one folder above, is taken for it.
"""

from __future__ import annotations

import fnmatch
import posixpath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.base import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.readers.base import Context

_MOST: Final = 4  # parts of a path
_ABOVE: Final = ("", "..")
_FILES: Final = 50


def places(pattern: str, by: str) -> Iterator[str]:
    """Yield where a file `by` may have what it takes in by this path or pattern."""
    folder = posixpath.dirname(by)
    if not pattern.startswith("/"):
        yield posixpath.normpath(posixpath.join(folder, pattern))
        return
    yield pattern
    parts = PurePosixPath(pattern).parts[1:][-_MOST:]
    for above in _ABOVE:
        # A bare name or pattern means too much.
        for at in range(max(len(parts) - 1, 0)):
            yield posixpath.normpath(posixpath.join(folder, above, *parts[at:]))


def is_taken(paths: Iterable[str], patterns: Iterable[str]) -> bool:
    """Return whether all of the paths are what one of the patterns is for."""
    several = tuple(patterns)
    return all(any(_matches(path, one) for one in several) for path in paths)


def _matches(path: str, pattern: str) -> bool:
    same = posixpath.dirname(path) == posixpath.dirname(pattern)
    return path == pattern or (same and fnmatch.fnmatchcase(path, pattern))


def taken(pattern: str, by: str, context: Context) -> list[Source]:
    """Return the files that are at hand of those that `by` takes in; empty: none is."""
    for place in places(pattern, by):
        if place == posixpath.normpath(by):
            continue
        several = [place]
        if any(sign in posixpath.basename(place) for sign in "*?["):
            several = [path for path in context.listed(place) if fnmatch.fnmatchcase(path, place)]
        texts = [(path, context.read(path)) for path in several[:_FILES]]
        found = [Source(path, text) for path, text in texts if text is not None]
        if found:
            return found
    return []
