"""What `gen verify` sees of a real Ollama that was given something else than the profile says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from generator.live.client import Server, asked
from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.engines.programs import ASKS_OLLAMA, NEEDS_LLAMA_SERVER, Ollama, ollama
from tests.engines.tiny import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = ASKS_OLLAMA
PROFILE = """
schema_version = 1
name = "mine"
host = { memory = "64GiB", cpu = { cores = 16, threads = 16 } }
ollama = { context_length = 2048, num_parallel = 2, keep_alive = "24h", flash_attention = true }
resources = { cpu_quota = "1200%" }
threads = { count = 1 }
models = [{ name = "base", serve_as = "tiny", parameters = { num_ctx = 1024 } }]
"""
GIVEN = {
    "OLLAMA_CONTEXT_LENGTH": "2048",
    "OLLAMA_NUM_PARALLEL": "2x",  # of no number: Ollama takes its default
    "OLLAMA_FLASH_ATTENTION": "1",
    "OLLAMA_KEEP_ALIVE": "5m",
    "OLLAMA_NUM_PARALELL": "2",
    "OLLAMA_MLOCK": "1",
    "LLAMA_ARG_THREADS": "1",
    "OLLAMA_NO_CLOUD": "1",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ollama]:
    """A server with one model that computes, and a profile beside it."""
    home = tmp_path_factory.mktemp("ollama")
    write(home / "tiny.gguf")
    (home / "mine.toml").write_text(PROFILE, encoding="utf-8")
    (home / "Modelfile").write_text(f"FROM {home}/tiny.gguf\nPARAMETER num_ctx 1024\n")
    with ollama(home, GIVEN) as running:
        done = running.run("create", "tiny", "-f", str(home / "Modelfile"))
        assert done.returncode == 0, done.stderr
        yield running


def rows(server: Ollama, home: Path) -> dict[str, dict[str, Any]]:
    url = f"http://{server.address}"
    local = ("--via", "process", "--via", "api", "--url", url, "--json")
    done = called("verify", str(home / "mine.toml"), *local)
    assert done.returncode == 1, done.stderr
    return {row["setting"]: row for row in validated("verify", done.stdout)["rows"]}


def test_what_was_given_otherwise(server: Ollama) -> None:
    found = rows(server, server.home)
    assert {name: found[name]["verdict"] for name in (*GIVEN, "OLLAMA_HOST", "CPUQuota")} == {
        "OLLAMA_CONTEXT_LENGTH": "ok",
        "OLLAMA_NUM_PARALLEL": "drift",
        "OLLAMA_FLASH_ATTENTION": "ok",
        "OLLAMA_KEEP_ALIVE": "drift",
        "OLLAMA_NUM_PARALELL": "not read",
        "OLLAMA_MLOCK": "not read",
        "LLAMA_ARG_THREADS": "unknown",
        "OLLAMA_NO_CLOUD": "drift",
        "OLLAMA_HOST": "drift",
        "CPUQuota": "drift",
    }
    assert found["OLLAMA_HOST"]["effective"] == f"http://{server.address}"
    # What the server made of it, and not what it was given.
    assert found["OLLAMA_NUM_PARALLEL"]["effective"] == "1"
    assert found["OLLAMA_FLASH_ATTENTION"]["effective"] == "true"
    assert found["CPUQuota"]["why"] == "the kernel applies no limit"
    model, acceleration = found["model tiny"], found["acceleration"]
    assert (model["verdict"], model["effective"]) == ("ok", "not loaded")
    assert (acceleration["verdict"], acceleration["effective"]) == ("ok", "cpu")


@NEEDS_LLAMA_SERVER
def test_what_the_program_of_a_model_got(server: Ollama) -> None:
    """Last: the model stays loaded."""
    body = {"model": "tiny", "prompt": "a", "stream": False, "options": {"num_predict": 1}}
    answer = asked(Server.at(f"http://{server.address}", 300), "/api/generate", body)
    assert answer["model"] == "tiny"
    found = rows(server, server.home)
    assert found["LLAMA_ARG_THREADS"]["verdict"] == "ok"
    assert found["model tiny"]["effective"] == "1024 tokens"
    # Its command line, and what it says itself in the log.
    told = {name: (found[f"tiny: {name}"]["held"], found[f"tiny: {name}"]["effective"],
                   found[f"tiny: {name}"]["verdict"])
            for name in ("context", "slots", "threads", "flash attention")}  # fmt: skip
    assert told == {
        "context": ("1024", "1024", "ok"),
        "slots": ("1", "1", "drift"),
        "threads": ("1", "1", "ok"),
        "flash attention": ("on", "on", "ok"),
    }


def test_a_capture_of_it_tells_the_same(server: Ollama, tmp_path: Path) -> None:
    """After the model was loaded."""
    profile, capture = str(server.home / "mine.toml"), str(tmp_path / "host.tar.gz")
    done = called("verify", profile, "--url", f"http://{server.address}", "--capture", capture)
    assert done.returncode == 0, done.stderr
    live = rows(server, server.home)
    replayed = called("verify", profile, "--root", capture, "--json")
    again = {row["setting"]: row for row in validated("verify", replayed.stdout)["rows"]}
    assert {name: row["verdict"] for name, row in live.items()} == {
        name: row["verdict"] for name, row in again.items()
    }
