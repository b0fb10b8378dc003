"""The disk under the models: how long the first answer takes depends on it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.detect import live
from generator.detect.detected import Disk
from generator.detect.root import one_line, pairs
from generator.units import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.detected import DiskKind
    from generator.detect.root import Root

_BLOCKS: Final = "/sys/dev/block"
_NAMED: Final = "/sys/class/block"
_BTRFS: Final = "/sys/fs/btrfs"
_PLACE: Final = "models-disk.txt"
_MOUNT: Final = "models-mount.txt"
_TYPE_AND_PLACE: Final = re.compile(r"[\w.+-]+ /")
_POINT: Final = 4  # where in a line of these the directory is
_MOUNTS: Final = "/proc/self/mountinfo"
# Disks that a hypervisor makes up, most of which say that they spin, and cards of flash memory,
# which are no solid state disk.
_UNKNOWN: Final = ("vd", "xvd", "ubd", "mmcblk")
_STACKED: Final = ("dm-", "md")
_DEPTH: Final = 4  # encryption on volumes on arrays of partitions
# What another machine holds, or the one that this one is a guest of.
NETWORK: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs"),
        *("afs", "ocfs2", "gfs2", "9p", "virtiofs", "fuse.sshfs", "fuse.glusterfs", "fuse.rclone"),
        *("fuse.s3fs", "fuse.juicefs", "fuse.ceph", "fuse.gcsfuse", "fuse.mount-s3", "davfs"),
    }
)
_SLOW: Final = (
    "models lie there on a network file system (%s): a cold load takes as long as the network "
    "takes, and a server that starts before it is mounted finds none"
)


def read_disk(root: Root) -> Disk:
    """Return the kind of the disk; unknown for file systems over disks of several kinds.

    A number that no device has is that of a file system like btrfs; its mount names the device.
    """
    printed = root.tool(_PLACE)
    text, _, directory = printed.partition("\n")[0].partition(" ")
    number = whole(text)
    if not number:
        root.strange(_PLACE, printed)
        return _by_place(root)
    device, where = f"{os.major(number)}:{os.minor(number)}", one_line(directory)
    system = _file_system(root, device)
    if system in NETWORK:
        root.warn(where or _MOUNT, _SLOW % system)
        return Disk("network", "", where, system)
    folder = f"{_BLOCKS}/{device}"
    if not root.text(f"{folder}/uevent") and root.live:
        folder = f"{_NAMED}/{_alone(root, live.disk_of(directory))}"
    disks = sorted(set(_disks(root, folder)))
    kinds = {_kind(root, name) for name in disks}
    return Disk(kinds.pop() if len(kinds) == 1 else "", ", ".join(disks), where, system)


def _file_system(root: Root, device: str) -> str:
    """Return the type of the file system with a number like `0:45`; empty: nobody says."""
    mount = root.tool(_MOUNT)
    told = mount.partition(" ")[0] if _TYPE_AND_PLACE.match(mount) else ""
    if not told:
        root.strange(_MOUNT, mount)
    # `36 35 0:45 / /mnt/models rw shared:1 - nfs4 nas:/models rw`; a live one is asked by `live`.
    lines = [] if told or root.live else root.text(_MOUNTS).splitlines()
    mounts = (line.partition(" - ") for line in lines if line.split()[2:3] == [device])
    return one_line(told or next((m[2].partition(" ")[0] for m in mounts), ""), 30)


def _by_place(root: Root) -> Disk:
    """Return what is mounted where models are, where only the mounts are known."""
    lines = (line.split() for line in root.text(_MOUNTS).splitlines())
    whole = (fields for fields in lines if len(fields) > _POINT and "-" in fields[:-1])
    mounts = {fields[_POINT]: fields[fields.index("-") + 1] for fields in whole}
    for directory in live.MODEL_DIRECTORIES[:3]:
        above = (at for at in mounts if Path(directory).is_relative_to(at) and at != "/")
        system = mounts.get(max(above, key=len, default=""), "")
        if system in NETWORK:
            root.warn(directory, _SLOW % system)
            return Disk("network", "", directory, system)
    return Disk()


def _disks(root: Root, folder: str, depth: int = 0) -> Iterator[str]:
    """Yield the disks that a device lies on: itself, the one it is a part of, or those below."""
    event = pairs(root.text(f"{folder}/uevent"), "=")
    name = one_line(event.get("DEVNAME", ""), 40).replace("/", "")
    if event.get("DEVTYPE") == "partition":
        # `nvme0n1` of `nvme0n1p2`, `sda` of `sda1`.
        yield re.sub(r"(?<=\d)p\d+$|(?<=[a-z])\d+$", "", name)
    elif name.startswith(_STACKED) and depth < _DEPTH:
        for below in root.names(f"{_NAMED}/{name}/slaves"):
            yield from _disks(root, f"{_NAMED}/{name}/slaves/{below}", depth + 1)
    elif name:
        yield name


def _kind(root: Root, name: str) -> DiskKind:
    """Return the kind of a whole disk by its name, like `sda`; empty: unknown."""
    if name.startswith(_UNKNOWN):
        return ""
    path = f"{_NAMED}/{name}/queue/rotational"
    spinning = root.text(path)
    kinds: dict[str, DiskKind] = {"1": "hdd", "0": "nvme" if name.startswith("nvme") else "ssd"}
    if spinning not in kinds:
        root.strange(path, spinning)
    return kinds.get(spinning, "")


def _alone(root: Root, device: str) -> str:
    """Return the device, unless it is one of several under a file system."""
    sets = (root.names(f"{_BTRFS}/{name}/devices") for name in root.names(_BTRFS))
    return "" if any(device in names and len(names) > 1 for names in sets) else device
