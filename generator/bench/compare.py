"""Two Measurements: what is better, worse, or no different as far as they can tell. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from generator.bench.measurement import STARTS
from generator.bench.statistics import CONFIDENCE, Change, change, median, tells
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.bench.measurement import Measurement, Sample

Verdict = Literal["better", "worse", "no difference"]


class Measure(NamedTuple):
    """What is compared of each request; `more`: more of it is better.

    `of_two`: only an answer of two tokens or more has it; `of_tokens`: one that is no vector.
    """

    name: str
    value: Callable[[Sample], float]
    more: bool = False
    of_two: bool = False
    of_tokens: bool = False

    def of(self, samples: Sequence[Sample]) -> list[float]:
        """Return its values, of the requests that have it."""
        good = [s for s in samples if not s.error and (s.gaps or not self.of_two)]
        return [self.value(s) for s in good if not (self.of_tokens and s.vectors)]


MEASURES: Final = (
    Measure("first token", lambda sample: sample.ttft, of_tokens=True),
    Measure("between tokens", lambda sample: sample.itl, of_two=True),
    Measure("whole answer", lambda sample: sample.latency),
    Measure("tokens/s", lambda sample: sample.rate, more=True, of_two=True),
)
OF_STARTS: Final = (
    Measure("first token", lambda sample: sample.ttft, of_tokens=True),
    Measure("loading", lambda sample: sample.load),
    Measure("whole answer", lambda sample: sample.latency),
)
"""What is compared of a start: how fast a model answers once it is loaded says nothing of that."""


ANYTHING: Final = 1e4
"""How much more there may be, as a share, where too few were asked to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Medians before and after under one load, nanoseconds or per second, and what became of them.

    `share` is how much it has grown, between `low` and `high`.
    """

    load: str
    measure: str
    before: float
    after: float
    share: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """All differences, and what makes them hard to compare."""

    differences: tuple[Difference, ...]
    remarks: tuple[str, ...]

    def regressions(self, share: float) -> tuple[Difference, ...]:
        """Return what is worse by at least so much."""
        return tuple(d for d in self.differences if d.verdict == "worse" and abs(d.share) >= share)


def compare(before: Measurement, after: Measurement) -> Compared:
    """Return what has changed under the loads that both have.

    Of many comparisons some would differ by chance: each is as sure as it must be for all of them
    together to be 95 % sure.
    """
    pairs = [*_pairs(before, after)]
    confidence = 1 - (1 - CONFIDENCE) / max(sum(len(pair.measures) for pair in pairs), 1)
    found = (each for pair in pairs for each in _differences(pair, confidence))
    return Compared(differences=tuple(found), remarks=tuple(_remarks(before, after)))


def batching(found: Measurement) -> Compared | None:
    """Return what holding requests has changed; None: none were held."""
    by_window = {level.window > 0: level for level in found.levels if level.per_second}
    if True not in by_window:
        return None
    confidence = 1 - (1 - CONFIDENCE) / len(MEASURES)
    due, held = by_window[False], by_window[True]
    pair = Pair(held.name, MEASURES, due.samples, held.samples)
    return Compared(differences=tuple(_differences(pair, confidence)), remarks=())


class Pair(NamedTuple):
    """Requests of one load, or one kind of start, before and after."""

    name: str
    measures: tuple[Measure, ...]
    before: Sequence[Sample]
    after: Sequence[Sample]


def _pairs(before: Measurement, after: Measurement) -> Iterator[Pair]:
    """Yield the loads that both have, and the kinds of start."""
    was = {level.name: level for level in before.levels}
    for level in after.levels:
        if level.name in was:
            yield Pair(level.name, MEASURES, was[level.name].samples, level.samples)
    began = {start.kind: start.samples for start in before.starts}
    for start in after.starts:
        if began.get(start.kind) and start.samples:
            yield Pair(STARTS[start.kind], OF_STARTS, began[start.kind], start.samples)


def _differences(pair: Pair, confidence: float) -> Iterator[Difference]:
    for measure in pair.measures:
        was, became = (measure.of(samples) for samples in (pair.before, pair.after))
        found = change(was, became, confidence)
        if found is not None and not tells(len(was), len(became), confidence):
            found = replace(found, low=-1.0, high=ANYTHING)
        if found is not None:
            yield Difference(
                load=pair.name,
                measure=measure.name,
                before=median(was),
                after=median(became),
                share=found.share,
                low=found.low,
                high=found.high,
                verdict=verdict(found, more=measure.more),
            )


def verdict(found: Change, *, more: bool) -> Verdict:
    """Return what a change is: none, unless all of its interval is on one side of nothing."""
    if found.low <= 0 <= found.high:
        return "no difference"
    return "better" if (found.low > 0) == more else "worse"


def _remarks(before: Measurement, after: Measurement) -> Iterator[str]:
    """Yield what else is different between the two, and loads that only one has."""
    pairs = ((before, after), (before.environment, after.environment),
             (before.workload, after.workload))  # fmt: skip
    for names, (was, became) in zip(_NAMES, pairs, strict=True):
        for name in names:
            one, other = getattr(was, name), getattr(became, name)
            if one != other:
                yield f"{name} differs: {one or 'not told'}, then {other or 'not told'}"
    loads = [{level.name for level in each.levels} for each in (before, after)]
    for load in sorted(loads[0] ^ loads[1]):
        yield f"load {load} was measured only {'before' if load in loads[0] else 'after'}"
    starts = [{STARTS[s.kind] for s in each.starts if s.samples} for each in (before, after)]
    for start in sorted(starts[0] ^ starts[1]):
        only = "before" if start in starts[0] else "after"
        yield f"starts were measured only {only}: {start}"
    for name, each in (("before", before), ("after", after)):
        every = [one.samples for one in each.levels] + [one.samples for one in each.starts]
        if failed := sum(bool(sample.error) for samples in every for sample in samples):
            yield f"requests that failed {name}, and are not compared: {failed}"


_NAMES: Final = (
    ("model",),
    (
        "release",
        "digest",
        "quantisation",
        "on_gpus",
        "context",
        "architecture",
        "cpu",
        "cores",
        "memory",
    ),
    ("api", "task", "texts", "prompt_tokens", "output_tokens", "prompts"),
)
