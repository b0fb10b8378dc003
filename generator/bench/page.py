"""A Measurement as a page for people, to look at or to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.bench.compare import batching
from generator.bench.words import (
    GPUS,
    STARTS,
    USED,
    WAITED,
    changes,
    clocks,
    gpus,
    milliseconds,
    named,
    not_started,
    number,
    promises,
    spreads,
    started,
    subject,
    used,
    vectors,
    waits,
    warmed,
)
from generator.formats.page import Bar, page
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.bench.checklist import Item
    from generator.bench.measurement import Measurement
    from generator.bench.statistics import Spread
    from generator.bench.summary import Summary

COLOURS: Final = {
    "queue": "warning",
    "load": "error",
    "prefill": "info",
    "decode": "good",
    "outside": "rest",
}
"""Of the parts of an answer's time."""
STATES: Final = {"done": "✓", "failed": "✗", "not here": "–"}
_CHARTS: Final = {"ttft": "Time to first token", "itl": "Time between tokens"}


@dataclass(frozen=True, slots=True)
class Range:
    """A row of a chart: p50, p95 and p99, and the interval of p50, as shares of its width."""

    label: str
    p50: float
    p95: float
    p99: float
    low: float
    high: float
    note: str


def as_page(found: Measurement, summaries: Sequence[Summary], items: Sequence[Item] = ()) -> str:
    """Return the HTML: charts, tables with intervals, where the time goes, what went wrong."""
    lead, under = subject(found)
    return page(
        "bench",
        title=f"gen bench: {found.model}",
        lead=lead,
        under=f"{under}. {warmed(found.warmup)}.",
        together=[*_together(summaries)],
        charts=[(title, [*_ranges(summaries, name)]) for name, title in _CHARTS.items()],
        splits=[*_splits(summaries)],
        colours=list(COLOURS.items()),
        spreads=list(spreads(summaries)),
        clocks=clocks(summaries),
        promises=promises(summaries),
        vectors=vectors(summaries),
        used=[
            (head, rows)
            for head, rows in (
                (USED, used(found.levels)),
                (WAITED, waits(found.levels)),
                (GPUS, gpus(found.levels)),
            )
            if rows
        ],
        starts_head=STARTS,
        starts=started(found),
        not_started=not_started(found),
        held=changes(held) if (held := batching(found)) else [],
        items=[(i.item, STATES[i.state], i.seen, f"{i.report}, line {i.line}") for i in items],
        failures=[(named(s.load), str(k.requests), k.error) for s in summaries for k in s.failures],
    )


def _together(summaries: Sequence[Summary]) -> Iterator[Bar]:
    rates = [(s.load, s.client.together or s.vectors_per_second, s) for s in summaries]
    most = max((rate for _, rate, _ in rates), default=0) or 1
    for load, rate, each in rates:
        what = "vectors/s" if each.vectors_per_second else "tokens/s"
        yield Bar(named(load), [("good", rate / most, number(rate))], f"{number(rate)} {what}")


def _ranges(summaries: Sequence[Summary], name: str) -> Iterator[Range]:
    there: list[tuple[str, Spread]] = [
        (s.load, found) for s in summaries if (found := getattr(s, name)) is not None
    ]
    most = max((spread.p99.value for _, spread in there), default=0) or 1
    for load, spread in there:
        p50 = spread.p50
        three = (p50.value, spread.p95.value, spread.p99.value)
        at = [min(value / most, 1) for value in (*three, p50.low, p50.high)]
        told = " / ".join(map(milliseconds, three))
        yield Range(named(load), at[0], at[1], at[2], at[3], at[4], f"{told} ms")


def _splits(summaries: Sequence[Summary]) -> Iterator[Bar]:
    most = max((s.split.latency for s in summaries if s.split), default=0) or 1
    for each in summaries:
        if each.split is not None:
            values = {name: getattr(each.split, name) for name in COLOURS}
            parts = [
                (COLOURS[name], max(value, 0) / most, f"{name}: {milliseconds(value)} ms")
                for name, value in values.items()
            ]
            yield Bar(named(each.load), parts, f"{milliseconds(each.split.latency)} ms")
