"""How far `gen fit` is from what llama.cpp allocates.

    python -m benchmarks.accuracy --engine DIR measure     needs llama-fit-params, llama-server
    python -m benchmarks.accuracy report                    from what was measured

`measure` writes `tests/fit/measured.json`, `report` writes `docs/accuracy.md`. DIR (or
$LLAMA_CPP_BIN) holds the programs. Every shape is a skeleton: nothing is downloaded, and weights
are zero, which no allocator looks at.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import architectures, observations, reports, rivals, skeleton, speed_accuracy
from benchmarks.shapes import FITTED, HELD_OUT, LOADED, SHAPES, WEIGHTS, Run, runs
from generator.catalogue.catalogue import load_catalogue
from generator.fit.compute import compute_bytes
from generator.fit.kv import kv_layers
from generator.fit.metadata import shape_of_file
from generator.fit.shape import Load
from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from generator.fit.shape import Shape

HERE: Final = Path(__file__).parent.parent
MEASURED: Final = HERE / "tests/fit/measured.json"
DOCUMENT: Final = HERE / "docs/accuracy.md"
PARAMS, SERVER, LOAD = "llama-fit-params", "llama-server --fit", "llama-server, loaded"
NEAR: Final = 0.05
MOST_CACHE: Final = 700  # MiB of cache that a real load may fill
ESTIMATED: Final = re.compile(r"^Host (\d+) (\d+) (\d+)", re.MULTILINE)
PROJECTED: Final = re.compile(r"projected to use (\d+) MiB of host memory")
BUFFER: Final = re.compile(r"(model|KV|compute) buffer size =\s*([\d.]+) MiB")


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement in MiB; parts that a tool does not tell are None."""

    tool: str
    shape: str
    run: Run
    weights: float | None
    kv: float | None
    compute: float | None
    total: float


def load_of(run: Run, tool: str) -> Load:
    """Return the Load of a run; llama-server reserves logits for one token of each slot."""
    context, slots, cache, flash, batch = run
    return Load(
        context=context,
        slots=slots,
        cache_type=cache,
        flash_attention=flash,
        batch=batch,
        outputs=0 if tool == PARAMS else slots,
    )


def predicted(shape: Shape, run: Run, tool: str) -> tuple[float, float, float]:
    """Return weights, KV cache and compute buffer in MiB, as `gen fit` has them."""
    load = load_of(run, tool)
    again = shape.host_output_bytes - shape.own_output_bytes
    size = shape.tensor_bytes + again
    parts = (size, sum(kv_layers(shape, load)), compute_bytes(shape, load))
    weights, kv, compute = (size / MIB for size in parts)
    return weights, kv, compute


def read_points(file: Path = MEASURED) -> tuple[str, list[Point]]:
    """Return the engine's version and what was measured with it."""
    data = json.loads(file.read_text(encoding="utf-8"))
    points = [
        Point(tool, shape, (c, n, cache, flash, batch), *sizes)
        for tool, shape, c, n, cache, flash, batch, *sizes in data["points"]
    ]
    return data["engine"], points


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("measure", "report"))
    parser.add_argument("--engine", default=os.environ.get("LLAMA_CPP_BIN"), metavar="DIR")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    if options.what == "measure":
        if not options.engine:
            parser.error("name the folder of llama.cpp's programs: --engine DIR")
        measure(Path(options.engine), options.jobs)
    else:
        DOCUMENT.write_text(report(*read_points()), encoding="utf-8")


def measure(engine: Path, jobs: int) -> None:
    """Measure every shape and run, and write what came out."""
    with tempfile.TemporaryDirectory() as folder:
        tasks = [(engine, Path(folder), name, run) for name in SHAPES for run in runs(SHAPES[name])]
        for name, outline in SHAPES.items():
            skeleton.write(outline, _file(Path(folder), name), WEIGHTS)
        with ThreadPoolExecutor(jobs) as pool:
            found = list(pool.map(lambda task: list(_measure(*task)), tasks))
    points = sorted((p for some in found for p in some), key=lambda p: (p.tool, p.shape, p.run))
    rows = [[p.tool, p.shape, *p.run, p.weights, p.kv, p.compute, p.total] for p in points]
    lines = ",\n".join(json.dumps(row) for row in rows)
    head = json.dumps({"engine": _version(engine), "weights": WEIGHTS})[:-1]
    MEASURED.write_text(f'{head}, "points": [\n{lines}\n]}}\n', encoding="utf-8")
    sys.stdout.write(f"{len(rows)} points\n")


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name.replace(':', '-')}.gguf"


