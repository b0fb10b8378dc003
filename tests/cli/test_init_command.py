"""`gen init`: from a machine to its files, and what it asks on the way."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from generator.cli import gen, init_command
from generator.detect.machine import read_machine
from generator.detect.root import archive_of
from generator.errors import WriteRefused
from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.detect.machines import root_of


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> str:
    """A Xeon without a GPU."""
    root = root_of("xeon-cpu")
    read_machine(root)
    (tmp_path / "machine.tar").write_bytes(archive_of(root.taken))
    return str(tmp_path / "machine.tar")


def asked(answers: str, *args: str) -> Result:
    return CliRunner().invoke(gen, ["init", *args], input=answers, standalone_mode=False)


def test_yes_asks_nothing_and_the_files_are_those_of_the_profile(
    machine: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    args = ("--root", machine, "--name", "mine", "-t", "plan", "--yes", "-o", str(out), "--json")
    done = called("init", *args)
    found = validated("init", done.stdout)
    assert (done.returncode, found["target"], found["profile"]) == (0, "plan", f"{out}/mine.toml")
    (model,) = tomllib.loads((out / "mine.toml").read_text())["models"]
    assert model["preload"] is True
    assert found["models"][0]["verdict"] == "fits"
    again = called("mine.toml", "-t", "plan", "-o", "mine", "--check", cwd=out)
    assert again.returncode == 0, again.stderr


def test_what_is_there_stays(machine: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("mine")
    args = ("--root", machine, "--name", "mine", "--yes", "-o", str(tmp_path))
    done = called("init", *args)
    assert done.returncode == WriteRefused("").exit_code == 2
    assert (tmp_path / "mine.toml").read_text() == "mine"
    assert not (tmp_path / "mine").exists()


def test_it_asks_what_is_open(
    machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(init_command, "somebody_there", lambda: True)
    args = ("--root", machine, "--name", "mine", "-t", "compose", "-o", str(tmp_path))
    done = asked("qwen3:4b, nomic-embed-text\n", *args)
    assert done.exception is None
    assert "Which models" in done.stderr
    found = tomllib.loads((tmp_path / "mine.toml").read_text())["models"]
    assert [model["name"] for model in found] == ["qwen3:4b", "nomic-embed-text"]
    assert (tmp_path / "mine/compose/compose.yaml").is_file()


def test_nobody_to_ask_and_nothing_agreed(machine: str, tmp_path: Path) -> None:
    done = called("init", "--root", machine, "-t", "nixos", "-o", str(tmp_path / "new"))
    assert done.returncode == 2
    assert done.stderr.startswith(
        "error: this machine does not tell -m, and there is nobody to ask"
    )
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "wrong", [("--name", "No Name"), ("-m", "\x1b[2J"), ("-m", 'a"]\n[host]'), ("-t", "swarm")]
)
def test_bad_input_writes_nothing(wrong: tuple[str, str], machine: str, tmp_path: Path) -> None:
    args = ("--root", machine, "--yes", "-o", str(tmp_path / "new"), *wrong)
    done = called("init", *args)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert not (tmp_path / "new").exists()
