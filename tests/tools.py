"""Where a test needs a real program: found, or the test is skipped here and fails in CI."""

from __future__ import annotations

import os
import shutil

import pytest

# systemd keeps itself and its helpers off the PATH.
_ALSO = ("/usr/lib/systemd", "/lib/systemd", "/usr/sbin", "/sbin")


def require(tool: str) -> str:
    """Return the path of `tool`; without it skip, or fail where `CI` is `true`."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_ALSO))
    found = shutil.which(tool, path=path)
    if found:
        return found
    if os.environ.get("CI") == "true":
        pytest.fail(f"{tool} is not installed, and CI must run this test")
    pytest.skip(f"{tool} is not installed")
