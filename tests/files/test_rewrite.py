"""Files of the user's: whole, and over nothing that is there, or that nobody has read."""

import os
from pathlib import Path

import pytest

from generator.errors import EnvironmentFailure, WriteRefused
from generator.files.rewrite import create, rewrite_all


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


def test_nothing_is_written_where_something_is_seen_to_stand_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {str(tmp_path / name / "f"): ("old\n", "new\n") for name in "abc"}
    for name in files:
        Path(name).parent.mkdir()
        Path(name).write_text("old\n")
    (tmp_path / "b" / "f").write_text("other\n")
    # Root may write everywhere.
    asked = os.access
    monkeypatch.setattr(os, "access", lambda at, mode: at != tmp_path / "c" and asked(at, mode))
    done = rewrite_all(files, "leave it out")
    assert done.kept == {}
    assert [error.exit_code for error in done.failed] == [2, 3]
    assert [error.message for error in done.failed] == [
        f"`{tmp_path}/b/f` has changed meanwhile",
        f"cannot write `{tmp_path}/c/f`: Permission denied",
    ]
    assert done.failed[1].hint == "run as a user who may do that there, or leave it out"
    assert (tmp_path / "a" / "f").read_text() == "old\n"


def test_what_fails_all_the_same_stops_no_other(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a", "x" * 250, "z")]
    for name in names:
        Path(name).write_text("old\n")
    done = rewrite_all(dict.fromkeys(names, ("old\n", "new\n")))
    assert [*done.kept] == [names[0], names[2]]
    assert [error.exit_code for error in done.failed] == [3]
    assert [Path(name).read_text() for name in names] == ["new\n", "old\n", "new\n"]
    assert done.kept[names[0]].read_text() == "old\n"
