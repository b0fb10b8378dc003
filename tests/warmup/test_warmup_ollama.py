"""`gen warmup` and the job of the bundles, with a real Ollama and a model that computes."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from generator.plan import PROGRAM
from tests import plans
from tests.cli.test_output_schemas import validated
from tests.commands import called
from tests.engines.programs import ASKS_OLLAMA, Ollama, ollama
from tests.engines.tiny import write

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = ASKS_OLLAMA
PROFILE = """
schema_version = 1
name = "mine"
host = { memory = "64GiB", cpu = { cores = 16, threads = 16 } }
ollama = { keep_alive = "-1" }
models = [{ name = "tiny" }]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ollama]:
    home = tmp_path_factory.mktemp("ollama")
    write(home / "tiny.gguf")
    (home / "mine.toml").write_text(PROFILE, encoding="utf-8")
    (home / "Modelfile").write_text(f"FROM {home}/tiny.gguf\nPARAMETER num_ctx 1024\n")
    with ollama(home, {"OLLAMA_NO_CLOUD": "1", "OLLAMA_KEEP_ALIVE": "5m"}) as running:
        done = running.run("create", "tiny", "-f", str(home / "Modelfile"))
        assert done.returncode == 0, done.stderr
        yield running


def one(server: Ollama, *more: str) -> dict[str, Any]:
    profile, url = str(server.home / "mine.toml"), f"http://{server.address}"
    done = called("warmup", profile, "--url", url, "--json", *more)
    assert done.returncode == 0, done.stdout
    model: dict[str, Any]
    (model,) = validated("warmup", done.stdout)["models"]
    return model


def test_a_model_stays_as_the_profile_says(server: Ollama) -> None:
    first = one(server)
    assert (first["state"], first["already"], first["load_duration"]) == ("loaded", False, None)
    assert (first["context"], first["until"] > "2200") == (1024, True)
    again = one(server, "--set", "warmup.tokens=1", "--set", "ollama.keep_alive=1h")
    # A model whose first token ends the answer has 0.33.0-rc2 answer without any figure.
    assert (again["already"], (again["load_duration"] or 0) < first["seconds"]) == (True, True)
    assert again["until"] < "2200"


@pytest.mark.parametrize("tokens", [0, 1])
def test_the_job(server: Ollama, tokens: int) -> None:
    server.run("stop", "tiny")
    models = [{"name": "tiny", "preload": True}]
    data = {"host": {"memory": "64GiB"}, "models": models, "warmup": {"tokens": tokens}}
    (job,) = (job for job in plans.plan(data).service.jobs if job.kind == "warmup")
    argv = [str(server.binary) if word == PROGRAM else word for word in job.commands[0].argv]
    own = {"PATH": os.defpath, "HOME": str(server.home), "OLLAMA_HOST": server.address}
    done = subprocess.run(
        argv, env=own, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    start, loaded, _, row = done.stdout.splitlines()
    assert start == "tiny: loading"
    assert loaded.startswith("tiny: loaded, load_duration ")
    assert row.split()[0] == "tiny:latest"
    assert " 1024 " in row
