"""Differences of what was measured in pairs, and the additive model of many rounds. Pure.

All values are logarithms, so that a difference is a ratio. What a round adds to all of its values,
as a machine that has other work now, is taken out of every comparison.
"""

from __future__ import annotations

from math import atan, cos, exp, log, pi, sin, sqrt
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Final

from generator.bench.statistics import CONFIDENCE, Change, quantile
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOW: Final = 0.1
MOST: Final = 10.0
"""The logarithm of a ratio that is as good as any: 22026."""
ENOUGH: Final = 2
"""Of freedom, from which on visits themselves say how they differ."""
_SWEEPS: Final = 100
_HALVINGS: Final = 60


def t_share(t: float, freedom: int) -> float:
    """Return which share of Student's distribution lies between -t and t (Abramowitz 26.7.3-4)."""
    angle = atan(t / sqrt(freedom))
    odd = freedom % 2
    term, total = (cos(angle) if odd else 1.0), 0.0
    for step in range(1 if odd else 0, freedom - 1, 2):
        total += term
        term *= cos(angle) ** 2 * (step + 1) / (step + 2)
    return (angle + sin(angle) * total) * 2 / pi if odd else sin(angle) * total


def t_bound(confidence: float, freedom: int) -> float:
    """Return how far from the middle so much of Student's distribution lies; freedom from 1 on."""
    low, high = 0.0, 1e6
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if t_share(middle, freedom) < confidence else (low, middle)
    return high


def paired(before: Sequence[float], after: Sequence[float], confidence: float) -> Change:
    """Return how much values have grown that were measured in pairs, two of them or more."""
    ratios = [log(became / was) for was, became in zip(before, after, strict=True)]
    middle, few = fmean(ratios), len(ratios)
    width = t_bound(confidence, few - 1) * stdev(ratios) / sqrt(few)
    return _change(middle, width)


def _change(middle: float, width: float) -> Change:
    low, high = max(middle - width, -MOST), min(middle + width, MOST)
    return Change(share=exp(middle) - 1, low=exp(low) - 1, high=exp(high) - 1)


@dataclass(frozen=True, slots=True)
class Value:
    """A logarithm that was measured, and its standard error within the visit."""

    log: float
    error: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """What each candidate is worth, free of what its rounds had in common, and how often it was
    measured. `spread` is the standard deviation of one visit, with so much `freedom`.
    """

    values: Mapping[int, float]
    visits: Mapping[int, int]
    spread: float
    freedom: int

    def against(self, one: int, other: int, confidence: float = CONFIDENCE) -> Change:
        """Return how much more `one` is than `other`."""
        middle = self.values[one] - self.values[other]
        if one == other:
            return Change(share=0.0, low=0.0, high=0.0)
        error = self.spread * sqrt(1 / self.visits[one] + 1 / self.visits[other])
        return _change(middle, t_bound(confidence, self.freedom) * error)


def fitted(rounds: Sequence[Mapping[int, Value]]) -> Fitted:
    """Return the additive model of rounds: a value is its candidate's and its round's.

    The spread is that of what the model leaves over; before some were measured twice it is no less
    than what the requests within a visit say.
    """
    flat = [(index, at, v) for at, each in enumerate(rounds) for index, v in each.items()]
    counts = {index: sum(i == index for i, _, _ in flat) for index, _, _ in flat}
    values, shifts = dict.fromkeys(counts, 0.0), [0.0] * len(rounds)
    for _ in range(_SWEEPS):
        for index in values:
            values[index] = fmean(v.log - shifts[at] for i, at, v in flat if i == index)
        for at in range(1, len(rounds)):
            shifts[at] = fmean(v.log - values[i] for i, r, v in flat if r == at)
    left = sum((v.log - values[i] - shifts[at]) ** 2 for i, at, v in flat)
    within = sqrt(fmean(v.error**2 for _, _, v in flat)) if flat else 0.0
    freedom = len(flat) - len(counts) - len(rounds) + 1
    between = sqrt(left / freedom) if freedom > 0 else 0.0
    # Requests within a visit are alike, so that they say little of how visits differ.
    few = freedom < ENOUGH
    return Fitted(values, counts, max(between, within) if few else between, max(freedom, ENOUGH))


def undisturbed(values: Sequence[float]) -> Value:
    """Return the lower decile of the logarithms of times, and its standard error.

    What else a machine does makes a request slower and never faster, so that the quickest say most
    of a setting; the error is that of normal values, of which 1.28 deviations lie up to the median.
    """
    ordered = sorted(values)
    low = quantile(ordered, LOW)
    deviation = (quantile(ordered, 0.5) - low) / 1.2816
    return Value(low, 1.71 * deviation / sqrt(len(ordered)))
