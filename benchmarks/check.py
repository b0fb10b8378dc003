"""How fast `gen check` is, and how its time grows: N different compose files in one directory.

Every file has services, ports, variables and faults of its own. Measured is the check itself and
its report as text, in one process that collects no garbage, as the command; files are written
before the clock starts. A mixed tree is the
corpus of the tests; without its NixOS modules, each of which Nix evaluates, it is there five times.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import platform
import shutil
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.check.gather import CheckRequest, check
from generator.cli.check_text import render

if TYPE_CHECKING:
    from collections.abc import Sequence

CORPUS: Final = Path(__file__).parent.parent / "tests/corpus"
COPIES: Final = 5
SIZES: Final = (250, 500, 1_000)
FAULTS: Final = ("OLLAMA_NUM_THREADS: 8", "OLLAMA_KEEP_ALIVE: 1d", 'OLLAMA_NOPRUNE: "off"')
TEMPLATE: Final = """\
services:
  ollama:
    image: ollama/ollama:0.{minor}.0
    restart: unless-stopped
    ports:
      - "127.0.0.1:{port}:11434"
    environment:
      OLLAMA_CONTEXT_LENGTH: "{context}"
      OLLAMA_NUM_PARALLEL: ${{PARALLEL:-{parallel}}}
      {fault}
    volumes:
      - models-{number}:/root/.ollama
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              device_ids: ["{card}"]
              capabilities: [gpu]
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:11434/"]
  app-{number}:
    image: registry.example.net/app:{number}
    environment:
      - OLLAMA_HOST=http://ollama:11434
    depends_on:
      - ollama
volumes:
  models-{number}:
"""


@dataclass(frozen=True)
class Result:
    """One size: the median of the rounds."""

    files: int
    findings: int
    seconds: float
    files_per_second: float


def main() -> None:
    """Measure every size and print what came out."""
    options = _options()
    gc.disable()  # as the command does
    with tempfile.TemporaryDirectory(prefix="hostwright-") as name:
        _measured(Path(name) / "warm", 10, 1)
        sizes = sorted(options.sizes)
        results = [_measured(Path(name) / str(size), size, options.rounds) for size in sizes]
        mixed = [_mixed(Path(name) / kind, kind) for kind in ("all", "without NixOS")]
    exponent = _exponent([(r.files, r.seconds) for r in results])
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    if options.json:
        rows = [asdict(result) for result in results]
        trees = [asdict(result) for result in mixed]
        told = {"rounds": options.rounds, "results": rows, "exponent": exponent, "mixed": trees}
        out = {**machine, **told}
        print(json.dumps(out))
    else:
        print(_report(results, mixed, options.rounds, exponent))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time `gen check` on many compose files.")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, metavar="N", help="files")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="passes per size")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def _measured(directory: Path, size: int, rounds: int) -> Result:
    for number in range(size):
        _write(directory / f"stack-{number:05}", number)
    passes = [_once(directory) for _ in range(rounds)]
    seconds = statistics.median(spent for spent, _ in passes)
    return Result(size, passes[0][1], seconds, size / seconds)


def _mixed(directory: Path, kind: str) -> Result:
    """Measure a tree of every kind of file that is read."""
    times = 1 if kind == "all" else COPIES
    for number in range(times):
        copy = directory / f"copy-{number}"
        shutil.copytree(CORPUS, copy)
        if kind != "all":
            shutil.rmtree(copy / "nixos")
    start = time.perf_counter()
    report = check(CheckRequest(paths=[str(directory)]))
    render(report)
    seconds = time.perf_counter() - start
    files = len(report.texts)
    return Result(files, len(report.findings), seconds, files / seconds)


def _write(folder: Path, number: int) -> None:
    folder.mkdir(parents=True)
    text = TEMPLATE.format(
        number=number,
        minor=20 + number % 5,
        port=1024 + number,
        context=2048 + 16 * number,
        parallel=1 + number % 8,
        card=number % 4,
        fault=FAULTS[number % len(FAULTS)],
    )
    (folder / "compose.yaml").write_text(text, encoding="utf-8")


def _once(directory: Path) -> tuple[float, int]:
    start = time.perf_counter()
    report = check(CheckRequest(paths=[str(directory)]))
    render(report)
    return time.perf_counter() - start, len(report.findings)


def _exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of log y over log x by least squares: 1 is linear."""
    if len(points) < 2:
        return math.nan
    xs, ys = ([math.log(value) for value in column] for column in zip(*points, strict=True))
    return statistics.linear_regression(xs, ys).slope


def _row(r: Result) -> str:
    return f"{r.files:8}{r.findings:10}{r.seconds:9.2f}{r.files_per_second:9.0f}"


def _report(
    results: Sequence[Result], mixed: Sequence[Result], rounds: int, exponent: float
) -> str:
    lines = [
        f"Python {platform.python_version()}, {os.cpu_count()} cores; medians of {rounds} passes",
        "",
        "   files  findings  seconds  files/s",
        *map(_row, results),
        "",
        f"time grows as N^{exponent:.3f}; the corpus, with NixOS modules and without:",
        *map(_row, mixed),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
