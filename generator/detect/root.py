"""A root to read a machine from: the live one, a captured tree, or an archive of one.

Readers ask for paths from `/` and for the output of tools, and get text. What is absent is empty;
what cannot be read, or is no text, is a warning. All that was read is kept, for a capture.
"""

from __future__ import annotations

import io
import re
import stat
from abc import ABC, abstractmethod
from bisect import bisect_left
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal

from generator.detect import live
from generator.detect.detected import Doubt
from generator.errors import EnvironmentFailure, HostwrightError
from generator.units import cpu_list, whole

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterable, Iterator, Mapping

TOOLS: Final = ".hostwright/tools"
"""Where a captured tree keeps what tools printed."""
_LARGEST: Final = 8 * 2**20
_PARTS: Final = re.compile(r"(\d+)")
_ALWAYS: Final = ("/proc/cpuinfo", "/proc/meminfo")
_MAKE: Final = "`gen detect --capture FILE.tar` makes one on the machine"
_PIECE: Final = 2**16
_LONGEST: Final = 2**16  # of a header: more is no name
_HEADERS: Final = 16 * 2**20  # of all headers together
_IN_A_ROW: Final = 8  # headers before a file: its name, where it links to, what pax has to say
_TOO_LARGE: Final = "it is larger than any capture"
_SPARSE: Final = "it has sparse files, which no capture has; pack it without them"
_MEMBERS: Final = 100_000
_ARCHIVE: Final = 256 * 2**20
_KEPT: Final = 64 * 2**20
# What a packed archive begins with. tarfile would try all of them on any file, and read one that is
# of zeros, which xz takes for its padding, to its end.
_PACKED: Final[Mapping[bytes, Literal["r:gz", "r:bz2", "r:xz"]]] = {
    b"\x1f\x8b": "r:gz",
    b"BZh": "r:bz2",
    b"\xfd7zXZ\0": "r:xz",
    b"\x5d\0\0": "r:xz",
}
# Of files elsewhere it matters only that they are there.
_READ: Final = ("proc/", "sys/", "etc/", "run/", "usr/lib/os-release", ".hostwright/")


def open_root(
    given: str | None,
    *,
    stdin: IO[bytes] | None = None,
    capture: bool = False,
    whole: bool = False,
) -> Root:
    """Return the live machine, or the captured one in a directory or an archive.

    An archive may come through `stdin`; `whole`: with what is in files that `gen detect` does not
    read. With `capture` all is read from files, so that the root has taken what another machine
    needs.

    Raises HostwrightError where there is neither, EnvironmentFailure for what cannot be read.
    """
    if given is None:
        return Live(capture=capture)
    path = Path(given)
    if path.is_dir() and stdin is None:
        root: Root = Tree(path)
    elif path.is_file() or stdin is not None:
        root = Archive(path, stdin, whole=whole)
    else:
        raise HostwrightError(f"there is no directory or archive `{given}`", hint=_MAKE)
    if not any(root.holds(file) for file in _ALWAYS):
        raise HostwrightError(
            f"`{given}` is no captured machine: it has neither {' nor '.join(_ALWAYS)}",
            hint=f"a captured tree has the files of /proc and /sys at their places; {_MAKE}",
        )
    return root


