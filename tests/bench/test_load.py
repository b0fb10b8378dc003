"""Loads: how many are under way, when they are sent, and that they end."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from generator.bench.load import closed_loop, held, open_loop
from generator.bench.measurement import Sample
from generator.live.client import Server

NOWHERE = "http://127.0.0.1:9"


def prepared(ask: Callable[[int, int, int], Sample]) -> Callable[[int], Any]:
    return lambda index: partial(ask, index)


def nobody(_: int) -> None:
    pass


class Counting:
    """Counts how many ask at once, and keeps when each was due."""

    def __init__(self, number: int) -> None:
        self.together = threading.Barrier(number)
        self.now, self.most, self.lock = 0, 0, threading.Lock()

    def __call__(self, index: int, began: int, due: int) -> Sample:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.together.wait(300)
        with self.lock:
            self.now -= 1
        return Sample(due=due, ended=time.monotonic_ns() - began, tokens=index)


def test_so_many_are_under_way_until_the_last() -> None:
    ask, told = Counting(4), list[int]()
    level = closed_loop(prepared(ask), 12, 4, Server.at(NOWHERE, 30), told.append)
    assert (ask.most, level.name, len(level.good)) == (4, "4", 12)
    assert sorted(sample.tokens for sample in level.samples) == [*range(12)]
    assert told == [*range(1, 13)]


def test_no_more_threads_than_requests() -> None:
    ask = Counting(2)
    assert len(closed_loop(prepared(ask), 2, 50, Server.at(NOWHERE, 30), nobody).good) == 2


def test_an_open_loop_waits_for_nobody() -> None:
    """All of five are under way though none is answered before the last is sent."""
    ask, dues = Counting(5), [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000]
    level = open_loop(prepared(ask), dues, 1000.0, Server.at(NOWHERE, 30), nobody)
    assert (ask.most, level.name) == (5, "1000/s")
    assert sorted(sample.due for sample in level.good) == dues
    assert all(sample.latency >= 0 for sample in level.good)


def test_a_client_that_holds_requests_sends_several_together() -> None:
    """A window of 50: the first opens it, the fourth closes it early, the last waits for nobody."""
    dues = [0, 10, 49, 50, 60, 70, 80, 200]
    assert [*held(dues, 50, 4)] == [50, 50, 50, 80, 80, 80, 80, 250]
    assert [*held(dues, 50, 100)] == [50, 50, 50, 100, 100, 100, 100, 250]
    assert [*held([0, 0, 0], 50, 1)] == [0, 0, 0]
    assert [*held([], 50, 4)] == []


def test_what_is_held_counts_from_when_it_was_due() -> None:
    """Both go when the second comes, and each answer takes no time."""

    def ask(_: int, began: int, due: int) -> Sample:
        return Sample(due=due, ended=max(time.monotonic_ns() - began, due))

    dues = [0, 20_000_000]
    level = open_loop(
        prepared(ask), dues, 50.0, Server.at(NOWHERE, 30), nobody, window=10**10, most=2
    )
    assert level.name == "50/s held 10000ms"
    first = min(level.samples, key=lambda sample: sample.due)
    assert first.latency >= 20_000_000


@pytest.mark.parametrize("kind", ["closed", "open"])
def test_when_the_time_is_up_nobody_is_waited_for(kind: str) -> None:
    over = threading.Event()

    def ask(index: int, _: int, due: int) -> Sample:
        if index:
            over.wait(60)
        return Sample(due=due, ended=1)

    server = Server.at(NOWHERE, 1)
    if kind == "closed":
        level = closed_loop(prepared(ask), 4, 2, server, nobody)
    else:
        level = open_loop(prepared(ask), [0, 0, 0, 9 * 10**12], 1.0, server, nobody)
    over.set()
    assert [sample.error for sample in level.samples].count(server.late) == 4 - len(level.good)
    assert len(level.samples) == 4
    assert len(level.good) == 1


def test_a_fault_of_ours_is_no_failed_request() -> None:
    def ask(*_: int) -> Any:
        raise ZeroDivisionError

    server = Server.at(NOWHERE, 30)
    with pytest.raises(ZeroDivisionError):
        closed_loop(prepared(ask), 1, 1, server, nobody)
    with pytest.raises(ZeroDivisionError):
        open_loop(prepared(ask), [0], 1.0, server, nobody)
    with pytest.raises(ZeroDivisionError):
        closed_loop(ask, 1, 1, server, nobody)


def test_who_got_no_answer_took_until_the_end() -> None:
    """The last answer came long before: what all got a second is of the whole time."""
    times = iter((0, 10**9, 9 * 10**9))

    def ask(index: int, _: int, due: int) -> Sample:
        return Sample(due=due, error="lost") if index else Sample(due=due, ended=10**6)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("generator.bench.load.time.monotonic_ns", lambda: next(times, 9 * 10**9))
        level = closed_loop(prepared(ask), 2, 1, Server.at(NOWHERE, 30), nobody)
    assert level.wall == 9 * 10**9
