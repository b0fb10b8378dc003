"""A capture in an archive as a directory, for readers that open files by their paths."""

from __future__ import annotations

import os
import shutil
import weakref
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from generator.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Mapping


def unpacked(files: Mapping[str, bytes], owner: object) -> str:
    """Return a directory with the files of a capture, which goes when nobody has `owner` any more.

    Files whose names lead out of it are left out. Raises EnvironmentFailure.
    """
    try:
        folder = mkdtemp(prefix="hostwright-")
        weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
        for name, data in files.items():
            path = Path(os.path.normpath(os.path.join(folder, name)))  # noqa: PTH118
            if path.is_relative_to(folder) and str(path) != folder:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
    except (OSError, ValueError) as error:
        raise EnvironmentFailure(f"cannot unpack the capture: {error}") from error
    return folder
