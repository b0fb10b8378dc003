"""Two Measurements: what is better, worse, or no different as far as they can tell. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from generator.bench.statistics import CONFIDENCE, Change, change, median, tells
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.bench.measurement import Level, Measurement, Sample

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

    def of(self, level: Level) -> list[float]:
        """Return its values, of the requests that have it."""
        good = [s for s in level.good if s.gaps or not self.of_two]
        return [self.value(s) for s in good if not (self.of_tokens and s.vectors)]


MEASURES: Final = (
    Measure("first token", lambda sample: sample.ttft, of_tokens=True),
    Measure("between tokens", lambda sample: sample.itl, of_two=True),
    Measure("whole answer", lambda sample: sample.latency),
    Measure("tokens/s", lambda sample: sample.rate, more=True, of_two=True),
)


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
    was = {level.name: level for level in before.levels}
    pairs = [(was[level.name], level) for level in after.levels if level.name in was]
    confidence = 1 - (1 - CONFIDENCE) / max(len(pairs) * len(MEASURES), 1)
    found = (each for pair in pairs for each in _differences(*pair, confidence))
    return Compared(differences=tuple(found), remarks=tuple(_remarks(before, after)))


def batching(found: Measurement) -> Compared | None:
    """Return what holding requests has changed; None: none were held."""
    by_window = {level.window > 0: level for level in found.levels if level.per_second}
    if True not in by_window:
        return None
    confidence = 1 - (1 - CONFIDENCE) / len(MEASURES)
    differences = tuple(_differences(by_window[False], by_window[True], confidence))
    return Compared(differences=differences, remarks=())


def _differences(before: Level, after: Level, confidence: float) -> Iterator[Difference]:
    for measure in MEASURES:
        was, became = (measure.of(level) for level in (before, after))
        found = change(was, became, confidence)
        if found is not None and not tells(len(was), len(became), confidence):
            found = replace(found, low=-1.0, high=ANYTHING)
        if found is not None:
            yield Difference(
                load=after.name,
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
    for name, each in (("before", before), ("after", after)):
        if failed := sum(bool(s.error) for level in each.levels for s in level.samples):
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
