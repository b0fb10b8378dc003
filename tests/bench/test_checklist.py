"""The testing checklist of the reports, filled in by hand-made measurements."""

from dataclasses import replace

import pytest

from generator.bench.checklist import Item, checklist
from generator.bench.measurement import Environment, Measurement, Sample, Start
from generator.bench.usage import GpuUse, Usage
from tests.bench.samples import MS, level, measurement, sample


def filled(found: Measurement, before: Measurement | None = None) -> dict[str, Item]:
    """By its line; what the two reports ask alike, by the first."""
    every = [(f"{i.report}:{i.line.partition(',')[0]}", i) for i in checklist(found, before)]
    return dict(every)


def whole() -> Measurement:
    """Alone 11 tokens in 200 ms; four at once twice as many a second, without waiting."""
    gpu = GpuUse(name="0 A", memory=3 * 2**30, total=4 * 2**30)
    one = level(*[sample()] * 4, seconds=0.8)
    four = level(*[sample()] * 4, at_once=4, seconds=0.4, usage=Usage(wall=1, gpus=(gpu,)))
    ten = level(*[sample()] * 9, sample(error="lost"), at_once=10)
    cold, warm = sample(900), sample(100)
    starts = (
        Start(kind="dropped", held=0, why="", samples=(cold,)),
        Start(kind="kept", held=100, why="", samples=(sample(500),)),
        Start(kind="warm", held=100, why="", samples=(warm,)),
    )
    again = tuple(replace(sample(), prefill=each * MS) for each in (40, 3, 5))
    found = measurement(one, four, ten)
    return replace(found, environment=Environment(stays=1800), starts=starts, repeated=again)


def test_all_of_it() -> None:
    found = filled(whole())
    assert [(i.state, i.seen) for i in found.values()] == [
        ("done", "first token 100 ms, then 100 tokens/s"),
        ("done", "110 tokens/s together, 2.00 times that of one"),
        ("done", "for 30 min 0 s more"),
        ("failed", "1 failed, 9 answered, the slowest in 200 ms"),
        ("done", "3 GiB of 4 GiB, 75% on 0 A"),
        ("done", "1000 ms cold, of which 30.0 loading; 200 ms warm"),
        ("done", "40.0 ms to read it at first, 4.00 ms again: the prompt cache has it"),
        ("not here", "keep this by --json FILE; --baseline FILE compares with it"),
        ("done", "200 ms for 11 tokens"),
        ("done", "1000 ms cold, of which 30.0 loading; 200 ms warm"),
        ("not here", "needs a restart between: gen bench --ab ollama.flash_attention=true,false"),
        ("not here", "measure twice, once with gpu.visible_devices, then gen bench compare"),
        ("not here", "needs a restart between: gen bench --ab model=mine:1b,TAG"),
    ]


def test_nothing_of_it() -> None:
    found = filled(measurement(level(sample(error="x"))))
    assert {item.state for item in found.values()} == {"not here", "failed"}
    assert found["001:387"].seen == "none of them was answered"


def test_four_that_wait_for_a_slot() -> None:
    waits = replace(sample(300), total=400 * MS, load=0, prefill=50 * MS, decode=100 * MS)
    found = filled(measurement(level(sample()), level(*[waits] * 4, at_once=4)))
    assert found["001:385"].state == "failed"
    assert found["001:385"].seen.endswith("they wait 250 ms for a slot")


@pytest.mark.parametrize(
    ("stays", "state", "seen"),
    [
        (42, "done", "for 42 s more"),
        (9 * 10**9, "done", "for good"),
        (-3, "failed", "it is gone by the end of the measurement"),
        (0, "not here", "the server does not say until when"),
    ],
)
def test_how_long_a_model_stays(stays: int, state: str, seen: str) -> None:
    found = replace(whole(), environment=Environment(stays=stays))
    assert (filled(found)["001:386"].state, filled(found)["001:386"].seen) == (state, seen)


def test_without_the_page_cache_dropped_the_other_cold_start_is_told() -> None:
    first, *rest = whole().starts
    found = replace(whole(), starts=(replace(first, samples=(), why="no"), *rest))
    assert filled(found)["001:389"].seen == (
        "600 ms cold, with its file in the page cache, of which 30.0 loading; 200 ms warm"
    )


def test_a_prompt_that_no_cache_has() -> None:
    found = replace(whole(), repeated=(Sample(prefill=40 * MS), Sample(prefill=39 * MS)))
    assert filled(found)["001:390"].seen.endswith("no cache has it")


def test_regressions() -> None:
    slow = measurement(level(*(sample(200 + n % 7) for n in range(20))))
    fast = measurement(level(*(sample(100 + n % 7) for n in range(20))))
    assert filled(slow, fast)["001:391"].state == "failed"
    assert "first token of 1 by 97%" in filled(slow, fast)["001:391"].seen
    assert filled(fast, slow)["001:391"].seen == "nothing is surely worse"
