"""A profile and the machine read again: what is near stays, and all that is somebody's."""

import tomllib
from pathlib import Path

import pytest

from generator.detect.again import updated
from generator.errors import ProfileError
from tests.commands import called
from tests.detect.machines import tree

OLD = """# mine
schema_version = 1
name = "mine"

[host]
memory = "31GiB"  # two modules
cpu = { model = "x", cores = 12 }

[[host.gpus]]
name = "A"
memory = "24GiB"

[threads]
count = 8

[[models]]
name = "qwen3:4b"
"""
FRESH = """schema_version = 1
name = "other"
[host]
memory = "30GiB"
cpu = { model = "x", cores = 16 }
[[host.gpus]]
name = "A"
memory = "16GiB"
[[host.gpus]]
name = "B"
[threads]
count = 16
[ollama]
num_parallel = 2
"""


def test_what_is_far_off_changes_and_the_rest_stays_letter_by_letter() -> None:
    text, told = updated(OLD, FRESH, "mine.toml")
    assert tomllib.loads(text) == {
        "schema_version": 1,
        "name": "mine",
        "host": {
            "memory": "31GiB",
            "cpu": {"model": "x", "cores": 16},
            "gpus": [{"name": "A", "memory": "16GiB"}],
        },
        "threads": {"count": 16},
        "models": [{"name": "qwen3:4b"}],
    }
    assert "# mine\n" in text
    assert 'memory = "31GiB"  # two modules\n' in text
    assert "count = 16 # detected: was 8\n" in text
    assert {each.key: each.kept for each in told} == {
        "host.memory": "within 5 %",
        "host.cpu.cores": "",
        "host.gpus.0.memory": "",
        "host.gpus.1.name": "the file does not have it",
        "threads.count": "",
        "ollama.num_parallel": "the file does not have it",
    }
    assert updated(text, FRESH, "mine.toml")[0] == text


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(ProfileError):
        updated("[host", FRESH, "mine.toml")


def test_the_command_backs_up_and_shows(tmp_path: Path) -> None:
    file = tmp_path / "here.toml"
    machine = ("--root", str(tree("xeon-cpu", tmp_path / "machine")))
    called("detect", *machine, "-o", str(file))
    again = called("detect", *machine, "-o", str(file), "--update")
    assert (again.returncode, again.stdout) == (0, "")
    assert "stays as it is" in again.stderr
    written = file.read_text()
    file.write_text(written.replace("cores = 12", "cores = 6"))
    dry = called("detect", *machine, "-o", str(file), "--update", "--diff")
    assert "cores = 12" in dry.stdout
    assert "cores = 6" in file.read_text()
    done = called("detect", *machine, "-o", str(file), "--update")
    assert "kept as it was: " in done.stderr
    assert tomllib.loads(file.read_text())["host"]["cpu"]["cores"] == 12
    assert called("detect", *machine, "--update").returncode == 2
    assert called("detect", *machine, "--diff", "-o", str(file)).returncode == 2
