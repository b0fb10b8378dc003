"""The server of the tests: whether it is one, as Ollama's own clients and ours see it."""

import threading

import pytest

from generator.errors import EnvironmentFailure, HostwrightError
from generator.live.client import Server, asked, streamed
from tests.live.stub import Installed, Stub, serving


def test_it_tells_what_it_is_and_has() -> None:
    with serving(Stub([Installed("a:1b"), Installed("b:latest")])) as stub:
        server = Server.at(stub.url)
        assert asked(server, "/api/version") == {"version": "0.32.15"}
        names = [model["name"] for model in asked(server, "/api/tags")["models"]]
        assert names == ["a:1b", "b:latest"]
        assert asked(server, "/api/ps") == {"models": []}
        assert asked(server, "/api/show", {"model": "b"})["details"]["format"] == "gguf"


def test_a_stream_ends_with_counters_that_add_up() -> None:
    with serving(Stub([Installed("a:1b")], load_seconds=0.05, token_seconds=0.01)) as stub:
        body = {"model": "a:1b", "prompt": "x", "options": {"num_predict": 4}}
        *parts, last = streamed(Server.at(stub.url), "/api/generate", body)
        assert [part["response"] for part in parts] == ["w0 ", "w1 ", "w2 ", "w3 "]
        assert last["done"]
        assert last["eval_count"] == 4
        assert last["load_duration"] >= 50_000_000
        assert last["eval_duration"] >= 40_000_000
        assert last["total_duration"] >= last["load_duration"] + last["eval_duration"]


def test_the_second_request_loads_no_more() -> None:
    with serving(Stub([Installed("a:1b")], load_seconds=0.05)) as stub:
        body = {"model": "a:1b", "prompt": "x", "stream": False}
        first, second = (asked(Server.at(stub.url), "/api/generate", body) for _ in range(2))
        assert first["load_duration"] >= 50_000_000 > second["load_duration"]
        assert [m["name"] for m in asked(Server.at(stub.url), "/api/ps")["models"]] == ["a:1b"]


def test_who_finds_the_queue_full_is_sent_away() -> None:
    with serving(Stub([Installed("a:1b")], queue=0, token_seconds=0.05)) as stub:
        first = streamed(Server.at(stub.url), "/api/generate", {"model": "a:1b", "prompt": "x"})
        next(first)
        with pytest.raises(EnvironmentFailure, match="answers 503"):
            asked(Server.at(stub.url), "/api/generate", {"model": "a:1b", "prompt": "x"})


def test_who_waits_is_served_in_turn() -> None:
    with serving(Stub([Installed("a:1b")], token_seconds=0.01)) as stub:
        body = {"model": "a:1b", "prompt": "x", "stream": False}
        ends: list[int] = []

        def one() -> None:
            ends.append(asked(Server.at(stub.url), "/api/chat", body)["eval_count"])

        every = [threading.Thread(target=one) for _ in range(4)]
        for thread in every:
            thread.start()
        for thread in every:
            thread.join()
        assert ends == [3, 3, 3, 3]
        assert stub.waiting == 0


def test_it_has_no_other_model() -> None:
    with serving(Stub()) as stub, pytest.raises(HostwrightError, match="has no model `x`"):
        asked(Server.at(stub.url), "/api/generate", {"model": "x"})
