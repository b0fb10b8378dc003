"""HW528: commands that are written for a shell, and get none."""

from pathlib import Path

import pytest

from generator.rules.registry import every_rule
from generator.view import View
from tests.rules.test_files import lines
from tests.texts import Text, told
from tests.views import found, view

RULE = every_rule()["HW528"]


def started(command: str) -> View:
    return view(lines=lines(f"[Service]\nExecStart={command}\n"))


CASES: dict[str, tuple[View, View]] = {
    "HW528": (started("OLLAMA_HOST=0.0.0.0 /usr/bin/ollama serve"), started("ollama serve")),
}


@pytest.mark.parametrize(
    "command",
    [
        "OLLAMA_HOST=0.0.0.0 /usr/bin/ollama serve",
        "cd /opt && /opt/ollama serve",
        "./ollama serve",
        "~/bin/ollama serve",
        "$HOME/bin/ollama serve",
        "/usr/bin/ollama serve > /var/log/ollama.log 2>&1",
        "/usr/bin/ollama serve &",
        "/bin/sh -c '/usr/bin/ollama serve &'",
        "/bin/bash -c 'nohup ollama serve > /var/log/o 2>&1 &'",
    ],
)
def test_a_line_of_the_shell_is_caught(command: str) -> None:
    assert found(RULE, started(command))


@pytest.mark.parametrize(
    "command",
    [
        "/usr/bin/ollama serve",
        "ollama serve",
        "%h/bin/ollama serve",
        "@/usr/bin/ollama ollama serve",
        "/bin/sh -c 'cd /opt && exec ./ollama serve > log 2>&1'",
        "/usr/bin/env OLLAMA_HOST=127.0.0.1 /usr/bin/ollama serve",
        "-./ollama serve",
        "/bin/sh -c 'ollama serve & wait'",
        "/bin/sh -c 'a && ollama serve'",
    ],
)
def test_a_command_of_systemd_is_left_alone(command: str) -> None:
    assert not found(RULE, started(command))


def test_a_shell_that_is_meant_to_end_is_left_alone() -> None:
    forking = "[Service]\nType=forking\nExecStart=/bin/sh -c 'ollama serve &'\n"
    assert not found(RULE, view(lines=lines(forking)))


def task(command: str) -> Text:
    return {"play.yml": f"- hosts: all\n  tasks:\n    - name: models\n      {command}\n"}


@pytest.mark.parametrize(
    "command",
    [
        "ansible.builtin.command: curl -fsSL https://ollama.com/install.sh | sh",
        "ansible.builtin.command: {cmd: 'ollama pull qwen3:8b || true'}",
        "command: ollama list > /tmp/models",
        "ansible.builtin.command: OLLAMA_HOST=10.0.0.5 ollama pull qwen3:8b",
        "command: nohup ollama serve &",
    ],
)
def test_a_task_that_starts_programs_itself_has_no_shell(command: str, tmp_path: Path) -> None:
    assert "HW528" in told(tmp_path, task(command))


@pytest.mark.parametrize(
    "command",
    [
        "ansible.builtin.shell: curl -fsSL https://ollama.com/install.sh | sh",
        "ansible.builtin.command: ollama pull {{ wanted | default('qwen3:8b') }}",
        "ansible.builtin.command: bash -c 'curl -fsSL https://ollama.com/install.sh | sh'",
        "command: ollama pull qwen3:8b",
        "community.docker.docker_container: {image: 'ollama/ollama', command: 'serve > log'}",
    ],
)
def test_a_shell_that_is_asked_for_and_a_plain_command_are_fine(
    command: str, tmp_path: Path
) -> None:
    assert "HW528" not in told(tmp_path, task(command))
