"""What names of storage tell: whether it is behind a network, and sizes in mount options."""

from __future__ import annotations

import re
from typing import Final

from generator.readers.syntax import docker

_NETWORK: Final = re.compile(
    r"(?<![a-z])(?:nfs\d*|cifs|smb\d*|smbfs|sshfs|efs|azurefile|filestore|glusterfs|s3fs|rclone"
    r"|ceph-?fs|webdav|davfs)(?![a-z])",
    re.IGNORECASE,
)
_SIZE: Final = re.compile(r"(?:^|,)\s*size=(\d+)([kmgt]?)b?(?=,|$)", re.IGNORECASE | re.ASCII)


def network(*names: str) -> str:
    """Return the first of some drivers, classes or types that is storage of a network."""
    return next((name for name in names if _NETWORK.search(name)), "")


def size_option(options: str) -> int:
    """Return the bytes of `size=` among mount options; 0: there is none, or a share of memory."""
    found = _SIZE.search(options)
    try:
        return docker.size(f"{found[1]}{found[2]}") if found else 0
    except ValueError:
        return 0
