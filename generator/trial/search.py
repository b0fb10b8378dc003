"""Which candidate is the best, in few visits though each of them is noisy. Pure.

First some over the whole range are visited, then the gap on both sides of the best is halved until
its neighbours are known, and then those that may be the best are raced. The best so far is in every
round, so that what a round has in common is told from what a candidate is worth. It ends when the
difference is noise, when one is surely the best, or when the visits are used up.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final, Literal

from generator.trial.paired import Fitted, fitted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.trial.paired import Value

TOLERANCE: Final = 0.02
"""A smaller difference is none that anybody would change a setting for."""
SWEEP_ROUNDS: Final = 4
"""How often each candidate is visited by who visits all: a search has a part of that."""
PART: Final = 0.3
LEAST_VISITS: Final = 6
_FEW: Final = 4
_FIRST: Final = 4
_RACING: Final = 3

Ended = Literal["", "noise", "sure", "budget"]


def budget_of(number: int) -> int:
    """Return the visits that a search among so many candidates has by itself."""
    return max(int(number * SWEEP_ROUNDS * PART), LEAST_VISITS)


class Search:
    """A search among `number` candidates in order; of values that are measured less is better.

    `more`: of candidates that are no different the larger is meant; with `slack` the largest that
    takes no more than that share longer than the best. `start` is where one is now.
    """

    def __init__(
        self, number: int, budget: int, *, more: bool = False, slack: float = 0.0, start: int = -1
    ) -> None:
        self.budget = budget
        self.visits = 0
        self.ended: Ended = ""
        self.out: set[int] = set()
        self._number, self._more, self._start = number, more, start
        self._slack = slack
        self._rounds: list[Mapping[int, Value]] = []

    def next(self) -> tuple[int, ...]:
        """Return the candidates of the next round, in order; none: it has ended."""
        wanted = self._wanted()
        if not wanted:
            return ()
        left = self.budget - self.visits
        if left < min(len(wanted), 2):
            self.ended = "budget"
            return ()
        return tuple(sorted(wanted[:left]))

    def tell(self, found: Mapping[int, Value | None]) -> None:
        """Take what a round has found; None: that candidate is not possible."""
        self.visits += len(found)
        self.out |= {index for index, value in found.items() if value is None}
        there = {index: value for index, value in found.items() if value is not None}
        if there:
            self._rounds.append(there)

    @property
    def fitted(self) -> Fitted:
        """What is known of those that were visited and are possible."""
        left = [{i: v for i, v in one.items() if i not in self.out} for one in self._rounds]
        return fitted([one for one in left if one])

    @property
    def best(self) -> int:
        """The candidate that is meant: of those that the best is not better than, by its order.

        -1: none is possible.
        """
        known = self.fitted
        if not known.values:
            return -1
        least = min(known.values, key=lambda index: known.values[index])
        if self._slack:
            return max(i for i in known.values if self._will_do(known, i, least))
        same = [index for index in known.values if _same(known, index, least)]
        return max(same) if self._more else min(same)

    def _wanted(self) -> list[int]:
        """Return whom to visit next, the most wanted first."""
        known = self.fitted
        if not known.values:
            left = [index for index in self._first() if index not in self.out]
            return left or self._untried()
        least = min(known.values, key=lambda index: known.values[index])
        if self._slack:
            return self._above(known, least)
        if gaps := self._gaps(known, least):
            return [least, *gaps]
        return self._racing(known, least)

    def _first(self) -> list[int]:
        """Return some over the whole range, and where one is now."""
        few = self._number if self._number <= _FEW else _FIRST
        places = {int((place + 0.5) * self._number / few) for place in range(few)}
        # With slack the lowest is what the others are held against.
        places |= {0} if self._slack else set()
        return sorted(places | ({self._start} if self._start >= 0 else set()))

    def _untried(self) -> list[int]:
        """Return the lowest where none of the first were possible."""
        return [index for index in range(self._number) if index not in self.out][:1]

    def _gaps(self, known: Fitted, least: int) -> list[int]:
        """Return the middle of the gap below the best and of that above; none in a plateau."""
        tried = {*known.values, *self.out}
        below = max((i for i in tried if i < least), default=-1)
        above = min((i for i in tried if i > least), default=self._number)
        beside = [i for i in (below, above) if i in known.values]
        flat = len(beside) == 2 and all(_noise(known, i, least) for i in beside)  # noqa: PLR2004
        if flat:
            return []
        ends = {below: least, least: above}
        middles = [ceil((a + b) / 2) if b == least else (a + b) // 2 for a, b in ends.items()]
        return [i for i in middles if i not in tried and 0 <= i < self._number]

    def _will_do(self, known: Fitted, index: int, least: int) -> bool:
        """Return whether one is slower than the best by no more than the slack, or not for sure."""
        found = known.against(index, least)
        return found.share <= self._slack or found.low <= 0

    def _above(self, known: Fitted, least: int) -> list[int]:
        """Return the middle of the gap above the largest that will do, then those in doubt."""
        best = self.best
        above = min((i for i in {*known.values, *self.out} if i > best), default=self._number)
        if above - best > 1:
            return sorted({least, best, (best + above) // 2}, key=lambda i: i in known.values)
        found = {i: known.against(i, least) for i in (best, above) if i in known.values}
        doubt = [i for i, one in found.items() if one.low <= self._slack <= one.high and i != least]
        wide = [i for i in doubt if found[i].high - found[i].low > 2 * self._slack]
        if wide:
            return [least, *wide]
        self.ended = "noise" if doubt else "sure"
        return []

    def _racing(self, known: Fitted, least: int) -> list[int]:
        """Return those that may be the best as far as anybody knows; none: that is settled."""
        near = sorted(known.values, key=lambda index: known.values[index])[:_RACING]
        may = [i for i in near if i != least and known.against(i, least).low <= 0]
        if not may:
            self.ended = "sure"
        elif all(_noise(known, i, least) for i in may):
            self.ended = "noise"
        else:
            return [least, *may]
        return []


def _same(known: Fitted, index: int, least: int) -> bool:
    found = known.against(index, least)
    return found.low <= 0 and found.share < TOLERANCE


def _noise(known: Fitted, index: int, least: int) -> bool:
    """Whether two are no different, and known well enough for that."""
    found = known.against(index, least)
    return _same(known, index, least) and found.high < 2.5 * TOLERANCE
