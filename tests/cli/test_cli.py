"""The command as a whole: help, versions, exit codes, what a start imports."""

import subprocess
import sys

import pytest

from generator.cli import COMMANDS, main
from tests.commands import process, run


def test_an_unknown_target_or_flag_is_bad_usage() -> None:
    assert process("--profile", "xeon-cpu", "-t", "swarm").returncode == 2
    assert process("--profil", "xeon-cpu").returncode == 2
    assert process("shwo").returncode == 2


def test_the_bare_command_prints_help() -> None:
    result = process()
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: gen ")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_with_examples_and_json(name: str) -> None:
    text = run(name, "--help").output
    assert "Examples:" in text
    assert f"gen {name}" in text
    assert "--json" in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_main_help_names_every_command_and_exit_code() -> None:
    text = run("--help").output
    assert all(name in text for name in COMMANDS)
    assert "Exit codes" in text


@pytest.mark.parametrize("args", [("--version",), ("list",), ("--help",)])
def test_quick_commands_import_neither_pydantic_nor_jinja2(args: tuple[str, ...]) -> None:
    code = (
        "import sys; from generator.cli import main\n"
        f"try: main({list(args)!r})\n"
        "except SystemExit: pass\n"
        "print({'pydantic', 'jinja2', 'yaml'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr.splitlines()[-1] == "set()"


def test_main_exits_with_the_errors_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--profile", "nope"])
    assert caught.value.code == 2
    assert "there is no profile `nope`" in capsys.readouterr().err
