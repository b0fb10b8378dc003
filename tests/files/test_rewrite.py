"""New files of the user's: whole, and over nothing that is there."""

from pathlib import Path

import pytest

from generator.errors import EnvironmentFailure, WriteRefused
from generator.files.rewrite import create


def test_a_new_file_is_written(tmp_path: Path) -> None:
    create(tmp_path / "a", b"new\n")
    assert (tmp_path / "a").read_bytes() == b"new\n"


def test_a_file_that_is_there_is_kept_or_forced(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old\n")
    with pytest.raises(WriteRefused, match="is there already"):
        create(path, b"new\n")
    assert path.read_bytes() == b"old\n"
    kept = create(path, b"new\n", force=True)
    assert path.read_bytes() == b"new\n"
    assert kept is not None
    assert kept.read_bytes() == b"old\n"
    assert set(tmp_path.iterdir()) == {path}
    assert create(path, b"new\n", force=True) is None
    assert create(path, b"newer\n", force=True, ours=True) is None
    assert set(tmp_path.iterdir()) == {path}


def test_a_dangling_link_counts_as_a_file(tmp_path: Path) -> None:
    link = tmp_path / "a"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteRefused):
        create(link, b"new\n")
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_and_a_missing_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(WriteRefused, match="is a directory"):
        create(tmp_path, b"", force=True)
    with pytest.raises(EnvironmentFailure, match="cannot write"):
        create(tmp_path / "no" / "a", b"")
