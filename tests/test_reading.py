"""Files that somebody names: no pipe, no device, no more than anybody writes."""

import io
import os
import struct
import tarfile
from pathlib import Path

import pytest

from generator.errors import HostwrightError
from generator.reading import LARGEST, read_regular
from tests.commands import process


def test_what_a_file_holds(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert read_regular(tmp_path / "a") == b"abc"
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "b")


def test_a_pipe_and_a_device_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(HostwrightError, match="no regular file"):
            read_regular(path)


def test_a_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as error:
        read_regular(tmp_path)
    assert error.value.filename in {tmp_path, str(tmp_path)}


def test_what_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(2 * 2**30)
    with pytest.raises(HostwrightError, match="more than 5 MiB"):
        read_regular(tmp_path / "a")
    assert LARGEST == 5 * 2**20


COMMANDS = {
    "check": ("check", "{}"),
    "check --host": ("check", "--host", "{}", "x.env"),
    "detect --from": ("detect", "--from", "{}"),
    "detect --root": ("detect", "--root", "{}"),
    "fit --gguf": ("fit", "xeon-cpu", "--gguf", "{}"),
    "a profile": ("show", "{}"),
    "a fleet": ("fleet", "{}"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_refuses_a_pipe_in_a_line(command: tuple[str, ...], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    result = process(*(part.format(pipe) for part in command))
    told = result.stdout + result.stderr
    assert result.returncode == 2
    assert "Traceback" not in told
    assert len(told.splitlines()) <= 6


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_an_archive_with_a_giant_name_is_refused_unread(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 2**32
    (tmp_path / "a.tar").write_bytes(info.tobuf() + bytes(1024))
    result = process("detect", "--root", str(tmp_path / "a.tar"))
    assert result.returncode == 2
    assert "larger than any capture" in result.stderr


def test_a_header_that_counts_more_than_it_has_ends(tmp_path: Path) -> None:
    text = io.BytesIO(b"GGUF")
    text.seek(4)
    text.write(struct.pack("<IQQQ", 3, 0, 1, 1) + b"a" + struct.pack("<IIQ", 9, 4, 2**60))
    (tmp_path / "a.gguf").write_bytes(text.getvalue())
    result = process("fit", "xeon-cpu", "--gguf", str(tmp_path / "a.gguf"))
    assert result.returncode == 2
    assert "not a whole GGUF file" in result.stderr
