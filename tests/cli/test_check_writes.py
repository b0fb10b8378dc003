"""What `gen check --fix` writes to, what it leaves alone, and what it says where writing fails."""

import json
import subprocess
from pathlib import Path

import pytest

from generator.files.backup import find
from tests.commands import called
from tests.tools import require

WRONG = "[Service]\nEnvironment=OLLAMA_KEEPALIVE=1h\n"
RIGHT = "[Service]\nEnvironment=OLLAMA_KEEP_ALIVE=1h\n"
LONG = f"{'x' * 245}.conf"
"""A name to which nothing can be added, as the name of a new file beside it has."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a drop-in, below the current directory."""
    folder = tmp_path / "there" / "ollama.service.d"
    folder.mkdir(parents=True)
    (folder / "a.conf").write_text(WRONG)
    monkeypatch.chdir(tmp_path / "there")
    return folder


def gen(*args: str) -> subprocess.CompletedProcess[str]:
    return called("check", *args, cwd=Path.cwd())


def test_of_a_hard_link_every_report_says_that_it_is_left_alone(folder: Path) -> None:
    (folder / "other-name").hardlink_to(folder / "a.conf")
    why = "a new file would take one of its 2 names (hard links)"
    (told,) = json.loads(gen(".", "--json").stdout)["findings"]
    assert (told["fixable"], told["withheld"]) == (False, why)
    for options in ((), ("--fix",)):
        text = " ".join(gen(".", *options).stdout.split())
        assert f"(not by --fix: {why})" in text
        assert "--fix mends" not in text
    assert gen(".", "--fix", "--diff").stdout == ""
    assert (folder / "a.conf").read_text() == WRONG


@pytest.mark.parametrize(
    "more", [("b.conf", "a.conf"), ("../llm.service.d/b.conf", "../ollama.service.d/a.conf")]
)
def test_a_file_with_a_link_to_it_is_mended_once(more: tuple[str, str], folder: Path) -> None:
    (folder / more[0]).parent.mkdir(exist_ok=True)
    (folder / more[0]).symlink_to(more[1])
    patch = gen(".", "--fix", "--diff").stdout
    assert patch.count("\n@@") == 1
    result = gen(".", "--fix")
    assert result.stderr.count("mended ") == 1
    assert "error" not in result.stderr
    assert (folder / "a.conf").read_text() == RIGHT
    (folder / "a.conf").write_text(WRONG)
    program = require("patch")
    subprocess.run([program, "-p1"], input=patch, text=True, check=True, capture_output=True)
    assert (folder / "a.conf").read_text() == RIGHT


def test_what_fails_is_told_and_the_others_are_mended(folder: Path) -> None:
    other = "[Service]\nEnvironment=OLLAMA_NUM_PARALEL=2\n"
    (folder / LONG).write_text(other)
    result = gen(".", "--fix")
    assert result.returncode == 3
    [kept] = [each.kept for each in find(folder / "a.conf").backups]
    assert f"mended ollama.service.d/a.conf: 1 finding; as it was: {kept}\n" in result.stderr
    assert "error: cannot write `ollama.service.d/x" in result.stderr
    assert "File name too long" in result.stderr
    assert "OLLAMA_NUM_PARALEL" in result.stdout
    assert (folder / "a.conf").read_text() == RIGHT
    assert (folder / LONG).read_text() == other


def test_where_nothing_is_mended_that_is_said(folder: Path) -> None:
    (folder / "a.conf").rename(folder / LONG)
    result = gen(".", "--fix")
    assert result.returncode == 3
    assert result.stderr.startswith("error: nothing is mended: cannot write `ollama.service.d/x")
    assert "-o" not in result.stderr
