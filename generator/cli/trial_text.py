"""A Trial and a Tuned for people: tables to look at."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import click

from generator.cli.talk import width
from generator.trial.words import (
    candidate_row,
    pair_rows,
    result,
    trial_remarks,
    trial_subject,
    tuned_subject,
    unit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.trial.ab import Trial
    from generator.trial.tune import Tuned

_COLOURS: Final = {"better": "green", "best": "green", "worse": "red", "not possible": "yellow"}


def trial_text(found: Trial) -> str:
    """Return a line for each comparison in pairs, and what makes it doubtful."""
    pairs = list(pair_rows(found))
    loads = len({pair.load for pair, _ in pairs}) > 1
    others = len({pair.value for pair, _ in pairs}) > 1
    keep = [at for at in range(7) if (at, loads) != (0, False) and (at, others) != (1, False)]
    first, second = found.tried[0].value, found.tried[-1].value if not others else "then"
    head = ("at once", "value", "what", first, second, "change", "between, %")
    rows = [([row[at] for at in keep], pair.verdict) for pair, row in pairs]
    lines = _table([head[at] for at in keep], rows, texts=sum(at < 3 for at in keep))  # noqa: PLR2004
    heads = _heads(trial_subject(found))
    return "\n".join([*heads, "", *lines, *(f"note: {one}" for one in trial_remarks(found))])


def tuned_text(found: Tuned) -> str:
    """Return a line for each candidate that was visited, and the best."""
    tried = [one for one in found.candidates if one.verdict != "not tried"]
    columns = 6 if any(one.on_gpus for one in tried) else 5
    rows = [(candidate_row(one)[:columns], one.verdict) for one in tried]
    head = (found.vary, unit(found), "than the best", "in/s", "out/s", "GPU")[:columns]
    notes = [f"{one.value}: {one.why}" for one in found.candidates if one.why]
    lines = _table(head, rows, texts=0)
    heads = _heads(tuned_subject(found))
    told = [*notes, *(f"note: {one}" for one in found.remarks)]
    wrapped = textwrap.wrap(f"Best: {result(found)}", width(), subsequent_indent="  ")
    return "\n".join([*heads, "", *lines, *told, "", *wrapped])


def _heads(heads: Iterable[str]) -> list[str]:
    return [textwrap.fill(head, width(), subsequent_indent="  ") for head in heads]


def _table(
    head: Sequence[str], rows: Sequence[tuple[Sequence[str], str]], *, texts: int
) -> list[str]:
    """Return lines with numbers to the right but for the first columns, and a verdict behind."""
    cells = [head, *(row for row, _ in rows)]
    sizes = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row, verdict in [(head, ""), *rows]:
        put = [
            cell.ljust(size) if at < texts else cell.rjust(size)
            for at, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ]
        line = "  ".join(put).rstrip() if not verdict else "  ".join(put)
        lines.append(
            line + (f"  {click.style(verdict, fg=_COLOURS.get(verdict))}" if verdict else "")
        )
    return [click.style(lines[0], bold=True), *lines[1:]]
