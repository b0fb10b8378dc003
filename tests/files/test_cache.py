"""The memory of what was worked out: only what this user has kept in that very slot is believed."""

import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.files import cache
from generator.files.cache import KEEP, LARGEST, recall, remember, slot

DATA = b'{"port": 11434}'
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(cache.OFF, raising=False)


def at(key: str = "key", kind: str = "plans") -> Path:
    file = slot(kind, key)
    assert file is not None
    return file


@pytest.fixture
def kept() -> Path:
    file = at()
    remember(file, DATA)
    assert recall(file) == DATA
    return file


def test_another_key_is_another_slot(kept: Path) -> None:
    assert at("other") != kept
    assert recall(at("other")) is None


def test_another_state_of_the_program_is_another_slot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code"
    (code / "room").mkdir(parents=True)
    (code / "room/fact.json").write_text("{}")
    (code / "room/__pycache__").mkdir()
    monkeypatch.setattr(cache, "_CODE", str(code))
    before = at()
    (code / "room/__pycache__/x.py").write_text("")
    assert at() == before
    (code / "room/fact.json").write_text("{ }")
    assert at() != before


def test_everything_is_for_this_user_alone(kept: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for folder in kept.parents[:3]:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert kept.parents[2] == tmp_path / "cache"


def test_nothing_but_the_slot_stays_behind(kept: Path) -> None:
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def fifo(file: Path) -> None:
    os.mkfifo(file)


def listener(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as heard:
        os.chdir(file.parent)
        heard.bind(file.name)


def device(file: Path) -> None:
    os.mknod(file, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # zeros without end


def folder(file: Path) -> None:
    file.mkdir()


def link(file: Path) -> None:
    elsewhere = file.parent.parent / "elsewhere"
    remember(file, DATA)
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


def truncated(file: Path) -> None:
    remember(file, DATA)
    os.truncate(file, file.stat().st_size - 1)


def huge(file: Path) -> None:
    remember(file, DATA)
    os.truncate(file, 1 << 40)


def of_another_key(file: Path) -> None:
    remember(at("another"), DATA)
    at("another").rename(file)


def of_another_kind(file: Path) -> None:
    twin = at(kind="pages")
    remember(twin, DATA)
    twin.rename(file)


def writable(file: Path) -> None:
    remember(file, DATA)
    file.chmod(0o620)


def foreign(file: Path) -> None:
    remember(file, DATA)
    os.chown(file, NOBODY, NOBODY)


@pytest.mark.parametrize(
    "lying",
    [
        fifo,
        listener,
        pytest.param(device, marks=as_root),
        folder,
        link,
        truncated,
        huge,
        of_another_key,
        of_another_kind,
        writable,
        pytest.param(foreign, marks=as_root),
    ],
)
def test_what_lies_in_a_slot_is_not_believed_and_not_waited_for(
    lying: Callable[[Path], None], kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kept.parent)
    kept.unlink()
    lying(kept)
    assert recall(kept) is None
    remember(kept, b"mine")
    assert recall(kept) == (None if lying is folder else b"mine")


def test_a_hanging_slot_does_not_hang_the_program(kept: Path) -> None:
    kept.unlink()
    os.mkfifo(kept)
    code = "import sys; from generator.files.cache import recall; from pathlib import Path; "
    code += "print(recall(Path(sys.argv[1])))"
    argv = [sys.executable, "-c", code, str(kept)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "None\n"


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_may_write_to_is_left_alone(depth: int, mode: int, kept: Path) -> None:
    above = kept.parents[depth]
    above.chmod(mode)
    assert recall(kept) is None
    remember(at("new"), DATA)
    above.chmod(0o700)
    assert recall(at("new")) is None
    assert recall(kept) == DATA


@as_root
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_folder_of_another_user_is_left_alone(depth: int, kept: Path) -> None:
    os.chown(kept.parents[depth], NOBODY, NOBODY)
    assert recall(kept) is None
    remember(at("new"), DATA)
    assert not at("new").exists()


@pytest.mark.parametrize("depth", [0, 1])
def test_a_symlink_for_a_folder_is_left_alone(depth: int, kept: Path, tmp_path: Path) -> None:
    shutil.move(kept.parents[depth], tmp_path / "elsewhere")
    kept.parents[depth].symlink_to(tmp_path / "elsewhere")
    assert recall(kept) is None
    remember(at("new"), DATA)
    assert not at("new").exists()


def test_the_cache_directory_may_be_elsewhere(kept: Path, tmp_path: Path) -> None:
    shutil.move(tmp_path / "cache", tmp_path / "elsewhere")
    (tmp_path / "cache").symlink_to("elsewhere")
    assert recall(kept) == DATA
    (tmp_path / "cache").unlink()
    (tmp_path / "cache").symlink_to("cache")
    assert recall(kept) is None


def test_a_home_that_is_not_there_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    remember(at(), DATA)
    assert not (tmp_path / "nobody").exists()


def test_what_is_too_large_is_not_kept() -> None:
    remember(at(), b" " * LARGEST)
    assert not at().exists()


def test_the_oldest_go_and_what_is_no_slot_stays(kept: Path) -> None:
    (kept.parent / "folder").mkdir()
    os.utime(kept, (0, 0))
    for number in range(KEEP):
        remember(at(str(number)), DATA)
    assert not kept.exists()
    assert recall(at("0")) == DATA
    assert (kept.parent / "folder").is_dir()
