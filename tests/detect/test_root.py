"""Lists of CPUs, as the kernel writes them, and archives, whatever is in them."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.detect import root
from generator.detect.root import Archive, written_list
from generator.errors import HostwrightError
from generator.units import cpu_list

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("0-3,8", {0, 1, 2, 3, 8}),
        ("5", {5}),
        ("", set()),
        ("3-1", set()),
        ("0-99999999", None),
        ("a-b", None),
        ("²", None),
    ],
)
def test_cpu_list(text: str, cpus: set[int] | None) -> None:
    assert cpu_list(text) == (None if cpus is None else frozenset(cpus))


@given(st.frozensets(st.integers(0, 300)))
def test_a_written_list_is_read_back(cpus: frozenset[int]) -> None:
    assert cpu_list(written_list(cpus)) == cpus


def _record(size: int) -> bytes:
    """A record of pax of that length."""
    text = f"{size} comment="
    return text.encode() + b"x" * (size - len(text) - 1) + b"\n"


def _pax(kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo("h")
    info.type, info.size = kind, size
    return info.tobuf() + _record(size) + bytes(-size % 512)


def _empty(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.type = kind
    return info.tobuf()


# Each small when packed, and none of it a member that counts by its size.
HEADERS = {
    "long comments, one to a file": (_pax(tarfile.XHDTYPE, 60_000) + _empty("proc/x")) * 290,
    "headers in a row": _pax(tarfile.XGLTYPE, 600) * 3000 + _empty("proc/x"),
    "directories": b"".join(_empty(f"d{n}", tarfile.DIRTYPE) for n in range(300)),
    "a file with holes": _empty("proc/x", tarfile.GNUTYPE_SPARSE),
    "a header of a megabyte": _pax(tarfile.XHDTYPE, 2**20) + _empty("proc/x"),
}


@pytest.mark.parametrize("data", HEADERS.values(), ids=HEADERS)
def test_headers_of_an_archive_are_bounded(
    data: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root, "_MEMBERS", 299)
    path = tmp_path / "machine.tar"
    path.write_bytes(data + bytes(1024))
    with pytest.raises(HostwrightError, match=r"larger than any capture|sparse"):
        Archive(path)


def test_files_that_nobody_reads_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "machine.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("proc/cpuinfo", "var/log/messages", "usr/local/bin/ollama"):
            info = tarfile.TarInfo(name)
            info.size = 5
            archive.addfile(info, io.BytesIO(b"12345"))
    found = Archive(path)
    assert found.text("/proc/cpuinfo") == "12345"
    assert found.text("/var/log/messages") == ""
    assert found.exists("/usr/local/bin/ollama")


@pytest.mark.parametrize("packed", ["gz", "xz", "bz2"])
def test_a_damaged_archive_is_refused(packed: str, tmp_path: Path) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode=f"w:{packed}") as archive:  # type: ignore[call-overload]
        for n in range(40):
            info = tarfile.TarInfo(f"proc/{n}")
            info.size = 4096
            archive.addfile(info, io.BytesIO(bytes(range(256)) * 16))
    path = tmp_path / "machine.tar"
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    with pytest.raises(HostwrightError, match="no tar archive"):
        Archive(path)


@pytest.mark.parametrize("size", [0, 1 << 31])
def test_an_archive_of_zeros_is_empty(size: int, tmp_path: Path) -> None:
    """xz takes zeros for its padding: tarfile would read all of the file to find that out."""
    path = tmp_path / "machine.tar"
    with path.open("wb") as file:
        file.truncate(size)
    if size:
        assert not Archive(path).exists("/proc")
    else:
        with pytest.raises(HostwrightError, match="no tar archive"):
            Archive(path)
