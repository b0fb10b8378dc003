"""What a real Ollama makes of our output; nothing is downloaded, and no model computes."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks import skeleton
from generator.engines.ollama.scheduler.server import shape_of_server
from generator.errors import HostwrightError, RenderError
from generator.fit.metadata import shape_of_file
from generator.formats.modelfile import head, parameter_line
from generator.live.client import Server
from tests.engines.programs import ASKS_OLLAMA, Ollama, ollama, release
from tests.facts import facts_at
from tests.hostile import HOSTILE, batches
from tests.plans import PROFILES, environment, shipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from generator.plan import Plan

pytestmark = ASKS_OLLAMA
SMALL = skeleton.Outline(
    architecture="llama", layers=2, embedding=64, feed_forward=128, heads=4, kv_heads=2,
    head_length=16, vocabulary=256, context=2048,
)  # fmt: skip
FOR_EVER = "2562047h47m16.854775807s"
# How the server prints what was written for it.
PRINTED = {"24h": "24h0m0s", "1h": "1h0m0s", "30m": "30m0s", "-1": FOR_EVER}
SWITCHES = {f"OLLAMA_{name}" for name in ("FLASH_ATTENTION", "NOPRUNE", "SCHED_SPREAD", "VULKAN")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ollama]:
    """A server with one model, `base`, that has a shape and no weights."""
    home = tmp_path_factory.mktemp("ollama")
    skeleton.write(SMALL, home / "small.gguf")
    (home / "Modelfile").write_text(f"FROM {home / 'small.gguf'}\n", encoding="utf-8")
    with ollama(home, {}) as running:
        done = running.run("create", "base", "-f", str(home / "Modelfile"))
        assert done.returncode == 0, done.stderr
        yield running


def plan_for(profile: str, version: str) -> Plan:
    """Return the Plan for the release that runs, or for ours where it is one that nobody knows."""
    try:
        return shipped(profile, version=version)
    except HostwrightError:
        return shipped(profile)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_server_takes_what_the_plan_says(profile: str, server: Ollama, tmp_path: Path) -> None:
    for part in plan_for(profile, release(server)).parts:
        values = {n: v for n, v in environment(part).items() if n.startswith("OLLAMA_")}
        assert values
        home = tmp_path / part.service.name
        home.mkdir()
        says_what_it_was_given(home, values)


def says_what_it_was_given(home: Path, values: dict[str, str]) -> None:
    with ollama(home, values) as running:
        (line,) = [text for text in running.log.splitlines() if "server config" in text]
    for name, value in values.items():
        said = str(value != "0").lower() if name in SWITCHES else PRINTED.get(value, value)
        assert f"{name}:{said} " in line, line


def parameters(server: Ollama, model: str) -> list[tuple[str, str]]:
    """Return the parameters of a model as the server tells them, text without its quotes."""
    connection = http.client.HTTPConnection(server.address, timeout=60)
    connection.request("POST", "/api/show", json.dumps({"model": model}))
    told: dict[str, Any] = json.load(connection.getresponse())
    connection.close()
    lines = (line.split(maxsplit=1) for line in told["parameters"].split("\n"))
    # Go writes a text as Python reads it.
    return [(name, str(ast.literal_eval(text))) for name, text in lines]


def created(server: Ollama, text: str, folder: Path) -> list[tuple[str, str]]:
    """Create a model from a Modelfile, and return its parameters."""
    (folder / "Modelfile").write_bytes(text.encode())
    done = server.run("create", "mine", "-f", str(folder / "Modelfile"))
    assert done.returncode == 0, (text, done.stderr)
    return parameters(server, "mine")


def comes_back(server: Ollama, texts: Iterable[str], folder: Path) -> int:
    """Let a Modelfile carry each text that it can, and return how many these are."""
    wanted = []
    for text in texts:
        with contextlib.suppress(RenderError):
            parameter_line("stop", text)
            wanted.append(("stop", text, f"Said of {text}."))
    above = head("base", [text for _, text, _ in wanted])
    file = above + "".join(parameter_line(*line) for line in wanted)
    assert created(server, file, folder) == [(name, text) for name, text, _ in wanted]
    return len(wanted)


def test_hostile_text_comes_back_from_a_modelfile(server: Ollama, tmp_path: Path) -> None:
    assert comes_back(server, HOSTILE, tmp_path) > len(HOSTILE) // 2


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches)
def test_any_text_comes_back_from_a_modelfile(
    server: Ollama, tmp_path: Path, some: list[str]
) -> None:
    comes_back(server, ["one", *some], tmp_path)


def test_each_parameter_comes_back_from_a_modelfile(server: Ollama, tmp_path: Path) -> None:
    wanted = [("num_ctx", "4096"), ("stop", "</s>"), ("stop", "a b"), ("temperature", "0.5")]
    file = head("base") + "".join(parameter_line(name, value) for name, value in wanted)
    assert sorted(created(server, file, tmp_path)) == wanted


def test_a_model_of_the_server_has_the_shape_of_its_file(server: Ollama) -> None:
    facts = facts_at()
    told = shape_of_server(Server.at(f"http://{server.address}"), "base", facts)
    read = shape_of_file(str(server.home / "small.gguf"), facts)
    assert dataclasses.replace(told, name=read.name, quantisation=read.quantisation) == read
