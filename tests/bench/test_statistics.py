"""Quantiles and intervals against samples that were worked out by hand."""

from random import Random

import pytest

from generator.bench.statistics import change, median, middle, quantile, spread, tells


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ((7,), 0.99, 7),
        ((1, 2, 3, 4), 0.5, 2.5),
        ((1, 2, 3, 4, 5), 0.95, 4.8),  # the place is 4 × 0.95 = 3.8
        ((0, 100), 0.99, 99),
        (tuple(range(101)), 0.05, 5),
        ((3, 3, 9), 0.5, 3),
    ],
)
def test_a_quantile(values: tuple[float, ...], share: float, expected: float) -> None:
    assert quantile(values, share) == pytest.approx(expected)


def test_the_middle_of_what_is_drawn() -> None:
    assert middle(range(1001)) == pytest.approx((25, 975))
    assert middle([3, 1, 2], confidence=1) == (1, 3)


def test_values_that_are_all_the_same_are_sure() -> None:
    found = spread([[5.0]] * 4)
    assert found is not None
    for each in (found.p50, found.p95, found.p99):
        assert (each.value, each.low, each.high) == (5, 5, 5)


def test_two_values() -> None:
    """Draws of two are 0 0, 0 10, 10 0, 10 10: their medians 0, 5, 5, 10, each in a quarter."""
    found = spread([[0.0], [10.0]])
    assert found is not None
    assert (found.p50.value, found.p50.low, found.p50.high) == (5, 0, 10)
    assert found.p95.value == pytest.approx(9.5)


def test_requests_are_drawn_whole() -> None:
    """Of one request with three 1 and one with a 9: its draws have no 9, one in four or only 9."""
    found = spread([[1, 1, 1], [9]])
    assert found is not None
    assert found.p99.value == pytest.approx(8.76)  # the place is 3 × 0.99 = 2.97
    assert (found.p50.value, found.p50.low, found.p50.high) == (1, 1, 9)


def test_where_more_is_better_the_worst_are_the_smallest() -> None:
    found = spread([[float(n)] for n in range(101)], more=True)
    assert found is not None
    assert (found.p50.value, found.p95.value, found.p99.value) == pytest.approx((50, 5, 1))


def test_nothing_has_no_spread() -> None:
    assert spread([]) is None
    assert spread([[], []]) is None


def test_a_change_of_what_never_varies_is_sure() -> None:
    found = change([10.0] * 5, [11.0] * 5)
    assert found is not None
    assert (found.share, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_a_change_is_as_unsure_as_both() -> None:
    """Medians of two values, 5 on the mean: from all of 10 to all of 0 anything is possible."""
    found = change([10, 30], [20, 20])
    assert found is not None
    assert found.share == 0
    assert (found.low, found.high) == pytest.approx((20 / 30 - 1, 1))


@pytest.mark.parametrize(("before", "after"), [((), (1,)), ((1,), ()), ((0, 0), (1, 1))])
def test_there_is_no_change_of_nothing(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    assert change(before, after) is None


def test_intervals_hold_what_they_promise() -> None:
    """Of uniform values, whose median is 0.5, nearly 95 of 100 intervals have it."""
    drawing = Random(7)  # noqa: S311 -- to draw samples
    found = [spread([[drawing.random()] for _ in range(40)]) for _ in range(60)]
    held = sum(each is not None and each.p50.low <= 0.5 <= each.p50.high for each in found)
    assert 52 <= held <= 60


def test_the_same_values_give_the_same_interval() -> None:
    values = [[float(n * n % 17)] for n in range(30)]
    assert spread(values) == spread(values)
    assert median([3, 1, 2]) == 2


@pytest.mark.parametrize(
    ("before", "after", "confidence", "expected"),
    [
        (3, 3, 0.95, False),  # 2 of 20 ways to deal them out: 10 %
        (4, 4, 0.95, True),  # 2 of 70
        (4, 4, 0.9875, False),
        (5, 5, 0.9875, True),  # 2 of 252
        (1, 10_000, 0.95, True),
        (1, 1, 0.95, False),
        (10_000, 10_000, 0.9999, True),
    ],
)
def test_how_many_values_can_differ_surely(
    before: int, after: int, confidence: float, expected: bool
) -> None:
    assert tells(before, after, confidence) == expected


@pytest.mark.parametrize("size", [5, 8])
def test_medians_are_as_if_every_value_were_drawn(size: int) -> None:
    """An odd and an even number of squares: the middle half of the medians of draws of them."""
    values = [float(n * n) for n in range(1, size + 1)]
    drawing = Random(3)  # noqa: S311 -- to draw samples
    drawn = [median(drawing.choices(values, k=size)) for _ in range(4000)]
    found = change([1.0] * size, values, 0.5)
    assert found is not None
    assert (found.low + 1, found.high + 1) == middle(drawn, 0.5)
