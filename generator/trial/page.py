"""A Trial and a Tuned as pages for people, to look at or to show."""

from __future__ import annotations

from math import log1p
from typing import TYPE_CHECKING, Final

from generator.bench.words import number
from generator.formats.page import Bar, page
from generator.records import dataclass
from generator.trial.words import (
    between,
    candidate_row,
    pair_rows,
    result,
    trial_remarks,
    trial_subject,
    tuned_subject,
    unit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.bench.statistics import Change
    from generator.trial.ab import Pair, Trial
    from generator.trial.tune import Tuned

COLOURS: Final = {
    "better": "good",
    "best": "good",
    "worse": "error",
    "no difference": "info",
    "not possible": "warning",
    "not tried": "rest",
}
_LEAST: Final = 0.05  # a chart of nothing but noise is not blown up
_HEAD: Final = ("change", "between, %", "verdict")


@dataclass(frozen=True, slots=True)
class Span:
    """A row of a chart: a change and its interval, from 0 to 1 where no change is in the middle."""

    label: str
    colour: str
    middle: float
    low: float
    high: float
    note: str


def trial_page(found: Trial) -> str:
    """Return the HTML: each change with its interval, and the numbers."""
    lead, under = trial_subject(found)
    rows = list(pair_rows(found))
    first = found.tried[0].value
    return page(
        "trial",
        title=f"gen bench --ab {found.key}",
        lead=lead,
        under=under,
        result="",
        bars=[],
        bars_title="",
        spans=_spans([(f"{p.value}: {p.measure}", p.verdict, p) for p, _ in rows]),
        spans_title=f"Change against {first}",
        head=("at once", "value", "what", first, "then", *_HEAD),
        rows=[(*row, pair.verdict) for pair, row in rows],
        numbers=(0, 3, 4, 5, 6),
        remarks=list(trial_remarks(found)),
    )


def tuned_page(found: Tuned) -> str:
    """Return the HTML: the time of each candidate, and how sure the differences are."""
    lead, under = tuned_subject(found)
    known = [one for one in found.candidates if one.against is not None]
    others = [(str(one.value), one.verdict, one.against) for one in known if one.against]
    return page(
        "trial",
        title=f"gen tune --vary {found.vary}",
        lead=lead,
        under=under,
        result=f"Best: {result(found)}.",
        bars=list(_bars(found)),
        bars_title=unit(found),
        spans=_spans([each for each in others if each[1] != "best"]),
        spans_title=f"More than with {found.best}",
        head=(
            found.vary,
            unit(found),
            "than the best",
            "in/s",
            "out/s",
            "GPU",
            "visits",
            "verdict",
        ),
        rows=[(*candidate_row(one), one.verdict) for one in known],
        numbers=(0, 1, 2, 3, 4, 5, 6),
        remarks=[
            *(f"{one.value}: {one.why}" for one in found.candidates if one.why),
            *found.remarks,
        ],
    )


def _bars(found: Tuned) -> Iterator[Bar]:
    most = max((one.nanoseconds for one in found.candidates), default=0) or 1
    for one in found.candidates:
        if one.nanoseconds:
            told = number(one.nanoseconds / 1e6)
            yield Bar(
                str(one.value), [(COLOURS[one.verdict], one.nanoseconds / most, told)], f"{told} ms"
            )


def _spans(rows: Sequence[tuple[str, str, Pair | Change]]) -> list[Span]:
    """Return the rows of a chart, as logarithms: half as much is as far away as twice as much."""
    changes = [change for _, _, change in rows]
    widest = max([_LEAST, *(abs(log1p(c.share)) * 2 for c in changes)])

    def at(share: float) -> float:
        return min(max(0.5 + log1p(max(share, -0.9999)) / widest / 2, 0.0), 1.0)

    return [
        Span(
            label,
            COLOURS[verdict],
            at(change.share),
            at(change.low),
            at(change.high),
            f"{change.share:+.1%} ({between(change)}) {verdict}",
        )
        for label, verdict, change in rows
    ]
