"""Searches among candidates whose values are known here."""

from math import log
from random import Random

import pytest

from generator.trial.paired import Value
from generator.trial.search import Search, budget_of


def searched(costs: list[float], noise: float = 0.0, seed: int = 1, **how: float) -> Search:
    """Search to the end; a round is slower or faster than the last by a tenth or so."""
    drawing = Random(seed)  # noqa: S311 -- to draw noise
    search = Search(len(costs), budget_of(len(costs)), **how)  # type: ignore[arg-type]
    while indices := search.next():
        drift = drawing.gauss(0, 0.1)
        search.tell(
            {i: Value(log(costs[i]) + drift + drawing.gauss(0, noise), noise) for i in indices}
        )
    return search


VALLEY = [16 / n + 0.02 * n * n for n in range(1, 17)]  # the best are 7 and 8


@pytest.mark.parametrize("seed", range(5))
def test_a_valley_in_a_third_of_the_visits(seed: int) -> None:
    search = searched(VALLEY, noise=0.02, seed=seed)
    assert VALLEY[search.best] <= 1.05 * min(VALLEY)
    assert search.visits <= 16 * 4 / 3


def test_the_ends_are_found_as_well() -> None:
    falling, rising = [1 / (n + 1) for n in range(12)], [float(n + 1) for n in range(12)]
    assert searched(falling).best == 11
    assert searched(rising).best == 0


def test_where_all_are_the_same_it_ends_early_and_order_decides() -> None:
    few, many = searched([1.0] * 12, noise=0.001), searched([1.0] * 12, noise=0.001, more=True)
    assert (few.ended, many.ended) == ("noise", "noise")
    assert few.visits < 16
    assert few.best < many.best


@pytest.mark.parametrize("last", range(12))
def test_with_slack_the_largest_that_costs_little(last: int) -> None:
    """Each a hundredth slower than the one before, and from one on twice as slow."""
    costs = [1 + n / 200 if n <= last else 2.0 for n in range(12)]
    search = searched(costs, noise=0.001, more=True, slack=0.1)
    assert (search.best, search.ended) == (last, "sure")
    assert search.visits <= 12


def test_with_slack_what_is_not_possible_bounds_it() -> None:
    search = Search(10, 30, more=True, slack=0.1)
    while indices := search.next():
        search.tell({i: Value(0.0, 0.001) if i < 6 else None for i in indices})
    assert (search.best, search.ended) == (5, "sure")


def test_one_that_is_surely_the_best_ends_it() -> None:
    search = searched([4.0, 1.0, 4.0, 9.0], noise=0.001)
    assert (search.best, search.ended) == (1, "sure")


def test_noise_without_end_ends_with_the_budget() -> None:
    search = searched([1.0, 1.1, 1.05, 1.02, 1.0, 1.1], noise=0.5)
    assert search.ended == "budget"
    assert search.visits <= budget_of(6)


def test_what_is_not_possible_is_not_tried_again() -> None:
    tried: list[int] = []
    search = Search(16, 21)
    while indices := search.next():
        tried += indices
        search.tell({i: Value(-float(i), 0.001) if i < 9 else None for i in indices})
    assert search.best == 8
    assert len([i for i in tried if i >= 9]) == len({i for i in tried if i >= 9})


def test_where_nothing_is_possible_nothing_is_the_best() -> None:
    search = Search(5, 10)
    while indices := search.next():
        search.tell(dict.fromkeys(indices))
    assert search.best == -1
    assert search.visits <= 10


def test_where_one_is_now_is_in_the_first_round() -> None:
    assert 15 in Search(16, 21, start=15).next()
