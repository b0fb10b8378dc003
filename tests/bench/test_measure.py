"""How long prompts are, and loads that take turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.bench import measure
from generator.bench.load import joined
from generator.bench.measure import Load
from generator.bench.measurement import Level, Sample, Workload
from generator.bench.usage import GpuUse, Usage
from generator.errors import EnvironmentFailure
from generator.live.client import Server

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "http://127.0.0.1:9"  # which nobody asks
WORK = Workload(api="ollama", requests=4, prompt_tokens=500, output_tokens=8, seed=1)


def warmed(
    monkeypatch: pytest.MonkeyPatch, count: Callable[[int], int | str], work: Workload = WORK
) -> tuple[list[int], Workload]:
    """Return the words of each request of a warm-up, whose tokens the server counts so."""
    asked: list[int] = []

    def timed(_: Server, __: str, made: Workload, text: str, began: int, due: int) -> Sample:
        assert made.words == len(text.split())
        asked.append(made.words)
        told = count(made.words)
        return Sample(error=told) if isinstance(told, str) else Sample(prompt_tokens=told)

    monkeypatch.setattr(measure, "timed", timed)
    return asked, measure._warmed(Server.at(URL, 3600), "m", work, ())[1]


def test_a_word_is_a_token_or_nearly() -> None:
    with pytest.MonkeyPatch.context() as patch:
        asked, work = warmed(patch, lambda words: words + 20)
    assert (asked, work.words) == ([500], 481)


def test_a_model_that_reads_bytes_and_cuts_a_prompt_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """500 words are 2759 tokens, of which it counts those that its context holds."""
    asked, work = warmed(monkeypatch, lambda words: min(9 + 11 * (words - 1) // 2, 2048))
    assert asked == [500, 122]
    assert work.words == 91  # 9 + 5.5 * 90 are 504


def test_a_model_that_takes_no_prompt_that_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def count(words: int) -> int | str:
        tokens = 9 + 11 * (words - 1) // 2
        return tokens if tokens < 2048 else "the request exceeds the available context size"

    asked, work = warmed(monkeypatch, count)
    assert asked == [500, 16, 88]
    assert work.words == 90


def test_what_fails_otherwise_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["no such model"])
    with pytest.raises(EnvironmentFailure, match="no such model"):
        warmed(monkeypatch, lambda _: next(answers))


def test_a_prompt_that_cannot_be_so_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A template alone is more than is asked for: that is as short as it gets."""
    work = Workload(api="ollama", requests=4, prompt_tokens=8, output_tokens=8, seed=1)
    asked, work = warmed(monkeypatch, lambda words: words + 40, work)
    assert (asked, work.words) == ([8, 1], 1)


def test_two_loads_take_turns() -> None:
    load = Load(per_second=10.0, window=50, most=2)
    dues = [0, 10, 20, 30, 40, 55, 60, 70, 80, 95]
    assert [*measure._turns(dues, load)] == [
        (0, [0, 10, 20, 30, 40]), (5, [0, 5, 15, 25, 40]),
    ]  # fmt: skip
    assert [*measure._turns(dues, Load(per_second=10.0))] == [(0, dues)]
    # Too few to fill windows in several parts.
    assert [*measure._turns(dues[:3], load)] == [(0, [0, 10, 20])]


def test_parts_of_a_load_are_one() -> None:
    def part(wall: int, *samples: Sample, **usage: int) -> Level:
        gpu = GpuUse(name="0", memory=usage["memory"], total=9, busy=usage["memory"])
        used = Usage(wall=wall, **usage, gpus=(gpu,))
        return Level(at_once=0, per_second=2.0, wall=wall, samples=samples, usage=used, window=5)

    found = joined([
        part(100, Sample(due=0, first=5, ended=9), cpu=50, memory=4, waited_cpu=3),
        part(200, Sample(due=10, first=15, ended=19), Sample(due=20, error="x"), cpu=7, memory=2),
    ])  # fmt: skip
    assert (found.wall, found.window, found.per_second) == (300, 5, 2.0)
    times = [(each.due, each.first, each.ended) for each in found.samples]
    assert times == [(0, 5, 9), (110, 115, 119), (120, 0, 0)]
    assert found.samples[1].latency == 9
    used = found.usage
    assert used is not None
    assert (used.wall, used.cpu, used.memory, used.waited_cpu) == (300, 57, 4, -1)
    assert [(gpu.memory, gpu.busy) for gpu in used.gpus] == [(4, 3)]
