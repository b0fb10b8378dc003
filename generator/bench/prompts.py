"""What is asked: prompts that begin differently each, so that no cache has the answer. Pure."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.bench.measurement import Workload

WORDS: Final = (
    *("time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world"),
    *("school", "state", "family", "student", "group", "country", "problem", "hand", "part"),
    *("place", "case", "week", "company", "system", "program", "question", "work", "number"),
    *("night", "point", "home", "water", "room", "mother", "area", "money", "story", "fact"),
)
"""Frequent ones, which most tokenizers have as one token."""
MOST_WORDS: Final = 1 << 20


def prompt(workload: Workload, given: Sequence[str], load: str, index: int, salt: str = "") -> str:
    """Return the prompt of a request of a load: like no other's from its first word on.

    That word goes by `salt`, too: a server may keep the prompts of an earlier measurement.
    """
    drawing = Random(f"{workload.seed} {load} {index}")  # noqa: S311 -- to draw words
    first = f"{Random(f'{salt} {drawing.getrandbits(32)}').getrandbits(32):08x}"  # noqa: S311
    if given:
        return f"{first} {given[index % len(given)]}"
    return " ".join([first, *drawing.choices(WORDS, k=max(workload.words - 1, 0))])


def fitting_words(words: int, wanted: int, counted: int) -> int:
    """Return how many words are `wanted` tokens, where the server counted `words` as `counted`."""
    if not counted:
        return words
    return min(max(round(words * wanted / counted), 1), MOST_WORDS)


def arrivals(per_second: float, number: int, seed: int) -> Iterator[int]:
    """Yield when each request is due, in nanoseconds: as callers come who know of no other."""
    drawing, at = Random(seed), 0.0  # noqa: S311 -- to draw times
    for _ in range(number):
        yield int(at * 1e9)
        at += drawing.expovariate(per_second)
