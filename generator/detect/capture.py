"""Make an archive of what was read, so that the machine can be read again elsewhere.

It holds the files that the readers asked for and nothing else: no serial number, no host name, no
environment. Times, owners and order are fixed, so that the same content gives the same bytes.
"""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def archive_of(taken: Mapping[str, bytes]) -> bytes:
    """Return a tar archive of the files, by path."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(taken):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(taken[name]), 0o644
            archive.addfile(info, io.BytesIO(taken[name]))
    return stream.getvalue()
