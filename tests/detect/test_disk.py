"""The disk under the models."""

from __future__ import annotations

import os

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.detect.derive import derive
from generator.detect.detected import Disk
from generator.detect.disk import read_disk
from generator.detect.machine import read_machine
from generator.detect.situation import situation_of
from tests.detect.machines import RECONSTRUCTED, Held, files_of, machine


def test_a_partition_has_the_disk_of_its_whole() -> None:
    kinds = {name: machine(name).disk.kind for name in RECONSTRUCTED}
    assert kinds == {
        "apple-vm": "",
        "dgx-spark": "nvme",
        "dual-pascal": "ssd",
        "epyc-four-cards": "network",
        "hybrid-laptop": "",
        "jetson-orin": "nvme",
        "kubernetes-pod": "",
        "mig-guest": "",
        "mig-two-slices": "",
        "radeon": "nvme",
        "raspberry-pi-5": "",
        "small-container": "",
        "strix-halo": "nvme",
        "two-sockets": "hdd",
        "vgpu-guest": "",
        "wsl2": "",
        "xeon-cpu": "nvme",
    }


PLACE = "/usr/share/ollama/.ollama/models"
TOOLS = ".hostwright/tools"


def disk(number: int, files: dict[str, str]) -> tuple[Disk, list[str]]:
    root = Held({f"{TOOLS}/models-disk.txt": f"{number} {PLACE}\n", **files})
    return read_disk(root), [f"{w.where}: {w.message}" for w in root.warnings]


@pytest.mark.parametrize("system", ["nfs4", "cifs", "fuse.sshfs", "virtiofs", "ceph"])
def test_models_on_another_machine_are_told(system: str) -> None:
    found, told = disk(45, {f"{TOOLS}/models-mount.txt": f"{system} /mnt/models\n"})
    assert found == Disk("network", "", PLACE, system)
    assert [told[0].split(":")[0], system in told[0]] == [PLACE, True]


MOUNTS = (
    "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
    "36 22 0:45 / /usr/share/ollama rw,relatime shared:9 - nfs4 nas:/models rw,vers=4.2\n"
)


def test_a_tree_may_have_the_mounts_alone() -> None:
    found, _ = disk(45, {"proc/self/mountinfo": MOUNTS})
    assert (found.kind, found.file_system) == ("network", "nfs4")
    root = Held({"proc/self/mountinfo": MOUNTS})
    assert read_disk(root).kind == "network"
    assert read_disk(Held({"proc/self/mountinfo": MOUNTS.partition("\n")[0]})) == Disk()


def test_a_network_keeps_models_loaded() -> None:
    files = {**files_of("xeon-cpu"), f"{TOOLS}/models-mount.txt": "nfs4 /mnt/models"}
    told = derive(situation_of(read_machine(Held(files)), load_catalogue()))
    kept = next(choice for choice in told if choice.key == "ollama.keep_alive")
    assert kept.reason.startswith("models lie on a network file system")


def volume(*disks: str) -> dict[str, str]:
    """A volume (dm-1) on an encrypted one (dm-0) on partitions of disks."""
    files = {
        "sys/dev/block/253:1/uevent": "DEVNAME=dm-1\nDEVTYPE=disk\n",
        "sys/class/block/dm-1/slaves/dm-0/uevent": "DEVNAME=dm-0\nDEVTYPE=disk\n",
    }
    for each in disks:
        part = f"{each}p3" if each[-1].isdecimal() else f"{each}3"
        path = f"sys/class/block/dm-0/slaves/{part}/uevent"
        files[path] = f"DEVNAME={part}\nDEVTYPE=partition\n"
        files[f"sys/class/block/{each}/queue/rotational"] = "1" if each == "sdb" else "0"
    return files


@pytest.mark.parametrize(
    ("disks", "kind"),
    [
        (("nvme0n1",), "nvme"),
        (("nvme0n1", "nvme1n1"), "nvme"),
        (("sda",), "ssd"),
        (("sdb",), "hdd"),
        (("nvme0n1", "sdb"), ""),
    ],
)
def test_a_volume_is_as_fast_as_what_it_lies_on(disks: tuple[str, ...], kind: str) -> None:
    found, _ = disk(os.makedev(253, 1), volume(*disks))
    assert (found.kind, found.device) == (kind, ", ".join(disks))


def test_a_card_of_flash_memory_is_no_solid_state_disk() -> None:
    event = "DEVNAME=mmcblk0p2\nDEVTYPE=partition\n"
    found, told = disk(os.makedev(179, 2), {"sys/dev/block/179:2/uevent": event})
    assert (found.kind, found.device, told) == ("", "mmcblk0", [])
