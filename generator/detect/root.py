"""A root to read a machine from: the live one, a captured tree, or an archive of one.

Readers ask for paths from `/` and for the output of tools, and get text. What is absent is empty;
what cannot be read, or is no text, is a warning. All that was read is kept, for a capture.
"""

from __future__ import annotations

import re
import stat
from abc import ABC, abstractmethod
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from generator.detect import tools
from generator.detect.detected import Doubt
from generator.errors import HostwrightError
from generator.units import cpu_list, whole

if TYPE_CHECKING:
    from collections.abc import Iterable

TOOLS: Final = ".hostwright/tools"
"""Where a captured tree keeps what tools printed."""
LARGEST: Final = 8 * 2**20
_PARTS: Final = re.compile(r"(\d+)")
_LINE: Final = 200
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
        return self._decoded(self.taken[key], path).strip()

    def _decoded(self, data: bytes, where: str) -> str:
        if len(data) > LARGEST:
            self.warn(where, f"is larger than {LARGEST // 2**20} MiB; the rest is not read")
        try:
            return data[:LARGEST].decode()
        except UnicodeDecodeError:
            self.warn(where, "is not text throughout")
            return data[:LARGEST].decode(errors="replace")

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

    def tool(self, name: str) -> str:
        """Return what a tool printed, as `tools` names it; empty: it is not there."""
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
            while len(data) <= LARGEST and (piece := file.read(_PIECE)):
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
        return tools.output(name) or None if folder == TOOLS else super()._bytes(path)


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


def one_line(text: str, room: int = _LINE) -> str:
    """Return text that others wrote fit for one line: printable, one space between words."""
    plain = "".join(c if c.isprintable() else " " for c in text[: 4 * room])
    return " ".join(plain.replace("\ufffd", " ").split())[:room]


def written_list(cpus: Iterable[int]) -> str:
    """Return a list of CPUs as the kernel writes it: `0-11,24`."""
    runs = groupby(enumerate(sorted(cpus)), key=lambda at: at[1] - at[0])
    spans = [[cpu for _, cpu in run] for _, run in runs]
    return ",".join(f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0]) for span in spans)
