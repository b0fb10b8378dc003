"""How fast one server answers with all its slots busy: by `gen fit`, by `gen bench`, or by a log.

`gen fit` knows one request alone. With more the weights are read once for all of them; each reads
its own cache and is computed beside the others, which takes what a token of a prompt takes. Prompts
of the others stop every answer meanwhile. Where the rate of prompts is not known, requests are
counted one after the other.
"""

from __future__ import annotations

from statistics import fmean, median
from typing import TYPE_CHECKING, Literal

from generator.fit.speed import SHORT
from generator.records import dataclass

if TYPE_CHECKING:
    from generator.bench.measurement import Level, Measurement, Sample
    from generator.fit.speed import Speed
    from generator.outgrow.demand import Demand

Source = Literal["fit", "bench", "log"]
NS = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What one request takes with all `slots` busy, in seconds: the whole, and to its first token.

    `low` and `high` are the seconds of a fast and a slow machine of that kind (0: not known),
    `rate` the tokens per second that one request then gets.
    """

    slots: int
    seconds: float
    first: float
    rate: float
    low: float = 0.0
    high: float = 0.0
    source: Source = "fit"

    @property
    def carries(self) -> float:
        """Requests a second, at most."""
        return self.slots / self.seconds


def by_fit(speed: Speed, context: int, slots: int, demand: Demand) -> Pace | None:
    """Return the pace of so many slots as `gen fit` estimates it; None: no rate is known."""
    decode, full, prompt = speed.decode, speed.full, speed.prompt
    if decode is None or full is None:
        return None

    def timed(which: str) -> tuple[float, float, float]:
        read = float(getattr(prompt, which)) if prompt else 0.0
        rates = (getattr(decode, which), getattr(full, which), read)
        return _seconds(rates, context, slots, demand)

    seconds, first, step = timed("likely")
    return Pace(
        slots=slots,
        seconds=seconds,
        first=first,
        rate=1 / step,
        low=timed("high")[0],
        high=timed("low")[0],
    )


def _seconds(
    rates: tuple[float, float, float], context: int, slots: int, demand: Demand
) -> tuple[float, float, float]:
    """Return the seconds of a request, those to its first token, and of one token."""
    decode, full, prompt = rates
    depth = min(context, demand.prompt_tokens + demand.tokens / 2)
    cached = (1 / full - 1 / decode) / (context - SHORT) if context > SHORT else 0.0
    alone = max(1 / decode + (depth - SHORT) * cached, cached)
    beside = min(alone, depth * cached + 1 / prompt) if prompt else alone
    step = alone + (slots - 1) * beside
    first = demand.prompt_tokens * (1 / prompt if prompt else alone)
    return slots * first + demand.tokens * step, first, step


def by_bench(measured: Measurement, slots: int, demand: Demand | None) -> Pace | None:
    """Return the pace at the load with the most answers a second; None: none was answered.

    Answers of another length than were measured take as much longer as they have more tokens.
    """
    levels = [level for level in measured.levels if level.good and level.wall]
    if not levels:
        return None
    best = max(levels, key=served)
    busy = min(best.at_once, slots) if best.at_once else slots
    calm = [one for one in levels if one.at_once and one.at_once <= slots] or [best]
    first = median(sample.ttft for sample in calm[-1].good) / NS
    seconds, tokens = max(busy / served(best), first), _tokens(best.good)
    if demand is not None and tokens:
        seconds = first + (seconds - first) * demand.tokens / tokens
        tokens = demand.tokens
    rate = tokens / (seconds - first) if seconds > first else 0.0
    return Pace(slots=busy, seconds=seconds, first=first, rate=rate, source="bench")


def served(level: Level) -> float:
    """Return the answers a second of a load."""
    return len(level.good) * NS / level.wall


def asked_by(measured: Measurement) -> float:
    """Return the requests a second of the heaviest load of a measurement."""
    return max(
        (level.per_second or served(level) for level in measured.levels if level.wall), default=0.0
    )


def lengths(measured: Measurement) -> tuple[int, int]:
    """Return the tokens of a prompt and of an answer that were measured."""
    good = [sample for level in measured.levels for sample in level.good]
    prompts = [sample.prompt_tokens for sample in good if sample.prompt_tokens]
    prompt = round(fmean(prompts)) if prompts else measured.workload.prompt_tokens
    return max(1, prompt), max(1, round(_tokens(good)) or measured.workload.output_tokens)


def _tokens(good: tuple[Sample, ...] | list[Sample]) -> float:
    return fmean(sample.seen for sample in good) if good else 0.0
