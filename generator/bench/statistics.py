"""Quantiles, and how sure they are: percentile bootstrap with a fixed seed. Pure.

Where requests have several values each, as the times between tokens, whole requests are drawn:
those of one are alike, and draws of single values would make the interval too narrow.
"""

from __future__ import annotations

from itertools import chain
from math import comb
from random import Random
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHARES: Final = (0.5, 0.95, 0.99)
CONFIDENCE: Final = 0.95
ROUNDS: Final = 1000
LEAST_ROUNDS: Final = 200
WORK: Final = 4_000_000  # values that are drawn in all, for one interval
SEED: Final = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number, and the interval that it lies in with a confidence of 95 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Three quantiles: of 100 values 50, 95 and 99 are no worse."""

    p50: Estimate
    p95: Estimate
    p99: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How much a median has grown, as a share of what it was, and the interval of that."""

    share: float
    low: float
    high: float


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the quantile of values in order; between two of them on the line through both."""
    place = (len(ordered) - 1) * share
    at = int(place)
    if place == at:
        return ordered[at]  # the next may be infinite, and nothing of that is no number
    above = ordered[min(at + 1, len(ordered) - 1)]
    return ordered[at] + (above - ordered[at]) * (place - at)


def median(values: Sequence[float]) -> float:
    """Return the value in the middle."""
    return quantile(sorted(values), 0.5)


def middle(drawn: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return between what the middle of the drawn values lies, as much as `confidence` of them."""
    ordered, tail = sorted(drawn), (1 - confidence) / 2
    return quantile(ordered, tail), quantile(ordered, 1 - tail)


def spread(groups: Sequence[Sequence[float]], *, more: bool = False) -> Spread | None:
    """Return the quantiles of the values of all requests; None: there is no value.

    `more`: a value is the better the larger it is.
    """
    shares = [1 - share if more else share for share in SHARES]
    filled = [sorted(group) for group in groups if group]
    if not filled:
        return None
    drawing = Random(SEED)  # noqa: S311 -- to draw samples
    rounds = _rounds(sum(map(len, filled)))
    drawn = [_quantiles(drawing.choices(filled, k=len(filled)), shares) for _ in range(rounds)]
    values = zip(_quantiles(filled, shares), zip(*drawn, strict=True), strict=True)
    p50, p95, p99 = (_estimate(value, each) for value, each in values)
    return Spread(p50=p50, p95=p95, p99=p99)


def change(
    before: Sequence[float], after: Sequence[float], confidence: float = CONFIDENCE
) -> Change | None:
    """Return how much the median has changed; None: there is nothing to compare."""
    if not before or not after or not median(before):
        return None
    drawing = Random(SEED)  # noqa: S311 -- to draw samples
    both = zip(_medians(before, drawing), _medians(after, drawing), strict=True)
    drawn = [became / was - 1 if was else 0.0 for was, became in both]
    low, high = middle(drawn, confidence)
    return Change(share=median(after) / median(before) - 1, low=low, high=high)


def tells(before: int, after: int, confidence: float) -> bool:
    """Return whether so many values can differ so surely at all.

    Of two groups that are alike all of one are beyond all of the other in two of all the ways to
    deal them out: 3 and 3 differ so by chance in one of ten cases, whatever a bootstrap says.
    """
    return comb(before + after, before) >= 2 / (1 - confidence)


def _medians(values: Sequence[float], drawing: Random) -> Iterator[float]:
    """Yield the medians of draws of as many, without drawing all of them.

    Of n uniform numbers in order the k-th is of the beta distribution of k and n + 1 - k, and the
    next is the least of those that are left above it: thousands of requests cost no more than ten.
    """
    ordered, size = sorted(values), len(values)
    lower = (size + 1) // 2
    for _ in range(4 * ROUNDS):
        at = drawing.betavariate(lower, size + 1 - lower)
        one = ordered[min(int(at * size), size - 1)]
        if size % 2:
            yield one
        else:
            beyond = at + (1 - at) * (1 - drawing.random() ** (1 / (size - lower)))
            yield (one + ordered[min(int(beyond * size), size - 1)]) / 2


def _rounds(size: int) -> int:
    return max(LEAST_ROUNDS, min(ROUNDS, WORK // size))


def _quantiles(groups: Sequence[Sequence[float]], shares: Sequence[float]) -> tuple[float, ...]:
    ordered = sorted(chain.from_iterable(groups))
    return tuple(quantile(ordered, share) for share in shares)


def _estimate(value: float, drawn: Sequence[float]) -> Estimate:
    low, high = middle(drawn)
    return Estimate(value=value, low=low, high=high)
