"""Better, worse, or no difference."""

import time
from dataclasses import replace

import pytest

from generator.bench.compare import MEASURES, compare, verdict
from generator.bench.measurement import Level, Start
from generator.bench.statistics import Change
from generator.bench.words import interval
from tests.bench.samples import MS, level, measurement, sample


@pytest.mark.parametrize(
    ("low", "high", "more", "expected"),
    [
        (0.01, 0.2, False, "worse"),
        (-0.2, -0.01, False, "better"),
        (0.01, 0.2, True, "better"),
        (-0.2, -0.01, True, "worse"),
        (-0.1, 0.1, True, "no difference"),
        (0.0, 0.1, False, "no difference"),
    ],
)
def test_a_verdict(low: float, high: float, more: bool, expected: str) -> None:
    assert verdict(Change(share=0.1, low=low, high=high), more=more) == expected


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (-0.031, 0.012, "-3.1 to +1.2"),
        (-0.99995, 22025.46, "few"),
        (-1.0, 0.5, "few"),
        (-0.2, 9.5, "few"),
        (0.5, 9999.0, "+50.0 or more"),
        (0.5, 0.9, "+50.0 to +90.0"),
        (-0.99, -0.5, "-99.0 to -50.0"),
        (-0.8, 5.0, "-80.0 to +500.0"),
    ],
)
def test_an_interval_that_says_something(low: float, high: float, told: str) -> None:
    assert interval(Change(share=0.1, low=low, high=high), "few") == told


def noisy(ttft: int, at_once: int = 1) -> Level:
    return level(*(sample(ttft + n % 7, 10) for n in range(20)), at_once=at_once)


def test_slower_to_the_first_token_alone() -> None:
    found = compare(measurement(noisy(100)), measurement(noisy(120)))
    verdicts = {each.measure: each.verdict for each in found.differences}
    assert verdicts == {
        "first token": "worse",
        "between tokens": "no difference",
        "whole answer": "worse",
        "tokens/s": "no difference",
    }
    first = found.differences[0]
    assert (first.before, first.after) == (103 * MS, 123 * MS)
    assert first.low < 20 / 103 < first.high
    assert [each.measure for each in found.regressions(0.1)] == ["first token"]
    assert found.regressions(0.5) == ()
    assert found.remarks == ()


def test_answers_of_one_token_have_no_time_between_two() -> None:
    before, after = (level(*[sample(ms, tokens=1)] * 20) for ms in (100, 120))
    found = compare(measurement(before), measurement(after))
    verdicts = {each.measure: each.verdict for each in found.differences}
    assert verdicts == {"first token": "worse", "whole answer": "worse"}


def test_the_same_is_no_different() -> None:
    both = [measurement(noisy(100), noisy(200, 4)) for _ in range(2)]
    found = compare(*both)
    assert {each.verdict for each in found.differences} == {"no difference"}
    assert len(found.differences) == 2 * len(MEASURES)


def starts(cold: int, number: int = 6) -> tuple[Start, ...]:
    told = tuple(sample(cold + n) for n in range(number))
    warm = tuple(sample(100 + n % 3) for n in range(number))
    return (
        Start(kind="dropped", held=-1, why="the server is on another machine", samples=()),
        Start(kind="kept", held=100, why="", samples=told),
        Start(kind="warm", held=100, why="", samples=warm),
    )


def test_cold_starts_are_compared() -> None:
    before, after = (
        replace(measurement(noisy(100)), starts=starts(cold)) for cold in (500, 900)
    )  # fmt: skip
    found = compare(before, after)
    cold = {d.measure: (d.load, d.verdict) for d in found.differences if d.load.startswith("cold")}
    assert cold == {
        "first token": ("cold, cached", "worse"),
        "loading": ("cold, cached", "no difference"),
        "whole answer": ("cold, cached", "worse"),
    }
    assert {d.verdict for d in found.differences if d.load == "warm"} == {"no difference"}
    assert found.remarks == ()
    only = compare(before, measurement(noisy(100)))
    assert "starts were measured only before: cold, cached" in only.remarks


def test_what_is_doubtful_is_said() -> None:
    before = measurement(level(sample(), sample(error="lost")), level(sample(), at_once=2))
    found = compare(before, measurement(level(sample(), sample()), release="0.33.0"))
    assert found.remarks == (
        "release differs: 0.32.15, then 0.33.0",
        "load 2 was measured only before",
        "requests that failed before, and are not compared: 1",
    )


@pytest.mark.parametrize(("number", "expected"), [(4, "no difference"), (5, "worse")])
def test_too_few_requests_tell_nothing(number: int, expected: str) -> None:
    """All of four are slower than all of four in one of 35 cases of no difference at all."""
    before, after = (level(*(sample(ms + n, 10) for n in range(number))) for ms in (100, 900))
    first, *_ = compare(measurement(before), measurement(after)).differences
    assert (first.measure, first.verdict) == ("first token", expected)
    assert (first.low <= 0 <= first.high) == (number == 4)


def test_many_requests_are_compared_as_fast_as_few() -> None:
    """Without drawing each of them thousands of times, which took minutes."""
    before = level(*(sample(100 + n % 7, 10, tokens=2) for n in range(10_000)))
    began = time.process_time()
    found = compare(measurement(before), measurement(before))
    assert {each.verdict for each in found.differences} == {"no difference"}
    assert time.process_time() - began < 10
