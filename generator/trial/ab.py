"""The use case of `gen bench --ab`: values of a key, tried in turns → how they differ in pairs."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from generator.bench.compare import MEASURES, Verdict, verdict
from generator.bench.measurement import Environment, Workload  # noqa: TC001 -- the schema reads the annotations
from generator.bench.statistics import CONFIDENCE, median
from generator.records import dataclass
from generator.trial.paired import paired

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.bench.compare import Measure
    from generator.bench.measurement import Level, Measurement
    from generator.trial.choice import Choice
    from generator.trial.visit import Visits

LEAST_ROUNDS: Final = 2
MOST_ROUNDS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A measure under one load with the first value and with another, and what became of it.

    `before` and `after` have the median of each round, in nanoseconds or per second. `share` is how
    much it has grown from pair to pair, between `low` and `high`.
    """

    load: str
    measure: str
    value: str
    before: tuple[float, ...]
    after: tuple[float, ...]
    share: float
    low: float
    high: float
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One value, and what it was measured on."""

    value: str
    model: str
    environment: Environment
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Values of a key, `rounds` times each in turns; all are compared with the first."""

    key: str
    url: str
    workload: Workload
    rounds: int
    tried: tuple[Tried, ...]
    pairs: tuple[Pair, ...]
    remarks: tuple[str, ...]

    def regressions(self, share: float) -> tuple[Pair, ...]:
        """Return what is worse by at least so much."""
        return tuple(p for p in self.pairs if p.verdict == "worse" and abs(p.share) >= share)


def trial(key: str, choices: Sequence[Choice], visits: Visits, rounds: int) -> Trial:
    """Return how the choices differ, after `rounds` in which each has its turn.

    The server is put back in any case. Raises HostwrightError and EnvironmentFailure as a visit.
    """
    drawing = Random(visits.workload.seed)  # noqa: S311 -- to draw an order
    found: dict[str, list[Measurement]] = {choice.label: [] for choice in choices}
    with visits.held():
        for number in range(rounds):
            # In another order each, so that none always comes behind the same one.
            for choice in drawing.sample(list(choices), k=len(choices)):
                name = f"round {number + 1} of {rounds}, {key}={choice.label}"
                found[choice.label].append(visits.visit(choice, number, name))
    return Trial(
        key=key,
        url=visits.url,
        workload=visits.workload,
        rounds=rounds,
        tried=tuple(_tried(choice, found[choice.label]) for choice in choices),
        pairs=tuple(_pairs(choices, found)),
        remarks=visits.remarks,
    )


def _tried(choice: Choice, every: Sequence[Measurement]) -> Tried:
    samples = [sample for one in every for level in one.levels for sample in level.samples]
    return Tried(
        value=choice.label,
        model=choice.model,
        environment=every[-1].environment,
        failed=sum(bool(sample.error) for sample in samples),
    )


def _pairs(choices: Sequence[Choice], found: Mapping[str, Sequence[Measurement]]) -> Iterator[Pair]:
    """Yield each measure of each load of each other value against that of the first.

    Of many comparisons some would differ by chance: each is as sure as all together must be.
    """
    first, *others = (choice.label for choice in choices)
    loads = len(found[first][0].levels)
    confidence = 1 - (1 - CONFIDENCE) / (len(others) * loads * len(MEASURES))
    for at in range(loads):
        was = [one.levels[at] for one in found[first]]
        for other in others:
            became = [one.levels[at] for one in found[other]]
            for measure in MEASURES:
                pair = _pair(measure, other, was, became, confidence)
                if pair is not None:
                    yield pair


def _pair(
    measure: Measure,
    value: str,
    was: Sequence[Level],
    became: Sequence[Level],
    confidence: float,
) -> Pair | None:
    """Return a measure in pairs; None: fewer than two rounds have it for both."""
    both = [(_middle(measure, a), _middle(measure, b)) for a, b in zip(was, became, strict=True)]
    both = [(a, b) for a, b in both if a > 0 and b > 0]
    if len(both) < LEAST_ROUNDS:
        return None
    before, after = zip(*both, strict=True)
    found = paired(before, after, confidence)
    return Pair(
        load=was[0].name,
        measure=measure.name,
        value=value,
        before=before,
        after=after,
        share=found.share,
        low=found.low,
        high=found.high,
        verdict=verdict(found, more=measure.more),
    )


def _middle(measure: Measure, level: Level) -> float:
    values = [measure.value(s) for s in level.good if s.gaps or not measure.of_two]
    return median(values) if values else 0.0
