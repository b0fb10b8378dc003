"""A real vLLM takes what the targets write, and tells what `gen bench` and KEDA ask it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml

from generator.catalogue.catalogue import load_catalogue
from tests.commands import called
from tests.engines.vllm import KEY, Vllm, options, parsed, release, vllm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TWO = 'host.gpus=[{ name = "A", memory = "80GiB", compute_capability = "8.0" }, '
TWO += '{ name = "B", memory = "80GiB", compute_capability = "8.0" }]'
VARIATIONS = (
    (),
    ("vllm.tool_parser=hermes", "vllm.revision=abc"),
    ("ollama.kv_cache_type=q8_0", "ollama.flash_attention=true"),
    (TWO, "host.unified_memory=false", "vllm.tensor_parallel=2"),
    ("vllm.gpu_memory_utilization=0.5", "ollama.num_parallel=7"),
    ('models=[{ name = "e", hf = "o/e", role = "embedding" }]',),
)
NAME = "hostwright/tiny"


def told(*sets: str) -> list[str]:
    """Return the words behind `vllm serve` that the file for Compose has."""
    given = (f"--set={one}" for one in ("engine=vllm", f'vllm.version="{release()}"', *sets))
    done = called("dgx-spark", "-t", "compose", *given)
    assert done.returncode == 0, done.stderr
    words: list[str] = yaml.safe_load(done.stdout)["services"]["vllm"]["command"]
    return words


def test_the_catalogue_has_the_names_of_its_parser() -> None:
    known = load_catalogue().told("vllm", release()).serve_names
    assert options() - known == set()
    assert known - options() <= {"--omni"}  # that of vllm-omni, in the same image


def test_its_parser_takes_what_the_targets_write() -> None:
    every = [told(*sets) for sets in VARIATIONS]
    for words, (left, length, requests) in zip(every, parsed(every), strict=True):
        assert left == []
        assert str(length) == words[words.index("--max-model-len") + 1]
        assert str(requests) == words[words.index("--max-num-seqs") + 1]


def test_its_parser_knows_no_option_that_is_gone() -> None:
    ((left, *_),) = parsed([["org/name", "--swap-space", "8", "--max-num-seqs", "2"]])
    assert "--swap-space" in left


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vllm]:
    model = f'models=[{{ name = "tiny:1b", hf = "{NAME}" }}]'
    words = told(model, "ollama.context_length=1024")
    with vllm(tmp_path_factory.mktemp("vllm"), NAME, words, {"VLLM_API_KEY": KEY}) as started:
        yield started


def test_it_has_the_name_that_clients_ask_for(server: Vllm) -> None:
    status, text = server.get("/v1/models", key=KEY)
    (model,) = json.loads(text)["data"]
    assert (status, model["id"], model["max_model_len"]) == (200, "tiny:1b", 1024)


def test_without_the_key_only_health_and_metrics_answer(server: Vllm) -> None:
    assert server.get("/v1/models")[0] == server.get("/v1/models", key="another")[0] == 401
    assert server.get("/health")[0] == server.get("/metrics")[0] == 200


def test_it_is_measured_with_the_key(server: Vllm) -> None:
    asked = ("bench", "--api", "openai", "-m", "tiny:1b", "--url", server.url, "--requests", "2",
             "--concurrency", "1", "--output-tokens", "4")  # fmt: skip
    without = called(*asked, env={"OPENAI_API_KEY": ""})
    assert (without.returncode, "answers 401" in without.stderr) == (3, True)
    done = called(*asked, env={"OPENAI_API_KEY": KEY})
    assert (done.returncode, KEY in done.stdout + done.stderr) == (0, False), done.stderr


def test_it_tells_what_keda_and_people_count(server: Vllm) -> None:
    _, text = server.get("/metrics")
    names = set(re.findall(r"^(vllm:\w+)\{", text, re.MULTILINE))
    assert {
        *("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"),
        "vllm:time_to_first_token_seconds_bucket",
    } <= names
    assert "vllm:gpu_cache_usage_perc" not in names  # its name in older releases


def test_it_is_measured_and_outgrown(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = f'models=[{{ name = "tiny:1b", hf = "{NAME}" }}]'
    words = told(model, "ollama.context_length=1024")
    with vllm(tmp_path_factory.mktemp("vllm"), NAME, words, {}) as started:
        asked = ("--url", started.url, "--requests", "4", "--concurrency", "1,2")
        done = called("bench", "--api", "openai", "-m", "tiny:1b", *asked, "--output-tokens", "8",
                      "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    measured = tmp_path / "bench.json"
    measured.write_text(done.stdout, encoding="utf-8")
    assert [each["at_once"] for each in json.loads(done.stdout)["levels"]] == [1, 2]
    asked_of = called("outgrow", "dgx-spark", "--bench", str(measured))
    assert asked_of.returncode in {0, 1}, asked_of.stderr
    assert "measured" in asked_of.stdout
