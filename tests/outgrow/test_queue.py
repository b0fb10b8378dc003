"""Erlang's formula, against numbers of its published tables and by hand."""

import pytest

from generator.outgrow.queue import late_wait, waiting


@pytest.mark.parametrize(
    ("slots", "busy", "share"),
    [
        (1, 0.5, 0.5),  # M/M/1: the share is the load
        (2, 1.0, 1 / 3),
        (4, 3.0, 0.5094),
        (10, 8.0, 0.4092),
        (1, 0.0, 0.0),
        (3, 3.0, 1.0),
        (3, 9.0, 1.0),
    ],
)
def test_so_many_wait(slots: int, busy: float, share: float) -> None:
    assert waiting(slots, busy) == pytest.approx(share, abs=1e-4)


def test_so_many_slots_together_hardly_ever_wait() -> None:
    assert waiting(500, 400) < 1e-4
    assert waiting(50_000, 40_000) == 0


def test_the_latest_twentieth() -> None:
    # M/M/1 at half load: P(wait > t) = 0.5 e^(-t/2) for a second each; 0.05 at 2 ln 10.
    assert late_wait(1, 0.5, 1.0) == pytest.approx(4.605, abs=1e-3)
    assert late_wait(2, 0.1, 1.0) == 0.0
    assert late_wait(2, 2.0, 1.0) == float("inf")
