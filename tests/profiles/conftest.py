"""What tests of profiles take."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a profile, which is not there yet."""
    return tmp_path / "mine.toml"
