from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.check.gather import CheckRequest, check, notes
from generator.check.report import Report
from generator.check.settings import NAME, Settings, read_settings
from generator.errors import ProfileError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """
[check]
ignore = ["HW203"]

[[check.paths]]
path = "old/**"
ollama_version = "0.9"
nixos = "25.11"
ignore = ["HW4"]

[[check.paths]]
path = "*.env"
select = ["HW1"]
"""


def settings(folder: Path, text: str) -> Settings:
    (folder / NAME).write_text(text)
    return read_settings(load_catalogue(), folder)


def test_a_rule_is_wanted_by_path(tmp_path: Path) -> None:
    found = settings(tmp_path, TEXT)
    wanted = {
        (file, rule): found.wants(str(tmp_path / file), rule)
        for file in ("a.conf", "old/deep/a.conf", "new/a.env")
        for rule in ("HW203", "HW401", "HW109")
    }
    assert [key for key, value in wanted.items() if value] == [
        ("a.conf", "HW401"),
        ("a.conf", "HW109"),
        ("old/deep/a.conf", "HW109"),
        ("new/a.env", "HW109"),
    ]
    assert not found.wants("/elsewhere/a.conf", "HW203")


def test_a_release_is_told_by_path(tmp_path: Path) -> None:
    found = settings(tmp_path, TEXT)
    assert str(found.release(str(tmp_path / "old/x/a.conf"))) == "0.9.6"
    assert found.release(str(tmp_path / "a.conf")) is None
    assert found.channel(str(tmp_path / "old/x/a.nix")) == "25.11"
    assert found.channel(str(tmp_path / "a.nix")) == ""


def test_the_nearest_file_counts_and_a_repository_ends_the_search(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('[check]\nignore = ["HW1"]\n')
    inner = tmp_path / "repository" / "deploy"
    inner.mkdir(parents=True)
    assert read_settings(load_catalogue(), inner).scopes[0].ignore == ("HW1",)
    (tmp_path / "repository" / ".git").mkdir()
    assert read_settings(load_catalogue(), inner) == Settings()


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """
[chek]
[check]
ignore = ["HW999"]
select = "HW1"
colour = true
[[check.paths]]
ignore = ["HW1"]
[[check.paths]]
path = "a"
ollama_version = "0.0.1"
nixos = "25.10"
"""
    with pytest.raises(ProfileError) as told:
        settings(tmp_path, text)
    assert {problem.where for problem in told.value.problems} == {
        "chek",
        "check.colour",
        "check.select",
        "check.ignore",
        "check.paths.0",
        "check.paths.1.ollama_version",
        "check.paths.1.nixos",
    }
    for broken in ("[check", "check = 1\n", "check = []\n"):
        with pytest.raises(ProfileError):
            settings(tmp_path, broken)


def test_a_check_follows_them(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        text = "LLAMA_ARG_THREADS=4\nOLLAMA_KEEP_ALIVE=1d\n"
        (tmp_path / name / "ollama.env").write_text(text)
    found = settings(tmp_path, TEXT)
    report = check(CheckRequest(paths=[str(tmp_path)], settings=found))
    told = [(p.place.file.split("/")[-2], p.finding.rule) for p in report.findings]
    assert sorted(told) == [("new", "HW109"), ("old", "HW103"), ("old", "HW109")]
    report = check(CheckRequest(paths=[str(tmp_path)], settings=found, select=["HW103"]))
    assert [p.finding.rule for p in report.findings] == ["HW103"]


@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_what_is_no_file_is_refused_and_not_passed_over(kind: str, tmp_path: Path) -> None:
    path = tmp_path / NAME
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "gone")
    with pytest.raises(ProfileError) as told:
        read_settings(load_catalogue(), tmp_path)
    assert "TOML" not in told.value.problems[0].message


def test_unknown_keys_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as told:
        settings(tmp_path, "[check]\nzeta = 1\nalpha = 2\nmu = 3\n")
    assert [problem.where for problem in told.value.problems] == [
        "check.zeta",
        "check.alpha",
        "check.mu",
    ]


def test_a_path_that_matches_no_file_is_told(tmp_path: Path) -> None:
    found = settings(tmp_path, TEXT)
    assert found.idle([]) == ["old/**", "*.env"]
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "any").touch()
    assert found.idle([]) == ["*.env"]
    assert found.idle([str(tmp_path / "gone.env")]) == []


def test_among_too_many_files_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(tmp_path, TEXT)
    (tmp_path / "a").touch()
    monkeypatch.setattr("generator.check.settings.MOST_FILES", 0)
    assert found.idle([]) == []


def test_a_release_beyond_those_that_are_known_is_told(tmp_path: Path) -> None:
    wanted = CheckRequest(version="9.9", settings=settings(tmp_path, '[check]\nignore = ["HW1"]\n'))
    (sentence,) = notes(wanted, Report((), {}))
    assert sentence.startswith("Ollama 9.9.0 is newer than ")
    found = settings(tmp_path, '[check]\nollama_version = "9.8"\n')
    assert [s.split()[1] for s in notes(CheckRequest(settings=found), Report((), {}))] == ["9.8.0"]
    assert [*notes(CheckRequest(version="0.30"), Report((), {}))] == []
