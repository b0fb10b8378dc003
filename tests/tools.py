"""Where a test needs a real program or package: found, or skipped here and a failure in CI."""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from types import ModuleType

_TOOLS = str(Path(__file__).parents[1] / ".tools")
# systemd keeps itself and its helpers off the PATH; tools/consumers.sh puts programs into _TOOLS.
_ALSO = ("/usr/lib/systemd", "/lib/systemd", "/usr/sbin", "/sbin", _TOOLS)


def require(tool: str, folder: Path | None = None) -> str:
    """Return the path of `tool`, that in `folder` if given; without it skip, or fail where `CI` is
    `true`.
    """
    every = (os.environ.get("PATH", os.defpath), *_ALSO)
    path = str(folder) if folder else os.pathsep.join(every)
    found = shutil.which(tool, path=path)
    if not found:
        _missing(tool)
    return found


def require_package(module: str) -> ModuleType:
    """Return the Python module; without it skip, or fail where `CI` is `true`.

    For packages that not every distribution has; the project's own environment has them all.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        _missing(f"the Python package {module.partition('.')[0]}")


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed, and CI must run this test")
    pytest.skip(f"{what} is not installed", allow_module_level=True)
