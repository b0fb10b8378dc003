"""Task Master itself on the files of `gen clients`, in front of a server that is a stub."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from mcp import Client, StdioServerParameters

from tests.commands import run
from tests.engines.programs import program
from tests.live.stub import Installed, Stub, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODELS = {"main": "qwen2.5-coder:7b", "research": "deepseek-r1:7b", "fallback": "llama3.1:8b"}
TASK = {"title": "Measure", "description": "d", "details": "x", "testStrategy": "t",
        "dependencies": []}  # fmt: skip
# What Ollama compares a request with, beside what a model is loaded with.
RELOADING = {"num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap"}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[tuple[Stub, Path]]:
    with serving(Stub(models=[Installed(name) for name in MODELS.values()])) as stub:
        stub.says = json.dumps(TASK)
        done = run("clients", "xeon-cpu", "--url", stub.url, "-o", str(tmp_path / "project"))
        assert done.exit_code == 0, done.output
        (tmp_path / "project/.taskmaster/tasks").mkdir()
        tasks = {"master": {"tasks": [], "metadata": {"created": "2026-01-01T00:00:00Z"}}}
        (tmp_path / "project/.taskmaster/tasks/tasks.json").write_text(json.dumps(tasks))
        yield stub, tmp_path / "project"


def told(project: Path, *args: str) -> str:
    argv = [str(program("task-master", "TASK_MASTER_BIN")), *args]
    env = {"PATH": os.environ["PATH"], "HOME": str(project), "NO_COLOR": "1"}
    done = subprocess.run(
        argv, cwd=project, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_has_the_models_of_the_roles(project: tuple[Stub, Path]) -> None:
    text = told(project[1], "models")
    for role, model in MODELS.items():
        line = next(line for line in text.splitlines() if f" {role.capitalize()} " in line)
        assert "ollama" in line
        assert model in line


@pytest.mark.parametrize(("flags", "role"), [((), "main"), (("--research",), "research")])
def test_it_asks_the_model_of_the_role(
    project: tuple[Stub, Path], flags: tuple[str, ...], role: str
) -> None:
    stub, folder = project
    assert "Measure" in told(folder, "add-task", "--prompt=measure it", *flags)
    assert [body["model"] for body in stub.bodies] == [MODELS[role]]
    assert not RELOADING & {*stub.bodies[0], *(stub.bodies[0].get("options") or {})}


def test_its_mcp_server_starts_as_the_file_says(project: tuple[Stub, Path]) -> None:
    _, folder = project
    (server,) = json.loads((folder / "mcp.json").read_text())["mcpServers"].values()
    package = server["args"][-1].partition("@")[0]
    installed = program("task-master", "TASK_MASTER_BIN").with_name(package)
    parameters = StdioServerParameters(
        command=str(installed), cwd=folder, env={"HOME": str(folder), "PATH": os.environ["PATH"]}
    )

    async def tools() -> set[str]:
        async with Client(parameters, mode="legacy", read_timeout_seconds=60) as client:
            return {tool.name for tool in (await client.list_tools()).tools}

    assert {"get_tasks", "expand_task"} <= asyncio.run(asyncio.wait_for(tools(), 90))
