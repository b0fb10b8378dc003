"""The three roots: the live machine, a directory, and a tar archive."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal

from generator.detect import tools
from generator.detect.root import LARGEST, TOOLS, Root, one_line
from generator.errors import EnvironmentFailure, HostwrightError

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALWAYS: Final = ("/proc/cpuinfo", "/proc/meminfo")
_MAKE: Final = "`gen detect --capture FILE.tar` makes one on the machine"
_MEMBERS: Final = 100_000
_PIECE: Final = 2**16
_ARCHIVE: Final = 256 * 2**20


def open_root(given: str | None, *, stdin: IO[bytes] | None = None, capture: bool = False) -> Root:
    """Return the live machine, or the captured one in a directory or an archive.

    An archive may come through `stdin`. With `capture` all is read from files, so that the root has
    taken what another machine needs.

    Raises HostwrightError where there is neither, EnvironmentFailure for what cannot be read.
    """
    if given is None:
        return Live(capture=capture)
    path = Path(given)
    root: Tree | Archive
    if stdin is not None:
        root = Archive(path, stdin)
    elif path.is_dir():
        root = Tree(path)
    elif path.is_file():
        root = Archive(path)
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


class Archive(Root):
    """A captured tree in a tar archive, read into memory once."""

    def __init__(self, path: Path, stream: IO[bytes] | None = None) -> None:
        super().__init__()
        try:
            self._files = _members(path, stream)
        except (tarfile.TarError, EOFError, ValueError) as error:
            # tarfile goes on with a line for each compression that it tried.
            told = one_line(str(error).partition("\n")[0]).rstrip(":")
            raise HostwrightError(
                f"`{path}` is no tar archive that can be read: {told}",
                hint="name a directory, or what `gen detect --capture` wrote",
            ) from error
        except OSError as error:
            raise EnvironmentFailure(f"cannot read `{path}`: {error}") from error

    def _bytes(self, path: str) -> bytes | None:
        return self._files.get(path.strip("/"))

    def _names(self, path: str) -> Iterable[str]:
        folder = f"{path.strip('/')}/"
        below = (name.removeprefix(folder) for name in self._files if name.startswith(folder))
        return {name.partition("/")[0] for name in below}

    def _present(self, path: str) -> bool:
        return path.strip("/") in self._files or any(self._names(path))

    def _output(self, name: str) -> bytes:
        return self._files.get(f"{TOOLS}/{name}", b"")


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


def _members(path: Path, piped: IO[bytes] | None) -> dict[str, bytes]:
    """Return the regular files of an archive; others have no place in a capture."""
    files: dict[str, bytes] = {}
    room = _ARCHIVE
    # A pipe cannot be wound back.
    mode: Literal["r|*", "r"] = "r|*" if piped else "r"
    with tarfile.open(None if piped else path, mode, piped) as archive:
        for member in archive:
            if not member.isreg():
                continue
            room -= member.size
            if room < 0 or len(files) >= _MEMBERS:
                raise ValueError("it is larger than any capture")
            stream = archive.extractfile(member)
            name = member.name.removeprefix("./").strip("/")
            files[name] = stream.read(LARGEST + 1) if stream else b""
    return files
