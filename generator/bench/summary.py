"""What the requests of a Level say together. Pure."""

from __future__ import annotations

from collections import Counter
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from generator.bench.objectives import Goodput, Objectives, goodput
from generator.bench.statistics import Spread, median, spread
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.bench.measurement import Level, Sample

MOST_KINDS: Final = 5
OTHERS: Final = "other errors"
PARTS: Final = ("queue", "load", "prefill", "decode", "outside", "latency")
"""Of the time of an answer; the last is the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """So many requests failed in this way."""

    error: str
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Medians by one clock, in nanoseconds and tokens per second; 0: it does not tell.

    `together` is what all requests got a second.
    """

    ttft: float
    itl: float
    tokens_per_second: float
    together: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Where the time of a request goes on the mean, in nanoseconds; they add up to `latency`.

    The server counts the first four, `queue` as what is left of its total; `outside` is what the
    client has waited beyond that.
    """

    queue: float
    load: float
    prefill: float
    decode: float
    outside: float
    latency: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A load, in nanoseconds and per second; null where no request was answered.

    `itl` is of all times between tokens, the others of a value for each request. `split` is null
    where the server counts nothing, `goodput` where nothing is promised. Of requests for vectors
    there are no tokens, and `vectors_per_second` are those of all requests together.
    """

    load: str
    requests: int
    failed: int
    failures: tuple[Failures, ...]
    requests_per_second: float
    vectors_per_second: float
    ttft: Spread | None
    itl: Spread | None
    latency: Spread | None
    tokens_per_second: Spread | None
    client: Clock
    server: Clock
    split: Split | None
    goodput: Goodput | None


def summary(level: Level, objectives: Objectives | None) -> Summary:
    """Return what a Level says, and how it keeps the Objectives."""
    good = level.good
    return Summary(
        load=level.name,
        requests=len(level.samples),
        failed=len(level.samples) - len(good),
        failures=failures(level.samples),
        requests_per_second=_per_second(len(good), level.wall),
        vectors_per_second=_per_second(sum(s.vectors for s in good), level.wall),
        ttft=spread([[s.ttft] for s in good if not s.vectors]),
        itl=spread([s.gaps for s in good]),
        latency=spread([[s.latency] for s in good]),
        tokens_per_second=spread([[s.rate] for s in good if s.gaps], more=True),
        client=_by_client(good, level.wall),
        server=_by_server(good, level.wall),
        split=split(good),
        goodput=goodput(level, objectives) if objectives else None,
    )


def failures(samples: Sequence[Sample]) -> tuple[Failures, ...]:
    """Return what went wrong, the most frequent first; rare kinds are counted as others."""
    kinds = Counter(sample.error for sample in samples if sample.error).most_common()
    named, rest = kinds[:MOST_KINDS], sum(number for _, number in kinds[MOST_KINDS:])
    every = [*named, (OTHERS, rest)] if rest else named
    return tuple(Failures(error=error, requests=number) for error, number in every)


def split(good: Sequence[Sample]) -> Split | None:
    """Return where the time goes on the mean; None: the server counts nothing."""
    counted = [sample for sample in good if sample.total]
    if not counted:
        return None
    means = {name: fmean(getattr(sample, name) for sample in counted) for name in PARTS}
    return Split(**means)


def _by_client(good: Sequence[Sample], wall: int) -> Clock:
    return Clock(
        ttft=_median(good, lambda s: s.ttft),
        itl=_median(good, lambda s: s.itl),
        tokens_per_second=_median(good, lambda s: s.rate),
        together=_per_second(sum(s.seen for s in good if not s.vectors), wall),
    )


def _by_server(good: Sequence[Sample], wall: int) -> Clock:
    counted = [sample for sample in good if sample.total]
    return Clock(
        ttft=_median(counted, lambda s: s.total - s.decode),
        itl=_median(counted, lambda s: s.decode / s.tokens if s.tokens else 0.0),
        tokens_per_second=_median(counted, lambda s: s.served_rate),
        together=_per_second(sum(s.tokens for s in counted), wall),
    )


def _median(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    values: list[Any] = [value(sample) for sample in samples]
    return median(values) if values else 0.0


def _per_second(number: int, wall: int) -> float:
    return number * 1e9 / wall if wall else 0.0
