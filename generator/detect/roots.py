"""The roots: the live machine, a directory, and what `capture` has put into an archive."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from generator.detect import tools
from generator.detect.root import LARGEST, TOOLS, Root
from generator.errors import HostwrightError

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALWAYS: Final = ("/proc/cpuinfo", "/proc/meminfo")
_MAKE: Final = "`gen detect --capture FILE.tar` makes one on the machine"
_PIECE: Final = 2**16


def open_root(given: str | None, *, stdin: IO[bytes] | None = None, capture: bool = False) -> Root:
    """Return the live machine, or the captured one in a directory or an archive.

    An archive may come through `stdin`. With `capture` all is read from files, so that the root has
    taken what another machine needs.

    Raises HostwrightError where there is neither, EnvironmentFailure for what cannot be read.
    """
    if given is None:
        return Live(capture=capture)
    path = Path(given)
    root: Root
    if path.is_dir() and stdin is None:
        root = Tree(path)
    elif path.is_file() or stdin is not None:
        from generator.detect.capture import Archive

        root = Archive(path, stdin)
    else:
        raise HostwrightError(f"there is no directory or archive `{given}`", hint=_MAKE)
    if not any(root.holds(file) for file in _ALWAYS):
        raise HostwrightError(
            f"`{given}` is no captured machine: it has neither {' nor '.join(_ALWAYS)}",
            hint=f"a captured tree has the files of /proc and /sys at their places; {_MAKE}",
        )
    return root


class Tree(Root):
    """A directory in place of `/`; links that lead out of it are not followed."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder.resolve()

    def _inside(self, path: str) -> Path | None:
        """Return the real path below the folder; None where nothing is there."""
        try:
            real = (self._folder / path.lstrip("/")).resolve(strict=True)
        except (FileNotFoundError, NotADirectoryError, RuntimeError, ValueError):
            return None
        if not real.is_relative_to(self._folder):
            self.warn(path, "leads out of the captured tree and is not read")
            return None
        return real

    def _bytes(self, path: str) -> bytes | None:
        real = self._inside(path)
        return None if real is None else _content(real)

    def _names(self, path: str) -> Iterable[str]:
        real = self._inside(path)
        folder = real if real is not None and real.is_dir() else None
        return [entry.name for entry in folder.iterdir()] if folder else ()

    def _present(self, path: str) -> bool:
        return self._inside(path) is not None

    def _output(self, name: str) -> bytes:
        return self._read(f"{TOOLS}/{name}") or b""


class Live(Tree):
    """The machine that this runs on."""

    def __init__(self, *, capture: bool = False) -> None:
        super().__init__(Path("/"))
        self.live = not capture

    def _output(self, name: str) -> bytes:
        return tools.output(name)


def _content(path: Path) -> bytes | None:
    """Return the start of a regular file; a pipe or a device would keep the reader waiting."""
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    data = bytearray()
    # In small pieces: /proc/sys refuses a read that asks for megabytes.
    with path.open("rb", buffering=0) as file:
        while len(data) <= LARGEST and (piece := file.read(_PIECE)):
            data += piece
    return bytes(data)
