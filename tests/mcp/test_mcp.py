"""`gen mcp`, asked by the client of the official SDK."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult

from generator.mcp import run as running
from generator.mcp.serve import made
from generator.mcp.tools import COMMANDS
from tests.cli.test_output_schemas import validated
from tests.commands import ROOT, called
from tests.live.stub import Installed, Stub, serving

DROP_IN = "[Service]\nEnvironment=OLLAMA_NUM_THREADS=4\n"
PROFILE = 'schema_version = 1\nname = "mine"\n[ollama]\nnum_parallel = 3\n'
START = [sys.executable, "-m", "generator", "mcp"]
CALLS: Mapping[str, dict[str, Any]] = {
    "list": {},
    "show": {"text": PROFILE, "set": ["ollama.context_length=4096"]},
    "render": {"profile": "xeon-cpu", "target": "compose"},
    "check": {"text": DROP_IN, "name": "ollama.service.d/override.conf"},
    "explain": {"names": ["HW101", "OLLAMA_NUM_PARALLEL"]},
    "fit": {"gpu": ["RTX 4090"], "ram": "64GiB", "cores": 8, "models": ["qwen3:8b"]},
    "advise": {"profile": "xeon-cpu"},
    "detect": {},
    "verify": {"profile": "xeon-cpu"},
    "doctor": {},
}


def asked(calls: list[tuple[str, dict[str, Any]]], seconds: float = 60) -> list[CallToolResult]:
    """Return what the server says to each, connected in this process."""

    async def ask() -> list[CallToolResult]:
        async with Client(made("1", seconds)) as client:
            return [await client.call_tool(name, given) for name, given in calls]

    return asyncio.run(ask())


def said(result: CallToolResult) -> str:
    return result.content[0].text  # type: ignore[union-attr]


def test_every_tool_over_stdio_and_no_file_is_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    server = StdioServerParameters(command=START[0], args=START[1:], env=env, cwd=home)

    async def ask() -> tuple[list[Any], dict[str, CallToolResult]]:
        async with Client(server, read_timeout_seconds=60) as client:
            answers = {}
            for name, given in CALLS.items():
                url = {"url": stub.url} if COMMANDS[name].elsewhere else {}
                answers[name] = await client.call_tool(name, given | url)
            return (await client.list_tools()).tools, answers

    with serving(Stub(models=[Installed("qwen3:8b")])) as stub:
        tools, answers = asyncio.run(ask())
    assert [tool.name for tool in tools] == [*COMMANDS] == [*CALLS]
    assert all(tool.annotations.read_only_hint for tool in tools)
    for name, answer in answers.items():
        assert not answer.is_error, said(answer)
        assert validated(name, said(answer)) == answer.structured_content
    rows = {row["setting"]: row["value"] for row in json.loads(said(answers["show"]))["settings"]}
    assert rows["OLLAMA_NUM_PARALLEL"] == "3"
    assert rows["OLLAMA_CONTEXT_LENGTH"] == "4096"
    (finding,) = json.loads(said(answers["check"]))["findings"]
    assert finding["rule"] == "HW101"
    (file, *_) = json.loads(said(answers["render"]))["files"]
    assert file["path"] == "compose.yaml"
    assert [*home.rglob("*")] == []


def test_the_tools_can_be_read_without_a_client() -> None:
    tools = validated("mcp", called("mcp", "--json").stdout)["tools"]
    assert [tool["name"] for tool in tools] == [*COMMANDS]


def test_the_schemas_are_those_that_are_committed() -> None:
    for name, command in COMMANDS.items():
        committed = json.loads((ROOT / f"docs/schemas/{name}.json").read_bytes())
        assert command.outputs == {"type": "object"} | committed


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("show", {}, "name one of profile, text"),
        ("show", {"profile": "xeon-cpu", "text": PROFILE}, "leave profile out"),
        ("show", {"profile": 3, "x": 1}, "profile: 3 is not of type 'string'"),
        ("show", {"profile": "a\0b"}, "there is a NUL in it"),
        ("show", {"profile": "x" * 5000}, "it is longer than 4096 characters"),
        ("render", {"profile": "xeon-cpu", "target": "all"}, "target: 'all' is not one of"),
        ("fit", {"cores": 0}, "less than the minimum"),
        ("check", {"paths": ["a"], "text": "b"}, "leave paths out"),
        ("bench", {}, "there is no tool `bench`"),
    ],
)
def test_arguments_that_make_no_sense(name: str, given: dict[str, Any], says: str) -> None:
    (result,) = asked([(name, given)])
    assert result.is_error
    assert says in said(result)
    assert "x" * 1000 not in said(result)


def test_no_argument_becomes_an_option(tmp_path: Path) -> None:
    """Of a command that writes files: the name of a profile, and a value of --set."""
    results = asked([
        ("render", {"profile": f"--output={tmp_path}"}),
        ("render", {"profile": "-"}),
        ("render", {"profile": "xeon-cpu", "set": [f"--output={tmp_path}"]}),
        ("check", {"paths": ["--fix"]}),
    ])  # fmt: skip
    assert all(result.is_error for result in results)
    assert [json.loads(said(result)).get("exit_code", 2) for result in results] == [2] * 4
    assert [*tmp_path.iterdir()] == []


def test_no_variable_becomes_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN_RENDER_OUTPUT", str(tmp_path / "out"))
    monkeypatch.setenv("GEN_OUTPUT", str(tmp_path / "out"))
    (result,) = asked([("render", {"profile": "xeon-cpu"})])
    assert validated("render", said(result))["files"]
    assert [*tmp_path.iterdir()] == []


def test_a_call_that_takes_too_long() -> None:
    (result,) = asked([("show", {"profile": "xeon-cpu"})], seconds=0.01)
    assert said(result) == "gen show took longer than 0.01 s, and was ended"


def test_an_answer_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LARGEST", 1000)
    (result,) = asked([("show", {"profile": "xeon-cpu"})])
    assert result.is_error
    assert "ask for less" in said(result)


def test_what_is_no_protocol_gets_nothing_else_on_stdout() -> None:
    hello = {
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {},
                   "clientInfo": {"name": "t", "version": "1"}},
    }  # fmt: skip
    lines = ["nonsense", "\x1b[2J", "[" * 500, '{"jsonrpc": "2.0", "id": 0, "method": "no/such"}']
    done = subprocess.run(
        START, input="\n".join([*lines, json.dumps(hello), ""]), cwd=ROOT,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(answer["jsonrpc"] == "2.0" for answer in answers)
    assert any(answer.get("id") == 1 and "result" in answer for answer in answers)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("generator.mcp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    done = called("mcp")
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == "hint: pip install 'hostwright[mcp]'"
    assert len(done.stderr.splitlines()) == 2
