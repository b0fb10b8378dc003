"""What `gen doctor` says of a real Ollama that was given what it cannot use."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from generator.errors import EnvironmentFailure
from generator.live.client import Server, asked
from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.engines.programs import ASKS_OLLAMA, NEEDS_LLAMA_SERVER, Ollama, ollama
from tests.engines.tiny import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = ASKS_OLLAMA
GIVEN = {
    "LLAMA_ARG_THREADS": "x",  # of no number: each load ends
    "OLLAMA_NUM_PARALLEL": "4x",
    "OLLAMA_NUM_PARALELL": "2",
    "OLLAMA_NO_CLOUD": "1",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ollama]:
    """A server with a model that it cannot load."""
    home = tmp_path_factory.mktemp("ollama")
    write(home / "tiny.gguf")
    (home / "Modelfile").write_text(f"FROM {home}/tiny.gguf\n")
    with ollama(home, GIVEN) as running:
        done = running.run("create", "tiny", "-f", str(home / "Modelfile"))
        assert done.returncode == 0, done.stderr
        # Up to 0.24 nobody reads that variable.
        with contextlib.suppress(EnvironmentFailure):
            asked(Server.at(f"http://{running.address}", 60), "/api/generate", {"model": "tiny"})
        yield running


def results(*words: str) -> dict[tuple[str, str], dict[str, Any]]:
    done = called("doctor", *words, "--json")
    every = validated("doctor", done.stdout)["results"]
    return {(one["check"], one["word"]): one for one in every}


@NEEDS_LLAMA_SERVER
def test_it_finds_what_keeps_models_from_loading(server: Ollama) -> None:
    fault = results("--url", f"http://{server.address}")["log", "fault"]
    assert fault["said"].startswith("llama-server exits on a variable that it cannot read")
    assert "LLAMA_ARG_THREADS" in fault["evidence"][0]


def test_it_finds_what_the_server_does_not_read(server: Ollama) -> None:
    found = results("--url", f"http://{server.address}")
    assert ("reachable", "ok") in found
    assert "it takes its default" in found["log", "warning"]["said"]
    assert "OLLAMA_NUM_PARALELL is no variable" in found["settings in effect", "warning"]["said"]
    # Whatever this machine is: the server was found, and its folder is one that it may use.
    assert ("models folder", "ok") in found
    assert ("models", "ok") in found


def test_a_capture_of_it_says_the_same(server: Ollama, tmp_path: Path) -> None:
    file, url = tmp_path / "host.tar.gz", f"http://{server.address}"
    assert called("doctor", "--url", url, "--capture", str(file)).returncode == 0
    here, there = results("--url", url), results("--root", str(file))
    assert there.get(("log", "fault")) == here.get(("log", "fault"))
    assert there["log", "warning"] == here["log", "warning"]
    assert there["settings in effect", "warning"] == here["settings in effect", "warning"]
    assert there["reachable", "ok"]["said"] == here["reachable", "ok"]["said"]


def test_another_port(server: Ollama) -> None:
    """Another server may run here, too: then it is said where each of them listens."""
    done = called("doctor", "--url", "http://127.0.0.1:9", "--json")
    assert server.address.rpartition(":")[2] in done.stdout
    assert done.returncode in {1, 3}
