"""What psutil tells of the live machine, and the files that a captured one is read from."""

from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from generator.detect import live
from generator.detect.cpu import read_cpu
from generator.detect.disk import read_disk
from generator.detect.machine import read_machine, read_memory
from generator.detect.root import Live
from tests.detect.machines import Held, files_of

MODELS = "/srv/models"


def test_both_sources_agree_about_this_machine() -> None:
    asked, files = read_machine(Live()), read_machine(Live(capture=True))
    assert asked.cpu == files.cpu
    assert asked.usable == files.usable
    assert asked.disk == files.disk or not files.disk.kind
    assert (asked.memory.total, asked.memory.swap) == (files.memory.total, files.memory.swap)
    assert asked.memory.available == pytest.approx(files.memory.available, rel=0.1)


def test_a_capture_holds_the_files_that_psutil_reads_otherwise() -> None:
    asked, files = Live(), Live(capture=True)
    read_memory(asked)
    read_memory(files)
    assert "proc/meminfo" not in asked.taken
    assert files.taken["proc/meminfo"].startswith(b"MemTotal:")


def refused(*_: Any, **__: Any) -> Any:
    raise PermissionError("/proc/meminfo")


def test_without_an_answer_the_files_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Held(files_of("xeon-cpu"))
    root.live = True
    for name in ("virtual_memory", "cpu_count", "disk_partitions"):
        monkeypatch.setattr(psutil, name, refused)
    assert (live.memory(), live.cpus(), live.disk_of("/")) == (None, (0, 0), "")
    captured = Held(files_of("xeon-cpu"))
    assert read_memory(root) == read_memory(captured)
    assert read_cpu(root) == read_cpu(captured)


@pytest.fixture
def _mounts(monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = {"/": "/dev/sda2", "/srv": "/dev/nvme0n1p3", "/srv/model": "/dev/sdb1", "/mnt": "tank"}
    parts = [SimpleNamespace(mountpoint=at, device=device) for at, device in mounts.items()]
    monkeypatch.setattr(psutil, "disk_partitions", lambda: parts)


@pytest.mark.usefixtures("_mounts")
@pytest.mark.parametrize(
    ("directory", "device"),
    [("/srv/models", "nvme0n1p3"), ("/srv", "nvme0n1p3"), ("/var/lib", "sda2"), ("/mnt/x", "")],
)
def test_the_nearest_mount_above_a_directory_is_its_disk(directory: str, device: str) -> None:
    assert live.disk_of(directory) == device


BTRFS = {
    ".hostwright/tools/models-disk.txt": f"45 {MODELS}\n",
    "sys/class/block/nvme0n1p3/uevent": "DEVNAME=nvme0n1p3\nDEVTYPE=partition\n",
    "sys/class/block/nvme0n1/queue/rotational": "0\n",
    "sys/fs/btrfs/3f2a/devices/nvme0n1p3/dev": "259:3\n",
}


@pytest.mark.usefixtures("_mounts")
@pytest.mark.parametrize(
    ("more", "kind", "device"),
    [
        ({}, "nvme", "nvme0n1"),
        ({"sys/fs/btrfs/3f2a/devices/sdb1/dev": "8:17\n"}, "", ""),
    ],
)
def test_a_file_system_with_a_number_of_its_own_is_on_the_disk_that_is_mounted(
    more: dict[str, str], kind: str, device: str
) -> None:
    root = Held(BTRFS | more)
    root.live = True
    found = read_disk(root)
    assert (found.kind, found.device, found.directory) == (kind, device, MODELS)
    captured = read_disk(Held(BTRFS | more))
    assert (captured.kind, captured.device) == ("", "")
