"""What public logs of Ollama told of a load, beside `gen fit`, gguf-parser-go and llmfit.

    python -m benchmarks.observations        the table of docs/accuracy.md

Rows are in `observation_rows.csv`: what was asked of a card, or of the processor, and the MiB of
`parts` that the log tells, together. `gguf_parser` is what EstimateLLaMACppRun of gguf-parser-go
v0.28.2 gave for a file with the same tensors, without what it counts for the program itself; llmfit
is asked by its formula (benchmarks/rivals.py).
"""

from __future__ import annotations

import csv
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import rivals
from generator.api import Question, assess, load_engine, plan_of, read_document
from generator.catalogue.catalogue import load_catalogue
from generator.readers.plan.view import view_of
from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.fit.verdict import ModelFit

ROWS: Final = Path(__file__).parent / "observation_rows.csv"
HEAD: Final = ROWS.with_name("observations.head.md")
NEAR: Final = 0.05
Row = dict[str, str]


def read_rows() -> list[Row]:
    """Return the observations."""
    with ROWS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def report() -> str:
    """Return the part of docs/accuracy.md on what logs told."""
    rows = read_rows()
    fits = [fit_of(row) for row in rows]
    told = [float(row["mib"]) for row in rows]
    ours = [expected(row, fit) for row, fit in zip(rows, fits, strict=True)]
    parsed = [float(row["gguf_parser"]) for row in rows]
    formula = [_llmfit(row, fit) for row, fit in zip(rows, fits, strict=True)]
    lines = [
        "| model | Ollama | where | told | `gen fit` | gguf-parser-go | llmfit |",
        "|---|---|---|---|---|---|---|",
        *map(_line, rows, told, ours, parsed, formula),
    ]
    summary = [
        "| | rows | median error | within 5 % | too little | worst |",
        "|---|---|---|---|---|---|",
        _summary("`gen fit`", told, ours),
        _summary("gguf-parser-go 0.28.2", told, parsed),
        _summary("llmfit 1.1, by its formula", told, formula),
    ]
    return "\n\n".join(
        (HEAD.read_text(encoding="utf-8").strip(), *map("\n".join, (lines, summary)))
    )


def fit_of(row: Mapping[str, str]) -> ModelFit:
    """Return the verdict of an observation."""
    document = read_document("-", stdin="\n".join(_profile(row)).encode())
    view = view_of(plan_of(document))
    ask = load_engine(view.engine).ask_of(view, load_catalogue().at(view.engine, view.release))
    question = Question(
        models=(row["model"],), context=int(row["context"]), slots=int(row["slots"])
    )
    (fit,) = assess(view, (), ask, question).fits
    return fit


def expected(row: Mapping[str, str], fit: ModelFit) -> float:
    """Return the MiB of the parts that the log tells, of the card or else of the host."""
    need = fit.rooms[0 if row["card"] else -1].need
    return float(sum(getattr(need, part) for part in row["parts"].split())) / MIB


def _profile(row: Mapping[str, str]) -> Iterator[str]:
    yield 'schema_version = 1\nname = "log"\n[host]\nmemory = "1024GiB"\ncpu.cores = 16'
    if row["card"]:
        yield f'[[host.gpus]]\nname = "{row["card"]}"\nmemory = "{row["free"]}MiB"'
        if row["capability"]:
            yield f'compute_capability = "{row["capability"]}"'
    yield f'[ollama]\nversion = "{row["release"]}"\nnum_parallel = {row["slots"]}'
    if not row["card"]:
        yield 'acceleration = "cpu"'
    if row["cache"]:
        yield f'kv_cache_type = "{row["cache"]}"'
    if row["flash"]:
        yield f"flash_attention = {row['flash']}"


def _llmfit(row: Mapping[str, str], fit: ModelFit) -> float | None:
    """Return what llmfit expects; None: a part that it does not tell apart."""
    if "weights" not in row["parts"]:
        return None
    run = (int(row["context"]), int(row["slots"]), row["cache"] or "f16", True, 512)
    return rivals.llmfit_memory(fit.shape, run)


def _line(
    row: Mapping[str, str], told: float, ours: float, parsed: float, formula: float | None
) -> str:
    where = row["card"] or "CPU"
    cells = [f"{row['model']} × {row['context']}", row["release"], where, f"{told:.0f} MiB"]
    said = [f"{each / told - 1:+.1%}" if each else "not told" for each in (ours, parsed, formula)]
    return f"| {' | '.join([*cells, *said])} |"


def _summary(name: str, told: Sequence[float], said: Sequence[float | None]) -> str:
    errors = [one / real - 1 for one, real in zip(said, told, strict=True) if one]
    sizes = sorted(map(abs, errors))
    near = sum(size <= NEAR for size in sizes) / len(sizes)
    below = sum(error < -NEAR for error in errors)
    cells = (str(len(sizes)), f"{statistics.median(sizes):.1%}", f"{near:.0%}", str(below))
    return f"| {name} | {' | '.join(cells)} | {sizes[-1]:.0%} |"


if __name__ == "__main__":
    print(report())
