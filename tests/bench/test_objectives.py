"""Which requests keep what a profile promises."""

import pytest

from generator.bench.objectives import Objectives, goodput, objectives_of
from generator.bench.usage import GpuUse, Usage
from generator.profiles.schema import Slo
from tests.bench.samples import MS, level, sample

EVERY = (sample(100, 10), sample(200, 10), sample(100, 30), sample(200, 30), sample(error="lost"))


def test_a_request_keeps_all_or_is_not_good() -> None:
    found = goodput(level(*EVERY, seconds=0.5), Objectives(ttft=150 * MS, itl=20 * MS))
    assert (found.kept, found.per_second) == (1, 2)
    assert [(m.objective, m.requests) for m in found.missed] == [("ttft", 2), ("itl", 2)]
    assert found.p95 is None


def test_tokens_per_second_of_each() -> None:
    found = goodput(level(*EVERY), Objectives(tokens_per_second=50))
    assert found.kept == 2
    assert [(m.objective, m.requests) for m in found.missed] == [("tokens_per_second", 2)]


@pytest.mark.parametrize(("most", "kept"), [(100, False), (200, True)])
def test_the_whole_answer_of_95_percent(most: int, kept: bool) -> None:
    twenty = [sample(50, 5)] * 19 + [sample(50, 8)]  # 100 ms, and one of 130
    assert goodput(level(*twenty), Objectives(p95=most * MS)).p95 is kept
    assert goodput(level(*twenty, *[sample(error="x")] * 2), Objectives(p95=200 * MS)).p95 is False


def test_one_of_21_that_failed_is_beyond_the_95_percent() -> None:
    found = level(*[sample(50, 5)] * 20, sample(error="x"))
    assert goodput(found, Objectives(p95=200 * MS)).p95 is True


@pytest.mark.parametrize(("full", "kept"), [(50, True), (90, True), (91, False), (0, None)])
def test_how_full_the_fullest_gpu_is(full: int, kept: bool | None) -> None:
    gpus = (GpuUse(name="a", memory=10, total=100), GpuUse(name="b", memory=full, total=100))
    usage = Usage(wall=1, gpus=gpus if full else ())
    promised = Objectives(vram_percent=90)
    assert goodput(level(sample(), usage=usage), promised).vram is kept
    assert goodput(level(sample()), promised).vram is None
    assert goodput(level(sample(), usage=usage), Objectives(p95=1)).vram is None


def test_the_table_of_a_profile() -> None:
    assert objectives_of(Slo()) is None
    slo = Slo(ttft="500ms", itl="50ms", tokens_per_second=20.0, p95="5s", vram_percent=90.0)
    assert objectives_of(slo) == Objectives(
        ttft=500 * MS, itl=50 * MS, tokens_per_second=20.0, p95=5000 * MS, vram_percent=90.0
    )
