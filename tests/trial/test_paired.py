"""Differences in pairs, against tables and by hand."""

from math import exp, log

import pytest

from generator.trial.paired import Value, fitted, paired, t_bound, t_share, undisturbed


# Of the tables of Student's distribution.
@pytest.mark.parametrize(
    ("confidence", "freedom", "bound"),
    [
        (0.95, 1, 12.706),
        (0.95, 2, 4.303),
        (0.95, 3, 3.182),
        (0.95, 4, 2.776),
        (0.99, 5, 4.032),
        (0.90, 10, 1.812),
        (0.95, 30, 2.042),
        (0.999, 3, 12.924),
    ],
)
def test_students_distribution(confidence: float, freedom: int, bound: float) -> None:
    assert t_bound(confidence, freedom) == pytest.approx(bound, abs=0.0006)
    assert t_share(bound, freedom) == pytest.approx(confidence, abs=0.0002)


def test_pairs_take_out_what_a_round_has_in_common() -> None:
    """A machine that becomes twice as slow on the way: each pair says a tenth more."""
    before = [100.0, 150.0, 200.0]
    found = paired(before, [110.0, 165.0, 220.0], 0.95)
    assert (found.share, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_the_interval_of_pairs() -> None:
    """Ratios of 1, 1.1 and 1.21: a mean of 1.1, and 4.303 x 0.09531 / sqrt(3) around it."""
    found = paired([1.0, 1.0, 1.0], [1.0, 1.1, 1.21], 0.95)
    assert found.share == pytest.approx(0.1)
    width = 4.3027 * 0.0953102 / 1.7320508
    assert found.low == pytest.approx(1.1 * exp(-width) - 1, abs=1e-4)
    assert found.high == pytest.approx(1.1 * exp(width) - 1, abs=1e-4)


def test_the_model_of_rounds() -> None:
    """The second round is slower by half, which is no fault of those that only it has."""
    slow = log(1.5)
    rounds = [
        {0: Value(log(10), 0.0), 1: Value(log(20), 0.0)},
        {1: Value(log(20) + slow, 0.0), 2: Value(log(40) + slow, 0.0)},
    ]
    known = fitted(rounds)
    assert known.against(2, 0).share == pytest.approx(3.0)
    assert known.against(0, 1).share == pytest.approx(-0.5)
    assert known.visits == {0: 1, 1: 2, 2: 1}


def test_requests_within_a_visit_say_what_is_known_of_noise_at_first() -> None:
    known = fitted([{0: Value(0.0, 0.1), 1: Value(0.05, 0.1)}])
    found = known.against(1, 0)
    assert known.spread == pytest.approx(0.1)
    assert found.low < 0 < found.high


def test_other_work_of_the_machine_makes_nothing_quicker() -> None:
    """Of eleven times the second is at a tenth, and the sixth in the middle."""
    quick = [1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.07, 1.08, 1.09, 1.1]
    disturbed = [*quick[:6], 2.0, 3.0, 5.0, 9.0, 9.0]
    for times in (quick, disturbed):
        found = undisturbed(times[::-1])
        assert found.log == pytest.approx(1.01)
        assert found.error == pytest.approx(1.71 * 0.04 / 1.2816 / 3.3166, abs=1e-6)
    assert undisturbed([2.0]) == Value(2.0, 0.0)
