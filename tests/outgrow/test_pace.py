"""How fast a server answers with all slots busy: by an estimate, and by a measurement."""

import pytest

from generator.bench.measurement import Environment, Level, Measurement, Sample, Workload
from generator.fit.speed import Rate, Speed
from generator.outgrow.demand import Demand
from generator.outgrow.pace import asked_by, by_bench, by_fit, lengths

S = 1_000_000_000


def rate(likely: float) -> Rate:
    return Rate(low=likely / 2, likely=likely, high=likely * 2)


def demand(tokens: int = 100, prompt: int = 500) -> Demand:
    return Demand(per_second=1, tokens=tokens, prompt_tokens=prompt, source="told")


def test_one_request_alone_is_what_fit_says() -> None:
    speed = Speed(decode=rate(50), full=rate(50), prompt=rate(1000))
    pace = by_fit(speed, 4096, 1, demand())
    assert pace is not None
    assert pace.first == pytest.approx(0.5)
    assert pace.seconds == pytest.approx(0.5 + 100 / 50)
    assert pace.low == pytest.approx(pace.seconds / 2)
    assert pace.high == pytest.approx(pace.seconds * 2)


def test_with_four_the_others_are_computed_beside_it_and_their_prompts_read() -> None:
    speed = Speed(decode=rate(50), full=rate(50), prompt=rate(1000))
    pace = by_fit(speed, 4096, 4, demand())
    assert pace is not None
    # 20 ms for a token, and 1 ms for each of three beside it; four prompts of half a second.
    assert pace.seconds == pytest.approx(4 * 0.5 + 100 * 0.023)
    assert pace.carries == pytest.approx(4 / 4.3)


def test_where_no_rate_of_prompts_is_known_they_come_one_after_the_other() -> None:
    pace = by_fit(Speed(decode=rate(50), full=rate(50)), 4096, 4, demand(prompt=100))
    assert pace is not None
    assert pace.rate == pytest.approx(50 / 4)
    assert by_fit(Speed(prompt=rate(50)), 4096, 4, demand()) is None


def test_a_deep_cache_slows_each_of_them() -> None:
    # 20 ms at 512 tokens, 40 ms at 2512: 10 µs for each token of the cache.
    speed = Speed(decode=rate(50), full=rate(25), prompt=rate(1e6))
    pace = by_fit(speed, 2512, 2, demand(tokens=2, prompt=1511))
    assert pace is not None
    assert 1 / pace.rate == pytest.approx(0.030 + 1512 * 1e-5, rel=1e-3)


def level(at_once: int, answers: int, wall: float, ttft: float = 0.1, tokens: int = 50) -> Level:
    one = Sample(first=int(ttft * S), ended=2 * S, prompt_tokens=20, tokens=tokens)
    return Level(at_once=at_once, per_second=0, wall=int(wall * S), samples=(one,) * answers)


def measurement(*levels: Level) -> Measurement:
    return Measurement(
        profile="",
        url="",
        model="m",
        workload=Workload(api="ollama", requests=1, prompt_tokens=128, output_tokens=64, seed=1),
        environment=Environment(),
        warmup=Sample(),
        levels=levels,
    )


def test_a_measurement_tells_what_it_carries_by_its_best_load() -> None:
    found = by_bench(measurement(level(1, 10, 20), level(4, 40, 20), level(8, 38, 20)), 4, None)
    assert found is not None
    # 40 answers in 20 s by four at once: two seconds each.
    assert (found.slots, found.seconds, found.first) == (4, 2.0, 0.1)
    assert found.carries == 2.0
    assert asked_by(measurement(level(1, 10, 20), level(4, 40, 20))) == 2.0


def test_longer_answers_take_longer() -> None:
    found = by_bench(measurement(level(4, 40, 20)), 4, demand(tokens=100))
    assert found is not None
    assert found.seconds == pytest.approx(0.1 + 1.9 * 2)


def test_nothing_answered_tells_nothing() -> None:
    assert by_bench(measurement(), 4, None) is None
    assert lengths(measurement(level(1, 1, 1))) == (20, 50)
