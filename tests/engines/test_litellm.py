"""A real LiteLLM with the files of `[cache]`: what is asked twice does not reach the server."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.engines.gateway import Gateway, gateway, qdrant
from tests.live.stub import Installed, Stub, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = [
    {"name": "qwen3:8b"},
    {"name": "qwen3:4b", "role": "fallback"},
    {"name": "nomic-embed-text", "role": "embedding"},
]


TURNS = [
    {"role": "user", "content": "How are you?"},
    {"role": "assistant", "content": "Fine."},
    {"role": "user", "content": "And the others?"},
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Stub]]:
    """An exact cache before a stub that has the fallback and the main model."""
    there = [Installed("qwen3:8b"), Installed("qwen3:4b")]
    with serving(Stub(models=there)) as stub:
        ollama = {"port": urlsplit(stub.url).port}
        data = {"models": MODELS, "ollama": ollama, "cache": {"namespace": "of-a-test"}}
        with gateway(data, tmp_path_factory.mktemp("litellm")) as started:
            yield started, stub


def chats(stub: Stub) -> int:
    return stub.asked.count("/api/chat")


def test_what_is_asked_again_does_not_reach_the_server(running: tuple[Gateway, Stub]) -> None:
    litellm, stub = running
    first = litellm.ask("qwen3:8b", "How are you?")
    asked = chats(stub)
    again = [litellm.ask("qwen3:8b", "How are you?") for _ in range(2)]
    assert chats(stub) == asked
    assert {one.text for one in again} == {first.text}
    assert all("x-litellm-cache-key" in one.headers for one in again)


def test_another_text_another_number_and_another_model_are_other_requests(
    running: tuple[Gateway, Stub],
) -> None:
    litellm, stub = running
    litellm.ask("qwen3:8b", "Who are you?")
    asked = chats(stub)
    litellm.ask("qwen3:8b", "Who are you? ")
    litellm.ask("qwen3:8b", "Who are you?", temperature=0)
    litellm.ask("qwen3:4b", "Who are you?")
    assert chats(stub) == asked + 3


def test_where_the_main_model_fails_the_fallback_answers(running: tuple[Gateway, Stub]) -> None:
    litellm, stub = running
    main, *others = stub.models
    stub.models = others
    try:
        answer = litellm.ask("qwen3:8b", "Where are you?")
    finally:
        stub.models = [main, *others]
    assert answer.text
    assert stub.bodies[-1]["model"] == "qwen3:4b"


def test_redis_has_it_under_the_namespace_for_an_hour(running: tuple[Gateway, Stub]) -> None:
    litellm, _ = running
    litellm.ask("qwen3:8b", "What are you?")
    conf = (litellm.log.parent / "etc/hostwright/redis.conf").read_text(encoding="utf-8")
    port = next(line.split()[1] for line in conf.splitlines() if line.startswith("port "))

    def redis(*words: str) -> list[str]:
        argv = ["redis-cli", "-p", port, *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()

    # Beside answers, LiteLLM counts requests there, for a minute.
    kept = redis("--scan", "--pattern", "of-a-test:*")
    keys = [key for key in kept if re.fullmatch(r"of-a-test:[0-9a-f]{64}", key)]
    assert keys
    assert all(3000 < int(redis("TTL", key)[0]) <= 3600 for key in keys)


def test_it_takes_the_semantic_cache_and_makes_its_collection(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    accepted = {"ignore": [{"rule": "HW623", "reason": "this is a test"}]}
    models = [Installed("qwen3:8b"), Installed("nomic-embed-text")]
    with serving(Stub(models=models)) as stub, qdrant() as store:
        data = {
            "models": [MODELS[0], MODELS[2]],
            "ollama": {"port": urlsplit(stub.url).port},
            "cache": {"semantic": {"model": "nomic-embed-text", "qdrant": store.url}},
            "check": accepted,
        }
        with gateway(data, tmp_path_factory.mktemp("semantic")) as litellm:
            made = {path: body for method, path, body in store.asked if method == "PUT"}
            assert made["/collections/test-answers"]["vectors"] == {
                "size": 768,
                "distance": "Cosine",
            }
            litellm.ask("qwen3:8b", "How are you?")
            assert "/api/embed" not in stub.asked
            asks: dict[str, Any] = {"cache": {"use-cache": True}, "user": "ann"}
            warm = {"temperature": 0.7}
            for more in ({}, {}, {"user": "bob"}, warm):
                litellm.ask("qwen3:8b", "How are you?", **(asks | more))
            assert "/api/embed" in stub.asked
            bodies = [body for _, path, body in store.asked if "search" in path]
            mine, again, others, warm_ones = (json.dumps(body["filter"]) for body in bodies)
            assert mine == again
            assert len({mine, others, warm_ones}) == 3
            asked = len(bodies)
            litellm.ask("qwen3:8b", "And you?", messages=TURNS, **asks)
            assert len([path for _, path, _ in store.asked if "search" in path]) == asked
