"""A Diagnosis as a page for people, to look at or to attach to a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.doctor.result import WORDS, mended_once
from generator.formats.page import Bar, page
from generator.formats.shell import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.advise.advise import Advised
    from generator.doctor.doctor import Diagnosis

COLOURS: Final = {"fault": "error", "warning": "warning", "unknown": "rest", "ok": "good"}


def as_page(found: Diagnosis, left: Advised | None = None) -> str:
    """Return the HTML: counts, every result with what mends it, and what is `left` to gain."""
    return page(
        "doctor",
        title="gen doctor",
        lead=" · ".join(found.who),
        words=[*_bars(found)],
        rows=[(result, COLOURS[result.word]) for result in mended_once(found.results)],
        advice=[(one, options("--set", one.sets)) for one in left.advice] if left else (),
        idle=[(one.lever, one.why) for one in left.idle] if left else (),
    )


def _bars(found: Diagnosis) -> Iterator[Bar]:
    words = [result.word for result in found.results]
    for word in WORDS:
        if number := words.count(word):
            told = ", ".join(dict.fromkeys(r.check for r in found.results if r.word == word))
            yield Bar(word, [(COLOURS[word], number / len(words), told)], str(number))
