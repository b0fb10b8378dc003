"""What was printed before is printed again, with all that is told beside it, from memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_cli import ROOT, process

PLAIN = ("xeon-cpu",)
LIMITED = ("xeon-cpu", "-t", "all", "--set", "resources.nice=5")


@pytest.mark.parametrize("args", [PLAIN, LIMITED, (*LIMITED, "--json")], ids=len)
def test_the_second_start_decides_and_renders_nothing(
    args: tuple[str, ...], tmp_path: Path
) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path), "HOSTWRIGHT_NO_CACHE": "0", "PATH": "/usr/bin:/bin"}
    code = (
        "import sys; from generator.cli import main\n"
        f"try: main({list(args)!r})\n"
        "finally: assert not {'generator.plan', 'generator.targets.base'} & set(sys.modules)"
    )
    first = process(*args, env=env)
    second = subprocess.run(
        [sys.executable, "-c", code],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert first.returncode == second.returncode == 0, second.stderr
    assert second.stdout == first.stdout
    assert second.stderr == first.stderr
    assert ("HW601" in first.stderr) == (args != PLAIN)


def test_what_is_asked_otherwise_is_another_output(tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path), "HOSTWRIGHT_NO_CACHE": "0"}
    mine = tmp_path / "mine.toml"
    mine.write_text('schema_version = 1\nname = "mine"\n')
    asked = [
        (str(mine),),
        (str(mine), "--json"),
        (str(mine), "-t", "compose"),
        (str(mine), "-t", "systemd"),
        (str(mine), "-t", "systemd", "--full-unit"),
        (str(mine), "--ollama-version", "0.9"),
        (str(mine), "--set", "ollama.port=11500"),
    ]
    outputs = [process(*args, env=env).stdout for args in asked]
    assert len({*outputs}) == len(asked)
    mine.write_text('schema_version = 1\nname = "mine"\n[threads]\ncount = 3\n')
    assert process(str(mine), env=env).stdout != outputs[0]


def test_a_refusal_is_not_remembered(tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path), "HOSTWRIGHT_NO_CACHE": "0"}
    refused = ("xeon-cpu", "--ollama-version", "nonsense")
    assert [process(*refused, env=env).returncode for _ in range(2)] == [2, 2]
