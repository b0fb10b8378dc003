"""`gen completion`: what real shells make of a line when somebody presses Tab."""

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from generator.cli import COMMANDS, gen
from generator.cli.complete import complete, spellings
from generator.cli.complete_values import COMPLETERS, Word
from generator.cli.completion_command import SHELLS
from tests.commands import run

# What nobody can know before: numbers, names, times, sizes, commands, addresses.
FREE = {
    *(
        "COMMAND",
        "N",
        "N,…",
        "NAME",
        "SHARE",
        "SIZE",
        "SIZE,...",
        "SIZE,…",
        "TAG",
        "TIME",
        "TIME|latest",
        "URL",
    ),
}


def values(line: str, breaks: str = "") -> list[str]:
    return [word.value for word in complete(line, breaks)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("gen sho", ["show"]),
        ("gen xe", ["xeon-cpu"]),
        ("FOO=1 ./bin/gen -p dg", ["dgx-spark"]),
        ("gen xeon-cpu -t pl", ["plan"]),
        ("gen show xeon-cpu --set threads.", ["threads.count="]),
        ("gen show --set ollama.flash_attention=", ["true", "false"]),
        ("gen xeon-cpu --set=ollama.acceleration=r", ["rocm"]),
        ("gen explain ollama_keep_", ["OLLAMA_KEEP_ALIVE"]),
        ("gen explain keep_al", ["keep_alive"]),
        ("gen check --select HW1,hw30", [f"HW1,HW30{number}" for number in range(1, 10)]),
        ("gen fit -m gpt-oss:1", ["gpt-oss:120b"]),
        ("gen xeon-cpu --nixos 25.1", ["25.11"]),
        ("gen completion z", ["zsh"]),
        ("gen show 'not clos", []),
        ("gen show x.toml --nonsense=", []),
        ("gen show \x00", []),
    ],
)
def test_what_may_stand_where_the_cursor_is(line: str, expected: list[str]) -> None:
    found = [value.rpartition("=")[2] if "." not in line else value for value in values(line)]
    assert [value.removeprefix(line.rpartition(" ")[2].rpartition("=")[0] + "=")
            for value in found] == expected  # fmt: skip


def test_bash_takes_what_follows_a_colon_for_a_word() -> None:
    assert values("gen fit -m gpt-oss:1", " =:") == ["120b"]


def test_files_that_may_be_a_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mine.toml", "my notes.toml", "mine.txt", ".hidden.toml"):
        (tmp_path / name).touch()
    (tmp_path / "more").mkdir()
    monkeypatch.chdir(tmp_path)
    assert complete("gen show m") == [
        *(Word("mine.toml"), Word("more/", kind="part"), Word("my notes.toml")),
    ]
    assert values("gen show ./mi") == ["./mine.toml"]
    assert values("gen show nowhere/mi") == []
    assert complete("gen check --html ") == [Word("", kind="file")]


def test_every_value_of_every_command_is_completed_or_free() -> None:
    context = click.Context(gen)
    for name in COMMANDS:
        command = gen.get_command(context, name)
        assert command is not None
        for param in command.params:
            plain = type(param.type) is type(click.STRING)
            if plain and not getattr(param, "is_flag", False):
                known = {*spellings(param)} & {*COMPLETERS, *FREE}
                assert known, f"gen {name}: {param.opts} {param.metavar}"


TYPED = (
    ("gen sho\t", "gen show"),
    ("gen show xeon-cpu --set threads.\t8", "gen show xeon-cpu --set threads.count=8"),
    ("gen fit -m gpt-oss:1\t", "gen fit -m gpt-oss:120b"),
    ("gen explain OLLAMA_KEEP_\t", "gen explain OLLAMA_KEEP_ALIVE"),
)
STARTS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--interactive"],
}
SOURCED = {
    "bash": 'bind "set bell-style none"; eval "$(gen completion bash)"',
    "zsh": 'autoload -Uz compinit; compinit -D -u; eval "$(gen completion zsh)"',
    "fish": "gen completion fish | source",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes(shell: str, tmp_path: Path) -> None:
    """Each line goes to the shell with its tabs; then it is quoted and printed, as it stands."""
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    (tmp_path / "gen").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m generator "$@"\n')
    (tmp_path / "gen").chmod(0o755)
    lines = [f"{typed}\x05'\x01echo 'made: \r" for typed, _ in TYPED]
    said = at_a_terminal(shell, tmp_path, [SOURCED[shell] + "\r", *lines, "exit\r"])
    for _, made in TYPED:
        assert f"made: {made}" in said, said


def at_a_terminal(shell: str, folder: Path, lines: list[str]) -> str:
    ours, theirs = pty.openpty()
    kept = ("LANG", "LC_ALL")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env |= {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), "TERM": "dumb"}
    env |= {"PYTHONPATH": str(Path(__file__).parents[2]), "PS1": "$ "}
    with subprocess.Popen(
        ["setsid", "--ctty", *STARTS[shell]],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=env,
    ) as process:  # fmt: skip
        os.close(theirs)
        os.write(ours, "".join(lines).encode())
        said = b""
        try:
            while piece := os.read(ours, 65536):
                said += piece
        except OSError:
            pass  # the shell has ended
        os.close(ours)
        process.wait(timeout=30)
    return said.decode(errors="replace")


def test_the_script_as_json_and_a_shell_that_there_is_not() -> None:
    assert '"shell": "fish"' in run("completion", "fish", "--json").output
    assert isinstance(run("completion", "tcsh").exception, click.BadParameter)
