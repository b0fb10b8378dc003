"""Make an archive of what was read of a machine, and read it again elsewhere.

It holds the files that the readers asked for and nothing else: no serial number, no host name, no
environment. Times, owners and order are fixed, so that the same content gives the same bytes.
"""

from __future__ import annotations

import io
import tarfile
from typing import IO, TYPE_CHECKING, Final, Literal

from generator.detect.root import LARGEST, Root, one_line
from generator.errors import EnvironmentFailure, HostwrightError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_MEMBERS: Final = 100_000
_ARCHIVE: Final = 256 * 2**20


def archive_of(taken: Mapping[str, bytes]) -> bytes:
    """Return a tar archive of the files, by path."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(taken):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(taken[name]), 0o644
            archive.addfile(info, io.BytesIO(taken[name]))
    return stream.getvalue()


class Archive(Root):
    """A captured tree in a tar archive, read into memory once."""

    def __init__(self, path: Path, stream: IO[bytes] | None = None) -> None:
        super().__init__()
        try:
            self._files = _members(path, stream)
        except (tarfile.TarError, EOFError, ValueError) as error:
            # tarfile goes on with a line for each compression that it tried.
            why = one_line(str(error).partition("\n")[0]).rstrip(":")
            raise HostwrightError(
                f"`{path}` is no tar archive that can be read: {why}",
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
