"""Backups: found with their times, put back, and nothing lost by that."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from generator.errors import EnvironmentFailure, WriteRefused
from generator.files import backup
from generator.files.backup import back_up, changes, find, put_back
from generator.files.links import led_out

FIRST = datetime(2026, 11, 30, 15, 35, 1, tzinfo=UTC)
LATER = datetime(2026, 12, 1, 8, 0, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(backup, "now", lambda: LATER)
    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub/a.conf"
    path.write_text("one\n")
    path.chmod(0o600)
    back_up(path, FIRST)
    path.unlink()
    path.write_text("two\n")
    return path


def test_backups_are_found_below_a_directory_and_of_a_file(file: Path, tmp_path: Path) -> None:
    [found] = find(tmp_path).backups
    assert (found.file, found.time, found.stamp) == (file, FIRST, "20261130T153501Z")
    assert find(file).backups == find(found.kept).backups == (found,)
    assert find(tmp_path / "sub/other").backups == ()


def test_none_is_in_the_tree(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [found] = find(tmp_path).backups
    state = Path(os.environ["XDG_STATE_HOME"])
    assert found.kept == state / "hostwright/backups" / str(file.parent)[1:] / found.kept.name
    assert [path.name for path in file.parent.iterdir()] == ["a.conf"]
    assert stat.S_IMODE((state / "hostwright/backups").stat().st_mode) == 0o700
    for nowhere in ("", str(file / "no directory")):  # beside it, and found as well
        monkeypatch.setenv("XDG_STATE_HOME", nowhere)
        monkeypatch.setenv("HOME", nowhere)
        kept = back_up(file, LATER)
        assert kept.parent == file.parent
        assert [each.kept for each in find(tmp_path).backups] == [kept]


def test_the_folder_of_backups_below_a_place_has_no_files_of_its_own(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    kept = back_up(file, LATER)
    assert kept.is_relative_to(tmp_path / "state")
    assert [(each.file, each.kept) for each in find(tmp_path).backups] == [(file, kept)]
    assert [each.file for each in find(kept).backups] == [file]


def test_names_that_are_no_backups_and_links_are_passed_over(file: Path, tmp_path: Path) -> None:
    (tmp_path / "x.before-20261399T000000Z").write_text("no day\n")
    (tmp_path / "x.before-hostwright").write_text("of apply.sh\n")
    (tmp_path / "y.before-20261130T153501Z").symlink_to("/etc/passwd")
    (find(file).backups[0].kept.parent / "z.before-20261130T153501Z").symlink_to("/etc/passwd")
    assert [each.file for each in find(tmp_path).backups] == [file]


def test_what_is_put_back_has_its_mode_and_what_was_there_is_kept(file: Path) -> None:
    found = find(file).backups
    [kept] = put_back(found)
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("one\n", 0o600)
    assert (kept.name, kept.read_text()) == ("a.conf.before-20261201T080000Z", "two\n")
    file.write_text("edited in place\n")
    assert found[0].kept.read_text() == "one\n"


def test_a_file_that_is_gone_comes_back_and_one_that_is_the_same_stays(file: Path) -> None:
    file.unlink()
    found = find(file).backups
    assert put_back(found) == ()
    assert file.read_text() == "one\n"
    assert changes(found) == ()
    assert put_back(found) == ()


def test_what_is_in_the_way_is_named_and_all_stays(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "b"
    other.write_text("one\n")
    back_up(other, FIRST)
    other.unlink()
    other.symlink_to(file)
    with pytest.raises(WriteRefused, match="/b` is no regular file"):
        put_back(find(tmp_path).backups)
    assert file.read_text() == "two\n"


def test_a_failure_leaves_all_as_it_was(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(path.name for path in (tmp_path / "sub").iterdir())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(EnvironmentFailure):
        put_back(find(file).backups)
    assert sorted(path.name for path in (tmp_path / "sub").iterdir()) == before
    assert file.read_text() == "two\n"


def test_without_hard_links_a_copy_is_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    file.chmod(0o640)
    kept = back_up(file, LATER)
    assert kept.stat().st_ino != file.stat().st_ino
    assert (kept.read_text(), stat.S_IMODE(kept.stat().st_mode)) == ("two\n", 0o640)


def test_a_link_is_told_that_leads_out_of_its_folder(tmp_path: Path) -> None:
    out, tree = tmp_path / "elsewhere", tmp_path / "tree"
    (tree / "in").mkdir(parents=True)
    out.mkdir()
    (tree / "away").symlink_to(out)
    (tree / "near").symlink_to("in")
    assert led_out(tree / "away") == Path(os.path.realpath(out))
    assert led_out(tree / "near") is None
    assert led_out(tree / "new") is None


def test_a_directory_that_is_gone_comes_back_with_its_files(file: Path, tmp_path: Path) -> None:
    file.unlink()
    file.parent.rmdir()
    found = find(file.parent).backups
    assert [each.file for each in found] == [file]
    assert put_back(found) == ()
    assert file.read_text() == "one\n"
    assert [path.name for path in file.parent.iterdir()] == ["a.conf"]
