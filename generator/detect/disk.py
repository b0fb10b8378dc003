"""The disk under the models: how long the first answer takes depends on it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from generator.detect import live
from generator.detect.detected import Disk
from generator.detect.root import one_line, pairs
from generator.units import whole

if TYPE_CHECKING:
    from generator.detect.detected import DiskKind
    from generator.detect.root import Root

_BLOCKS: Final = "/sys/dev/block"
_NAMED: Final = "/sys/class/block"
_BTRFS: Final = "/sys/fs/btrfs"
# Disks that a hypervisor makes up; most say that they spin.
_VIRTUAL: Final = ("vd", "xvd", "ubd")


def read_disk(root: Root) -> Disk:
    """Return the kind of the disk; unknown for file systems over several disks.

    A number that no device has is that of a file system like btrfs; its mount names the device.
    """
    printed = root.tool("models-disk.txt")
    text, _, directory = printed.partition("\n")[0].partition(" ")
    number = whole(text)
    if not number:
        root.strange("models-disk.txt", printed)
        return Disk()
    folder = f"{_BLOCKS}/{os.major(number)}:{os.minor(number)}"
    event = pairs(root.text(f"{folder}/uevent"), "=")
    if not event and root.live:
        folder = f"{_NAMED}/{_alone(root, live.disk_of(directory))}"
        event = pairs(root.text(f"{folder}/uevent"), "=")
    name, where = one_line(event.get("DEVNAME", ""), 40), one_line(directory)
    if event.get("DEVTYPE") == "partition":
        # `nvme0n1` of `nvme0n1p2`, `sda` of `sda1`.
        name = re.sub(r"(?<=\d)p\d+$|(?<=[a-z])\d+$", "", name).replace("/", "")
        folder = f"{_NAMED}/{name}"
    if not name or name.startswith(_VIRTUAL):
        return Disk("", name, where)
    spinning = root.text(f"{folder}/queue/rotational")
    kinds: dict[str, DiskKind] = {"1": "hdd", "0": "nvme" if name.startswith("nvme") else "ssd"}
    if spinning not in kinds:
        root.strange(f"{folder}/queue/rotational", spinning)
    return Disk(kinds.get(spinning, ""), name, where)


def _alone(root: Root, device: str) -> str:
    """Return the device, unless it is one of several under a file system."""
    sets = (root.names(f"{_BTRFS}/{name}/devices") for name in root.names(_BTRFS))
    return "" if any(device in names and len(names) > 1 for names in sets) else device
