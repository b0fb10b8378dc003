"""What a service promises, the table `[slo]` of a profile, and how many requests keep it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.bench.statistics import quantile
from generator.meaning import parse_go_duration
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.bench.measurement import Level, Sample
    from generator.profiles.schema import Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """Promises of the table `[slo]` of a profile, in nanoseconds; 0: none is made.

    To the first token, between two on the mean, tokens per second at least, and the whole answer
    for 95 % of the requests; how full the fullest GPU may be.
    """

    ttft: int = 0
    itl: int = 0
    tokens_per_second: float = 0.0
    p95: int = 0
    vram_percent: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """How many requests do not keep an objective."""

    objective: str
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodput:
    """How many of all requests keep what is promised of each, and how many that is a second.

    `p95` and `vram` are whether the promises of all of them together hold; null: none is made, or
    nobody tells how full a GPU was.
    """

    kept: int
    per_second: float
    missed: tuple[Missed, ...]
    p95: bool | None
    vram: bool | None = None


def objectives_of(slo: Slo) -> Objectives | None:
    """Return what the table of a profile promises; None: nothing."""
    times = (parse_go_duration(text) if text else 0 for text in (slo.ttft, slo.itl, slo.p95))
    ttft, itl, p95 = times
    rate = float(slo.tokens_per_second or 0)
    full = float(slo.vram_percent or 0)
    found = Objectives(ttft=ttft, itl=itl, tokens_per_second=rate, p95=p95, vram_percent=full)
    return None if found == Objectives() else found


def goodput(level: Level, objectives: Objectives) -> Goodput:
    """Return how a Level keeps the Objectives; a request that failed keeps none."""
    missed = [set(_missed(sample, objectives)) for sample in level.good]
    kept = missed.count(set())
    counts = ((name, sum(name in each for each in missed)) for name in _NAMES)
    return Goodput(
        kept=kept,
        per_second=kept * 1e9 / level.wall if level.wall else 0.0,
        missed=tuple(Missed(objective=name, requests=n) for name, n in counts if n),
        p95=_in_time(level, objectives.p95) if objectives.p95 else None,
        vram=_has_room(level, objectives.vram_percent) if objectives.vram_percent else None,
    )


_NAMES = ("ttft", "itl", "tokens_per_second")


def _missed(sample: Sample, objectives: Objectives) -> Iterator[str]:
    if 0 < objectives.ttft < sample.ttft:
        yield "ttft"
    if 0 < objectives.itl < sample.itl:
        yield "itl"
    if sample.gaps and sample.rate < objectives.tokens_per_second:
        yield "tokens_per_second"


def _has_room(level: Level, most: float) -> bool | None:
    """Return whether no GPU was fuller than that; None: nobody tells how full one was."""
    full = level.usage.fullest if level.usage else 0.0
    return 100 * full <= most if full else None


def _in_time(level: Level, most: int) -> bool:
    """Return whether 95 % are answered in time; those that failed are not."""
    never = [float("inf")] * (len(level.samples) - len(level.good))
    ordered = [*sorted(float(sample.latency) for sample in level.good), *never]
    return bool(ordered) and quantile(ordered, 0.95) <= most
