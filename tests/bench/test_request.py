"""One request by both clocks: what each counts, and that the parts add up to the client's."""

from collections.abc import Iterator
from typing import Any

import pytest

from generator.bench import request
from generator.bench.measurement import Sample, Workload
from generator.bench.summary import PARTS, split
from generator.live.client import Server
from tests.bench.samples import MS, level

WORK = Workload(api="ollama", requests=1, prompt_tokens=8, output_tokens=3, seed=1)
LAST = {
    "done": True, "prompt_eval_count": 8, "eval_count": 3, "total_duration": 980 * MS,
    "load_duration": 100 * MS, "prompt_eval_duration": 200 * MS, "eval_duration": 300 * MS,
}  # fmt: skip


class Clock:
    """It stands still until somebody moves it."""

    def __init__(self) -> None:
        self.now = 5000 * MS

    def monotonic_ns(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(request, "time", clock)
    return clock


def answered(clock: Clock, monkeypatch: pytest.MonkeyPatch, api: str = "ollama") -> Sample:
    """Ask when the level is a second old: due at 900 ms, tokens at 1690, 1790 and 1890, over at
    1900, when the request has been due for a second.
    """
    parts: list[tuple[int, dict[str, Any]]] = [
        (690, {"response": "a"}), (100, {"response": "b"}), (100, {"response": "c"}), (10, LAST),
    ]  # fmt: skip

    def arriving(*_: object, **__: object) -> Iterator[dict[str, Any]]:
        for pause, part in parts:
            clock.now += pause * MS
            yield part

    monkeypatch.setattr(request, "arriving", arriving)
    began, clock.now = clock.now, clock.now + 1000 * MS
    return request.timed(Server.at("http://x"), "mine", WORK, "hello", began, 900 * MS)


def test_what_both_clocks_say(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    found = answered(clock, monkeypatch)
    assert (found.ttft, found.latency) == (790 * MS, 1000 * MS)
    assert found.gaps == (100 * MS, 100 * MS)
    assert (found.rate, found.served_rate) == (10, 10)
    assert (found.queue, found.outside) == (380 * MS, 20 * MS)


def test_the_parts_add_up_to_what_the_client_waited(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the mean of two requests, of which the other took half of everything: 750 ms."""
    half = Sample(
        ended=500 * MS, first=395 * MS, gaps=(50 * MS, 50 * MS), tokens=3,
        total=490 * MS, load=50 * MS, prefill=100 * MS, decode=150 * MS,
    )  # fmt: skip
    found = split(level(answered(clock, monkeypatch), half).good)
    assert found is not None
    told = {name: getattr(found, name) / MS for name in PARTS}
    assert told == {
        "queue": 285, "load": 75, "prefill": 150, "decode": 225, "outside": 15, "latency": 750,
    }  # fmt: skip
    assert told["outside"] / told["latency"] <= 0.02
