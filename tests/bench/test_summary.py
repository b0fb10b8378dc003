"""What requests say together, worked out by hand."""

from dataclasses import replace

import pytest

from generator.bench.summary import OTHERS, failures, split, summary
from tests.bench.samples import MS, level, sample


def test_both_clocks() -> None:
    found = summary(level(sample(100, 10), sample(120, 20), sample(140, 30), seconds=2), None)
    assert found.client.ttft == 120 * MS
    assert found.client.itl == 20 * MS
    assert found.client.tokens_per_second == pytest.approx(50)
    assert found.client.together == found.server.together == pytest.approx(33 / 2)
    # The server counts 11 tokens for ten gaps of 20 ms.
    assert found.server.tokens_per_second == pytest.approx(55)
    assert found.requests_per_second == pytest.approx(1.5)
    assert found.goodput is None


def test_parts_add_up() -> None:
    found = split([sample(100, 10), sample(300, 10)])
    assert found is not None
    parts = found.queue + found.load + found.prefill + found.decode + found.outside
    assert parts == pytest.approx(found.latency)
    assert found.latency == pytest.approx(300 * MS)
    assert (found.queue, found.load) == pytest.approx((20 * MS, 30 * MS))
    assert found.outside / found.latency == pytest.approx(1 - 1 / 1.02)


def test_those_that_failed_are_counted_and_named() -> None:
    lost = [sample(error="lost")] * 2
    found = summary(level(sample(100), *lost, sample(error="busy")), None)
    assert (found.requests, found.failed) == (4, 3)
    assert [(each.error, each.requests) for each in found.failures] == [("lost", 2), ("busy", 1)]
    assert found.ttft is not None
    assert found.ttft.p99.value == 100 * MS


def test_many_kinds_of_failure_are_not_all_named() -> None:
    found = failures([sample(error=f"error {n}") for n in range(9)])
    assert [each.requests for each in found] == [1, 1, 1, 1, 1, 4]
    assert found[-1].error == OTHERS


def test_nothing_was_answered() -> None:
    found = summary(level(sample(error="lost")), None)
    assert (found.ttft, found.itl, found.split) == (None, None, None)
    assert found.client.together == 0


def test_tokens_that_were_held_up_come_no_faster_than_they_are_made() -> None:
    """A proxy that buffers, or a machine that is busy, lets all of an answer arrive at once."""
    made = sample(gap=10, tokens=11)
    held = replace(made, gaps=(10_000,) * 10)
    assert held.rate == pytest.approx(held.served_rate)
    told = summary(level(held), None).tokens_per_second
    assert told
    assert told.p50.value == pytest.approx(held.served_rate)
    # Of a server that counts nothing nobody knows better.
    assert replace(held, decode=0).rate == pytest.approx(1e5)
    assert made.rate == pytest.approx(100)


@pytest.mark.parametrize(("tokens", "rate", "together"), [(21, 200, 21), (12, 100, 11)])
def test_tokens_that_arrive_together_are_counted(tokens: int, rate: float, together: float) -> None:
    """Eleven arrive, 10 ms apart: of 21 several at once, of 12 one that only ends the answer."""
    found = summary(level(replace(sample(100, 10), tokens=tokens)), None)
    assert found.client.tokens_per_second == pytest.approx(rate)
    assert found.client.together == pytest.approx(together)
