"""Prompts that no cache knows, and when requests are due."""

from itertools import pairwise

import pytest

from generator.bench.measurement import Workload
from generator.bench.prompts import arrivals, fitting_words, prompt

WORK = Workload(api="ollama", requests=1, prompt_tokens=20, output_tokens=1, seed=1, words=20)


def test_each_begins_differently_and_the_same_again() -> None:
    every = [prompt(WORK, (), "1", n) for n in range(1000)]
    assert len({text.split()[0] for text in every}) == 1000
    assert {len(text.split()) for text in every} == {20}
    assert every == [prompt(WORK, (), "1", n) for n in range(1000)]


def test_another_measurement_begins_differently_and_goes_on_alike() -> None:
    """A server may keep prompts of the one before."""
    one, other = (prompt(WORK, (), "1", 0, salt).split() for salt in ("a", "b"))
    assert one[0] != other[0]
    assert one[1:] == other[1:]


def test_given_prompts_are_taken_in_turn() -> None:
    every = [prompt(WORK, ("a b", "c"), "4", n) for n in range(3)]
    assert [text.partition(" ")[2] for text in every] == ["a b", "c", "a b"]


@pytest.mark.parametrize(
    ("words", "wanted", "counted", "expected"),
    [(100, 100, 125, 80), (100, 100, 0, 100), (10, 10, 10_000, 1), (128, 128, 128, 128)],
)
def test_words_for_so_many_tokens(words: int, wanted: int, counted: int, expected: int) -> None:
    assert fitting_words(words, wanted, counted) == expected


def test_arrivals_have_the_rate_on_the_mean() -> None:
    dues = [*arrivals(50.0, 5000, seed=3)]
    assert dues[0] == 0
    assert dues == sorted(dues)
    assert dues[-1] / 1e9 == pytest.approx(100, rel=0.05)
    # As of callers who know of no other: 63 % of pauses are shorter than the mean.
    short = sum(b - a < 20_000_000 for a, b in pairwise(dues))
    assert short / 4999 == pytest.approx(0.632, abs=0.03)
