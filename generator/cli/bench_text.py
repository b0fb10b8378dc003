"""A Measurement, and what has changed between two, for people: tables to look at."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import click

from generator.bench.compare import batching
from generator.bench.summary import PARTS
from generator.bench.words import (
    CHANGES,
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
    promises,
    spreads,
    started,
    subject,
    used,
    vectors,
    waits,
    warmed,
)
from generator.cli.talk import counted, width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.bench.checklist import Item
    from generator.bench.compare import Compared
    from generator.bench.measurement import Measurement
    from generator.bench.summary import Summary

BOXES: Final = {"done": "x", "failed": "!", "not here": " "}
_STATES: Final = {"done": "green", "failed": "red", "not here": None}
_VERDICTS: Final = {"better": "green", "worse": "red"}


def bench_text(found: Measurement, summaries: Sequence[Summary], items: Sequence[Item] = ()) -> str:
    """Return a table for each question, a line in it for each load, and the filled-in list."""
    heads = (*subject(found), warmed(found.warmup))
    lines = [*(textwrap.fill(head, width(), subsequent_indent="  ") for head in heads), ""]
    for title, rows in spreads(summaries):
        lines += _table((title, "p50", "p95", "p99"), rows)
    if rows := vectors(summaries):
        lines += _table(("all together", "vectors/s", "requests/s"), rows)
    else:
        lines += _table(("client | server", "first token", "between", "tokens/s", "all together"),
                        clocks(summaries))  # fmt: skip
    splits = [(s.load, s.split) for s in summaries if s.split]
    if splits:
        means = (
            [named(load), *(milliseconds(getattr(s, part)) for part in PARTS)] for load, s in splits
        )
        lines += _table(("mean of, ms", *PARTS[:-1], "whole"), means)
    for head, rows in ((USED, used(found.levels)), (WAITED, waits(found.levels)),
                       (GPUS, gpus(found.levels)), (STARTS, started(found))):  # fmt: skip
        lines += _table(head, rows, (0, 1) if head is GPUS else (0,)) if rows else []
    lines += [*not_started(found), ""] if not_started(found) else []
    if kept := promises(summaries):
        lines += _table(("under [slo]", "keep it", "a second", "p95", "VRAM", "missed"), kept)
    if held := batching(found):
        lines += ["Sent as they are due, then held to be sent together:", compare_text(held), ""]
    lines += _failed(summaries)
    lines += _items(items)
    return "\n".join(lines).rstrip()


def _items(items: Sequence[Item]) -> Iterator[str]:
    """Yield the list as its report has it: a box for each item, and below it what was seen."""
    for item in items:
        box = click.style(f"[{BOXES[item.state]}]", fg=_STATES[item.state])
        yield f"{box} {item.item}  (report {item.report}, line {item.line})"
        yield textwrap.fill(item.seen, width(), initial_indent="    ", subsequent_indent="    ")


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], texts: Sequence[int] = (0,)
) -> list[str]:
    """Return lines with numbers to the right, and an empty one; `texts` are columns of words."""
    rows = list(rows)
    sizes = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(row: Sequence[str]) -> str:
        cells = enumerate(zip(row, sizes, strict=True))
        put = (c.ljust(size) if at in texts else c.rjust(size) for at, (c, size) in cells)
        return "  ".join(put).rstrip()

    return [click.style(line(head), bold=True), *map(line, rows), ""]


def _failed(summaries: Sequence[Summary]) -> Iterator[str]:
    for each in summaries:
        for kind in each.failures:
            failed = click.style(f"{counted(request=kind.requests)} failed", fg="red")
            yield f"{named(each.load)}: {failed}: {kind.error}"


def compare_text(compared: Compared) -> str:
    """Return a line for each comparison, and what makes it doubtful."""
    rows = changes(compared)
    lines = _table(CHANGES, rows, (0, 1, 6))[:-1]
    for at, each in enumerate(compared.differences, 1):
        colour = _VERDICTS.get(each.verdict)
        lines[at] = lines[at].removesuffix(each.verdict) + click.style(each.verdict, fg=colour)
    if not rows:
        lines = ["no load is in both"]
    return "\n".join([*lines, *(f"note: {remark}" for remark in compared.remarks)])