class Root(ABC):
    """A machine's files and the output of its tools, each read once.

    `live`: it is the one that this runs on, so that psutil is asked, and not the files.
    """

    live = False

    def __init__(self) -> None:
        self.taken: dict[str, bytes] = {}
        self.warnings: list[Doubt] = []

    @abstractmethod
    def _bytes(self, path: str) -> bytes | None:
        """Return what is in a file; None where there is none. Raises OSError."""

    @abstractmethod
    def _names(self, path: str) -> Iterable[str]:
        """Return the names in a directory; none where there is none. Raises OSError."""

    @abstractmethod
    def _present(self, path: str) -> bool:
        """Return whether anything is at `path`. Raises OSError."""

    def warn(self, where: str, message: str) -> None:
        """Note what is wrong or not certain; the same is noted once."""
        doubt = Doubt(where, message)
        if doubt not in self.warnings:
            self.warnings.append(doubt)

    def strange(self, where: str, text: str, what: str = "is not understood") -> None:
        """Note a text that is not what was expected there; no text at all is nothing strange."""
        if text:
            self.warn(where, f"`{one_line(text, 40)}` {what}")

    def text(self, path: str) -> str:
        """Return the text of a file, without the white space around it."""
        key = path.lstrip("/")
        if key not in self.taken:
            try:
                found = self._bytes(path)
            except OSError as error:
                self.warn(path, f"cannot be read: {error.strerror}")
                return ""
            if found is None:
                return ""
            self.taken[key] = found
        data = self.taken[key]
        if len(data) > _LARGEST:
            self.warn(path, f"is larger than {_LARGEST // 2**20} MiB; the rest is not read")
        try:
            return data[:_LARGEST].decode().strip()
        except UnicodeDecodeError:
            self.warn(path, "is not text throughout")
            return data[:_LARGEST].decode(errors="replace").strip()

    def number(self, path: str) -> int | None:
        """Return the whole number in a file; None, and a warning, where it holds another text."""
        text = self.text(path)
        found = whole(text)
        if found is None:
            self.strange(path, text, "is not a number")
        return found

    def cpus(self, path: str) -> frozenset[int]:
        """Return the CPUs that a file lists; none, and a warning, where it is no such list."""
        found = cpu_list(self.text(path))
        if found is None:
            self.strange(path, self.text(path))
        return found or frozenset()

    def names(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory, `cpu2` before `cpu10`."""
        try:
            return tuple(sorted(self._names(path), key=_natural))
        except OSError as error:
            self.warn(path, f"cannot be listed: {error.strerror}")
            return ()

    def exists(self, path: str) -> bool:
        """Return whether there is a file; a capture keeps that it is there, not what is in it."""
        found = self.holds(path)
        if found:
            self.taken.setdefault(path.lstrip("/"), b"")
        return found

    def holds(self, path: str) -> bool:
        """Return whether anything is at `path`, without keeping that for a capture."""
        try:
            return self._present(path)
        except OSError:
            return False

    def target(self, path: str) -> str:
        """Return where a link of /proc leads, which a captured tree has as a text; empty: none."""
        return self.text(path)

    def tool(self, name: str) -> str:
        """Return what a tool printed, as `live` names it; empty: it is not there."""
        return self.text(f"{TOOLS}/{name}")

    def tool_version(self, name: str, pattern: str) -> str:
        """Return what `pattern` finds in the output of a tool; a warning where that is nothing."""
        printed = self.tool(name)
        found = first_match(pattern, printed)
        if not found:
            self.strange(name, printed)
        return found


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
        """Return the start of a regular file; a pipe or a device would keep the reader waiting."""
        real = self._inside(path)
        if real is None or not stat.S_ISREG(real.stat().st_mode):
            return None
        data = bytearray()
        # In small pieces: /proc/sys refuses a read that asks for megabytes.
        with real.open("rb", buffering=0) as file:
            while len(data) <= _LARGEST and (piece := file.read(_PIECE)):
                data += piece
        return bytes(data)

    def _names(self, path: str) -> Iterable[str]:
        real = self._inside(path)
        return [entry.name for entry in real.iterdir()] if real and real.is_dir() else ()

    def _present(self, path: str) -> bool:
        return self._inside(path) is not None


class Live(Tree):
    """The machine that this runs on, whose tools are run."""

    def __init__(self, *, capture: bool = False) -> None:
        super().__init__(Path("/"))
        self.live = not capture

    def _bytes(self, path: str) -> bytes | None:
        folder, _, name = path.rpartition("/")
        return live.output(name) or None if folder == TOOLS else super()._bytes(path)

    def target(self, path: str) -> str:
        """Return where a link leads; empty: it is another user's, or none."""
        try:
            found = str(Path(path).readlink())
        except OSError:
            return ""
        self.taken[path.lstrip("/")] = found.encode()
        return found


class Files(Root):
    """A captured tree in memory: what is in each file, by its path without the first `/`."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__()
        self.files = files

    def _bytes(self, path: str) -> bytes | None:
        return self.files.get(path.strip("/"))

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.files)

    def _below(self, path: str) -> Iterator[str]:
        """Yield what is in a folder, all the way down: it stands together in the sorted list."""
        folder = f"{path.strip('/')}/"
        for at in range(bisect_left(self._sorted, folder), len(self._sorted)):
            if not self._sorted[at].startswith(folder):
                return
            yield self._sorted[at].removeprefix(folder)

    def _names(self, path: str) -> Iterable[str]:
        return {name.partition("/")[0] for name in self._below(path)}

    def _present(self, path: str) -> bool:
        return path.strip("/") in self.files or any(self._below(path))


class Archive(Files):
    """A captured tree in a tar archive, read into memory once."""

    def __init__(self, path: Path, stream: IO[bytes] | None = None, *, whole: bool = False) -> None:
        """Read the archive; `whole`: with what is in files elsewhere, too."""
        import tarfile
        from lzma import LZMAError

        try:
            super().__init__(_members(path, stream, ("",) if whole else _READ))
        except (tarfile.TarError, EOFError, LZMAError, RecursionError, ValueError) as error:
            # tarfile goes on with a line for each compression that it tried.
            why = one_line(str(error).partition("\n")[0]).rstrip(":")
            raise HostwrightError(
                f"`{path}` is no tar archive that can be read: {why}",
                hint="name a directory, or what `gen detect --capture` wrote",
            ) from error
        except OSError as error:
            raise EnvironmentFailure(f"cannot read `{path}`: {error}") from error


def _members(path: Path, piped: IO[bytes] | None, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Return the regular files of an archive; others have no place in a capture."""
    import tarfile

    files: dict[str, bytes] = {}
    room, kept = _ARCHIVE, _KEPT
    # A pipe cannot be wound back.
    mode = "r|*" if piped else _mode(path)
    with tarfile.open(None if piped else path, mode, piped, tarinfo=_short_headers()) as archive:
        while member := archive.next():
            # It keeps them all, with their headers, for a second reading.
            archive.members.clear()  # type: ignore[attr-defined]
            room -= member.size
            if not member.isreg():
                continue
            name = member.name.removeprefix("./").strip("/")
            stream = archive.extractfile(member) if name.startswith(wanted) else None
            files[name] = stream.read(min(kept, _LARGEST) + 1) if stream and room >= 0 else b""
            kept -= len(files[name])
            if min(room, kept) < 0 or len(files) >= _MEMBERS:
                raise ValueError(_TOO_LARGE)
    return files


def _mode(path: Path) -> Literal["r:", "r:gz", "r:bz2", "r:xz"]:
    """Return how to open an archive, by what it begins with."""
    with path.open("rb") as file:
        first = file.read(max(map(len, _PACKED)))
    return next((mode for magic, mode in _PACKED.items() if first.startswith(magic)), "r:")


def _short_headers() -> type[tarfile.TarInfo]:
    """Return what refuses headers that tarfile would read whole, one after another, or for ever."""
    import tarfile

    extended = (
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
        *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    )
    total = in_a_row = members = 0

    class Member(tarfile.TarInfo):
        def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
            nonlocal total, in_a_row, members
            if self.type not in extended:
                in_a_row, members = 0, members + 1
            else:
                in_a_row, total = in_a_row + 1, total + self.size
            long = self.size > _LONGEST and not self.isreg()
            if long or in_a_row > _IN_A_ROW or total > _HEADERS or members > _MEMBERS:
                raise ValueError(_TOO_LARGE)
            if self.type == tarfile.GNUTYPE_SPARSE:
                raise ValueError(_SPARSE)
            return super()._proc_member(archive)  # type: ignore[misc, no-any-return]

        def _proc_gnusparse_10(self, *_: object) -> None:
            raise ValueError(_SPARSE)

        _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10

    return Member


def archive_of(taken: Mapping[str, bytes]) -> bytes:
    """Return a tar archive of what was read, by path: no serial number, host name or environment.

    Times, owners and order are fixed, so that the same content gives the same bytes.
    """
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(taken):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(taken[name]), 0o644
            archive.addfile(info, io.BytesIO(taken[name]))
    return stream.getvalue()


def _natural(name: str) -> list[tuple[int, str]]:
    parts = ((whole(part), part) for part in _PARTS.split(name))
    return [(-1, part) if number is None else (number, "") for number, part in parts]


def first_match(pattern: str | re.Pattern[str], text: str) -> str:
    """Return what `pattern` finds first in a text, its group if it has one; empty: nothing."""
    found = re.search(pattern, text)
    return found[1 if found.re.groups else 0] if found else ""


def meminfo(text: str, name: str) -> int:
    """Return the bytes of a line like `MemTotal:  65843372 kB`; 0: there is none."""
    return int(first_match(rf"(?a)\b{name}:\s+(\d{{1,15}}) kB", text) or 0) * 1024


def pairs(text: str, mark: str) -> dict[str, str]:
    """Return lines of key, `mark` and value; others are passed over."""
    parts = (line.partition(mark) for line in text.splitlines())
    return {key.strip(): value.strip() for key, found, value in parts if found}


def one_line(text: str, room: int = 200) -> str:
    """Return text that others wrote fit for one line: printable, one space between words."""
    plain = "".join(c if c.isprintable() else " " for c in text[: 4 * room])
    return " ".join(plain.replace("\ufffd", " ").split())[:room]


def written_list(cpus: Iterable[int]) -> str:
    """Return a list of CPUs as the kernel writes it: `0-11,24`."""
    runs = groupby(enumerate(sorted(cpus)), key=lambda at: at[1] - at[0])
    spans = [[cpu for _, cpu in run] for _, run in runs]
    return ",".join(f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0]) for span in spans)
