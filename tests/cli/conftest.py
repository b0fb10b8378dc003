"""What tests of several commands take."""

from pathlib import Path

import pytest


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A directory that is not there yet."""
    return tmp_path / "out"
