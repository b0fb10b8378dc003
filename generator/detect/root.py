"""A root to read a machine from: the live one, a captured tree, or an archive of one.

Readers ask for paths from `/` and for the output of tools, and get text. What is absent is empty;
what cannot be read, or is no text, is a warning. All that was read is kept, for a capture.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from generator.detect.detected import Doubt
from generator.units import cpu_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TOOLS: Final = ".hostwright/tools"
"""Where a captured tree keeps what tools printed."""
LARGEST: Final = 8 * 2**20
_PARTS: Final = re.compile(r"(\d+)")
_LINE: Final = 200
_MOST: Final = str(2**63)


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

    @abstractmethod
    def _output(self, name: str) -> bytes:
        """Return what the tool of that name prints; nothing where it is not there."""

    def warn(self, where: str, message: str) -> None:
        """Note what is wrong or not certain; the same is noted once."""
        doubt = Doubt(where, message)
        if doubt not in self.warnings:
            self.warnings.append(doubt)

    def text(self, path: str) -> str:
        """Return the text of a file, without the white space around it."""
        return self._text(path, lambda: self._read(path))

    def number(self, path: str) -> int | None:
        """Return the whole number in a file; None, and a warning, where it holds another text."""
        text = self.text(path)
        if text and not whole(text):
            self.warn(path, f"`{one_line(text, 40)}` is not a number")
        return int(text) if whole(text) else None

    def cpus(self, path: str) -> frozenset[int]:
        """Return the CPUs that a file lists; none, and a warning, where it is no such list."""
        found = cpu_list(self.text(path))
        if found is None:
            self.strange(path, self.text(path))
        return found or frozenset()

    def strange(self, where: str, text: str) -> None:
        """Note a text that is not what was expected there; no text at all is nothing strange."""
        if text:
            self.warn(where, f"`{one_line(text, 40)}` is not understood")

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
        return self._text(f"{TOOLS}/{name}", lambda: self._output(name) or None)

    def _text(self, where: str, read: Callable[[], bytes | None]) -> str:
        key = where.lstrip("/")
        if key not in self.taken:
            found = read()
            if found is None:
                return ""
            self.taken[key] = found
        return self._decoded(self.taken[key], where).strip()

    def _read(self, path: str) -> bytes | None:
        try:
            return self._bytes(path)
        except OSError as error:
            self.warn(path, f"cannot be read: {error.strerror}")
            return None

    def _decoded(self, data: bytes, where: str) -> str:
        if len(data) > LARGEST:
            self.warn(where, f"is larger than {LARGEST // 2**20} MiB; the rest is not read")
        try:
            return data[:LARGEST].decode()
        except UnicodeDecodeError:
            self.warn(where, "is not text throughout")
            return data[:LARGEST].decode(errors="replace")


def _natural(name: str) -> list[tuple[int, str]]:
    parts = _PARTS.split(name)
    return [(int(p), "") if whole(p) else (-1, p) for p in parts]


def whole(text: str) -> bool:
    """Return whether `text` is a whole number that fits into 64 bits, without a sign."""
    return text.isascii() and text.isdigit() and len(text) <= len(_MOST) and int(text) < 2**63


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
    spans: list[list[int]] = []
    for cpu in sorted(cpus):
        if spans and cpu == spans[-1][1] + 1:
            spans[-1][1] = cpu
        else:
            spans.append([cpu, cpu])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
