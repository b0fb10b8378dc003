"""How far `gen fit` is from the memory that the first reports told, those of the shipped profiles.

    python -m benchmarks.reports        the table of docs/accuracy.md

Rows are in `report_rows.csv`: a profile with what was different, and MiB of a room (the last is the
host). `parts` of its need are compared, as `weights kv`.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.api import Question, assess, load_engine, plan_of, read_document
from generator.catalogue.catalogue import load_catalogue
from generator.readers.plan.view import view_of
from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.fit.verdict import ModelFit

ROWS: Final = Path(__file__).parent / "report_rows.csv"
HEAD: Final = ROWS.with_name("reports.head.md")


def report() -> str:
    """Return the part of docs/accuracy.md on the reports."""
    lines = [
        "| report | | measured | expected | error | |",
        "|---|---|---|---|---|---|",
    ]
    with ROWS.open(encoding="utf-8", newline="") as file:
        lines += [_line(row) for row in csv.DictReader(file)]
    return "\n\n".join((HEAD.read_text(encoding="utf-8").strip(), "\n".join(lines)))


def expected(row: Mapping[str, str]) -> float:
    """Return the MiB that `gen fit` says of the room of a row."""
    need = _fit(row).rooms[int(row["room"])].need
    parts = row["parts"].split()
    return (need.total if parts == ["all"] else sum(getattr(need, part) for part in parts)) / MIB


def _fit(row: Mapping[str, str]) -> ModelFit:
    document = read_document(row["profile"], overrides=row["set"].split())
    plan = plan_of(document, version=row["release"])
    view = view_of(plan)
    facts = load_catalogue().at(view.engine, view.release)
    question = Question(
        models=(row["model"],), context=int(row["context"]), slots=int(row["slots"])
    )
    ask = load_engine(view.engine).ask_of(view, facts)
    (fit,) = assess(view, (), ask, question).fits
    return fit


def _line(row: Mapping[str, str]) -> str:
    said, told = expected(row), float(row["mib"])
    name = f"{row['report']} ({row['profile']})"
    what = f"{row['what']}; {row['model']}, Ollama {row['release']}"
    cells = (name, what, f"{told:.0f} MiB", f"{said:.0f} MiB", f"{said / told - 1:+.0%}")
    return f"| {' | '.join(cells)} | {row['remark']} |"


if __name__ == "__main__":
    print(report())