def _version(engine: Path) -> str:
    done = subprocess.run(
        [engine / "llama-fit-params", "--version"], capture_output=True, text=True, check=True
    )
    match = re.search(r"commit (\w+)", done.stdout + done.stderr)
    return f"llama.cpp@{match[1] if match else '?'}"


def _arguments(file: Path, run: Run) -> list[str]:
    context, slots, cache, flash, batch = run
    return [
        *("-m", str(file), "-c", str(context * slots), "-np", str(slots)),
        *("-ctk", cache, "-ctv", cache, "-fa", "on" if flash else "off"),
        *("-b", str(batch), "-ub", str(batch), "-ngl", "0", "--no-repack"),
    ]


def reserved(program: Path, file: Path, name: str, run: Run) -> Point:
    """Return what llama-fit-params says that a run of the shape `name` reserves."""
    done = subprocess.run(
        [program, *_arguments(file, run), "--fit-print", "on"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    weights, kv, compute = map(int, ESTIMATED.findall(done.stdout)[0])
    return Point(PARAMS, name, run, weights, kv, compute, weights + kv + compute)


def _server(program: Path, file: Path, run: Run) -> list[str]:
    return [str(program), *_arguments(file, run), "--no-webui", "--port", "0"]


def projected(program: Path, file: Path, name: str, run: Run) -> Iterator[Point]:
    """Yield what llama-server says that it would take, before it loads."""
    for line in _lines([*_server(program, file, run), "-lv", "5", "--fit", "on"]):
        if found := PROJECTED.search(line):
            yield Point(SERVER, name, run, None, None, None, int(found[1]))
            break


def _measure(engine: Path, folder: Path, name: str, run: Run) -> Iterator[Point]:
    file = _file(folder, name)
    point = reserved(engine / "llama-fit-params", file, name, run)
    yield point
    server = _server(engine / "llama-server", file, run)
    yield from projected(engine / "llama-server", file, name, run)
    if name in LOADED and (point.kv or 0) <= MOST_CACHE and file.exists():
        yield _loaded(name, run, server)


def _loaded(name: str, run: Run, server: Sequence[str]) -> Point:
    """Load the skeleton for real, and read what was allocated."""
    sizes = {"model": 0.0, "KV": 0.0, "compute": 0.0}
    for line in _lines([*server, "-lv", "4", "--fit", "off", "--no-warmup", "--load-mode", "none"]):
        if found := BUFFER.search(line):
            sizes[found[1]] += float(found[2])
        if sizes["compute"]:
            break
    parts = sizes["model"], sizes["KV"], sizes["compute"]
    return Point(LOAD, name, run, *parts, round(sum(parts), 2))


def _lines(command: Sequence[str]) -> Iterator[str]:
    """Yield what a program prints, and end it when nobody asks for more."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield from process.stdout or ()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


def report(engine: str, points: Sequence[Point]) -> str:
    """Return docs/accuracy.md."""
    with tempfile.TemporaryDirectory() as folder:
        shapes = {}
        for name in SHAPES:
            skeleton.write(SHAPES[name], _file(Path(folder), name), WEIGHTS)
            file = str(_file(Path(folder), name))
            shapes[name] = shape_of_file(file, load_catalogue().at("ollama"))
    errors = [(error(shapes[p.shape], p), p) for p in points]
    parts = [_head(engine, points), _summary(errors), _by_shape(errors), _worst(errors, shapes)]
    gpu = (HERE / "benchmarks/accuracy.gpu.md").read_text(encoding="utf-8").strip()
    parts += [gpu, architectures.report(load_catalogue().at("ollama"))]
    parts += [_rivals(points, shapes), observations.report(), reports.report()]
    parts.append(speed_accuracy.report())
    return "\n\n".join(parts) + "\n"


def error(shape: Shape, point: Point) -> float:
    """Return by how much the sum of weights, KV cache and compute buffer is off, as a share."""
    return sum(predicted(shape, point.run, point.tool)) / point.total - 1


def compute_error(shape: Shape, point: Point) -> float | None:
    """Return by how much the compute buffer alone is off; None: the tool does not tell it."""
    if not point.compute:
        return None
    return predicted(shape, point.run, point.tool)[2] / point.compute - 1


def _head(engine: str, points: Sequence[Point]) -> str:
    text = (HERE / "benchmarks/accuracy.head.md").read_text(encoding="utf-8")
    return text.strip().format(engine=engine, points=len(points), shapes=len(SHAPES))


def _percent(value: float) -> str:
    return f"{value * 100:.2f} %"


def _row(name: str, errors: Iterable[float]) -> str:
    sizes = sorted(abs(e) for e in errors)
    cells = (name, str(len(sizes)), _percent(statistics.median(sizes)), _percent(sizes[-1]))
    return f"| {' | '.join(cells)} |"


def _summary(errors: Sequence[tuple[float, Point]]) -> str:
    lines = ["| weights + KV + compute | points | median error | worst |", "|---|---|---|---|"]
    tools = (PARAMS, SERVER, LOAD)
    lines += [_row(f"`{tool}`", (e for e, p in errors if p.tool == tool)) for tool in tools]
    lines.append(_row("shapes held out", (e for e, p in errors if p.shape in HELD_OUT)))
    lines.append(_row("all", (e for e, _ in errors)))
    return "\n".join(lines)


def _by_shape(errors: Sequence[tuple[float, Point]]) -> str:
    lines = ["| shape | points | median error | worst |", "|---|---|---|---|"]
    for name in SHAPES:
        told = (
            name if name in FITTED else f"{name} ({'held out' if name in HELD_OUT else 'loaded'})"
        )
        lines.append(_row(told, (e for e, p in errors if p.shape == name)))
    return "\n".join(lines)


def _rivals(points: Sequence[Point], shapes: dict[str, Shape]) -> str:
    """Return how far others are off on the points that llama-fit-params told."""
    own = [p for p in points if p.tool == PARAMS and p.shape in HELD_OUT]
    parsed = rivals.gguf_parser()
    told = {
        "`gen fit`": [error(shapes[p.shape], p) for p in own],
        "gguf-parser-go 0.28.2": [parsed[p.shape, p.run] / p.total - 1 for p in own],
        "llmfit 1.1, by its formula": [
            rivals.llmfit_memory(shapes[p.shape], p.run) / p.total - 1 for p in own
        ],
    }
    lines = [
        f"The {len(own)} points of `llama-fit-params` with shapes held out, by others, too",
        "(`benchmarks/rivals.py`; too little: by more than 5 %; all on a CPU):",
        "",
        "| | median error | within 5 % | too little | worst |",
        "|---|---|---|---|---|",
    ]
    for name, errors in told.items():
        sizes = sorted(map(abs, errors))
        near = sum(size <= NEAR for size in sizes) / len(sizes)
        below = sum(e < -NEAR for e in errors) / len(sizes)
        cells = (
            _percent(statistics.median(sizes)),
            f"{near:.0%}",
            f"{below:.0%}",
            f"{sizes[-1]:.0%}",
        )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _worst(errors: Sequence[tuple[float, Point]], shapes: dict[str, Shape]) -> str:
    lines = [
        "The ten worst:",
        "",
        "| error | shape | tool | tokens × slots | cache | flash | batch | measured | predicted |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    ordered = sorted(errors, key=lambda pair: (-abs(pair[0]), pair[1].tool, pair[1].run))
    for off, point in ordered[:10]:
        context, slots, cache, flash, batch = point.run
        guess = sum(predicted(shapes[point.shape], point.run, point.tool))
        cells: tuple[Any, ...] = (
            *(_percent(off), point.shape, f"`{point.tool}`", f"{context} × {slots}", cache),
            *("on" if flash else "off", batch, f"{point.total:.0f} MiB", f"{guess:.0f} MiB"),
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
