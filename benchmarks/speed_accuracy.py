"""How far the speeds that `gen fit` expects are from what people measured.

    python -m benchmarks.speed_accuracy              the tables of docs/accuracy.md
    python -m benchmarks.speed_accuracy calibrate    the constants of speed.toml, anew
    python -m benchmarks.speed_accuracy rows         every row, with what was expected

The rows are in `speed_rows.csv`: public measurements, each with its source. Machines are dealt to
two halves: the constants are from the first, the figures that count are of the second. For the
constants every machine weighs the same, however many rows it has.

    gib             size of the file, where it is not that of the Catalogue
    gpus            cards, all alike
    gpu_layers      on GPUs, if not all of them; `fit`: as many as there is memory for
    host_experts    layers whose experts the CPU computes
    depth           tokens in the cache, in the middle of what was generated
    remark          the reason of an outlier, as far as it is known

Those of `speed_fresh.csv` were written down before anything was asked, and no constant is of them.
"""

from __future__ import annotations

import argparse
import csv
import math
import statistics
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import rivals
from generator.catalogue.catalogue import load_catalogue
from generator.catalogue.speed import GB
from generator.fit.active import expert_bytes
from generator.fit.choose import pick
from generator.fit.host import Host
from generator.fit.layout import Footprint
from generator.fit.load_time import disk_of, load_time
from generator.fit.shape import Load, Shape
from generator.fit.speed import Part, cpu_engine, decode_rate, gpu_engine, prompt_rate
from generator.host import Gpu
from generator.records import dataclass
from generator.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.catalogue.speed import Efficiency
    from generator.fit.speed import Engine, Rate

ROWS: Final = Path(__file__).parent / "speed_rows.csv"
FRESH: Final = Path(__file__).parent / "speed_fresh.csv"
LOADS: Final = Path(__file__).parent / "load_rows.csv"
HEAD: Final = Path(__file__).parent / "speed_accuracy.head.md"
FACTS: Final = load_catalogue().at("ollama")
HELD_OUT: Final = "held out"
KINDS: Final = ("decode", "prompt")
TABLE: Final = (
    "| held out | machines | figures | median error | within 50 % | within the error bar |",
    "|---|---|---|---|---|---|",
)
TENTH: Final = 0.1
CLOSE: Final = 0.2
FAR: Final = 0.5  # what makes an outlier
ENOUGH: Final = 3  # machines that a range is taken from
LEAST: Final = (0.8, 1.2)
FEW: Final = (0.6, 1.5)
MOST: Final = 45  # fiftieths of its memory's rate that a device can get at best
MOST_OF_CPU: Final = 37  # as benchmarks of memory (STREAM) get of it
# Cores of the processors; of those with two kinds the fast ones, where only these computed.
CORES: Final = {
    "AmpereOne A192-32X": 192,
    "Cix CD8180": 12,
    "Core i3-1315U": 2,
    "Core i3-14100": 4,
    "Core i5-1135G7": 4,
    "Core i5-9500": 6,
    "Core i7-1165G7": 4,
    "Core i7-7820HQ": 4,
    "Core i7-8550U": 4,
    "Graviton3": 64,
    "Graviton4": 96,
    "Intel Core i7-1270P": 12,
    "Intel Core i9-10900X": 10,
    "Intel Core i9-13900HK": 14,
    "Intel N100": 4,
    "Intel N150": 4,
    "Intel Xeon E5-2680 v4": 14,
    "Raspberry Pi 400": 4,
    "Raspberry Pi 5": 4,
    "Ryzen 5 7600X": 6,
    "Ryzen 7 8840U": 8,
    "Ryzen 9 5900X": 12,
    "Ryzen 9 7950X": 16,
    "Ryzen AI 5 340": 6,
    "Ryzen AI Max+ 395": 16,
    "Ryzen Threadripper 3970X": 32,
    "Xeon E5-2670 v3": 12,
}
# CPUs of the processors that are held out.
THREADS: Final = {
    "Cix CD8180": 12,
    "Core i3-14100": 8,
    "Core i5-9500": 6,
    "Core i7-7820HQ": 8,
    "Graviton3": 64,
    "Intel Core i7-1270P": 16,
    "Intel N150": 4,
    "Raspberry Pi 5": 4,
    "Ryzen 7 8840U": 16,
    "Ryzen AI Max+ 395": 32,
    "Xeon E5-2670 v3": 24,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One public measurement; tokens per second, 0: not told."""

    half: str
    device: str
    backend: str
    host: str
    shape: Shape
    gpus: int
    gpu_layers: str
    host_experts: int
    depth: int
    prompt: float
    decode: float
    source: str
    remark: str

    @property
    def machine(self) -> str:
        """What it was measured on: the card, or the processor."""
        return self.host if self.device == "cpu" else self.device

    @property
    def whole(self) -> bool:
        """Whether one kind of device computed all of it."""
        return not self.gpu_layers and not self.host_experts


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A figure of a Row, `decode` or `prompt`, with what was expected of it."""

    row: Row
    kind: str
    measured: float
    expected: Rate

    @property
    def ratio(self) -> float:
        """Measured over expected."""
        return self.measured / self.expected.likely

    @property
    def error(self) -> float:
        """By how much what was expected is off, as a share of what was measured."""
        return self.expected.likely / self.measured - 1

    @property
    def barred(self) -> bool:
        """Whether it is within the error bar."""
        return self.expected.low <= self.measured <= self.expected.high


def read_rows(path: Path = ROWS) -> list[Row]:
    """Return the measurements of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [_row(table) for table in csv.DictReader(file)]


def _row(table: Mapping[str, str]) -> Row:
    shape = pick(f"{table['model']}:{table['quantisation']}", FACTS)
    if not isinstance(shape, Shape):
        raise TypeError(f"{table['model']}: {shape.message}")
    return Row(
        half=table["half"],
        device=table["device"],
        backend=table["backend"],
        host=table["host"],
        shape=_sized(shape, float(table["gib"]) * GIB) if table["gib"] else shape,
        gpus=int(table["gpus"]),
        gpu_layers=table["gpu_layers"],
        host_experts=int(table["host_experts"] or 0),
        depth=int(table["depth"]),
        prompt=float(table["prompt"] or 0),
        decode=float(table["decode"] or 0),
        source=table["source"],
        remark=table["remark"],
    )


def _sized(shape: Shape, size: float) -> Shape:
    """Return the shape with so many bytes; with MXFP4 the experts are what they are."""
    fixed = shape.quantisation == "MXFP4"
    experts = expert_bytes(shape) if fixed else (0,) * shape.layers
    share = (size - sum(experts)) / (shape.tensor_bytes - sum(experts))
    rest = zip(shape.layer_bytes, experts, strict=True)
    return replace(
        shape,
        layer_bytes=tuple(int((layer - part) * share) + part for layer, part in rest),
        expert_bytes=experts if fixed else tuple(int(e * share) for e in shape.expert_bytes),
        input_bytes=int(shape.input_bytes * share),
        more_input_bytes=int(shape.more_input_bytes * share),
        output_bytes=int(shape.output_bytes * share),
    )


def parts_of(row: Row) -> list[Part]:
    """Return what computes the model of a row. Raises LookupError where that is not known."""
    host = Host(cpu=row.host, cores=CORES.get(row.host, 0), acceleration=row.backend)
    end = row.shape.layers + 1
    if row.device == "cpu":
        return [Part(engine=_known(cpu_engine(host, FACTS)), start=0, end=end)]
    card = FACTS.card(row.device)
    gpu = Gpu(name=row.device, memory=card.memory if card else 0)
    engine = _known(gpu_engine(gpu, host, FACTS))
    if row.whole:
        return [Part(engine=engine, start=0, end=end)]
    return list(_split(row, engine, _known(cpu_engine(host, FACTS)), gpu.memory))


def _split(row: Row, gpu: Engine, cpu: Engine, memory: int) -> Iterator[Part]:
    layers = row.shape.layers
    if row.host_experts:
        size = sum(expert_bytes(row.shape)[: row.host_experts])
        yield Part(engine=gpu, start=0, end=layers + 1, moved=-size)
        yield Part(engine=cpu, start=0, end=0, moved=size, spilled=row.host_experts)
        return
    if row.gpu_layers == "fit":
        first = layers + 1 - Footprint(row.shape, Load(context=4096)).most(layers + 1, memory)
    else:
        first = layers - int(row.gpu_layers)
    yield Part(engine=cpu, start=0, end=first)
    yield Part(engine=gpu, start=first, end=layers + 1)


def _known(engine: Engine | str) -> Engine:
    if isinstance(engine, str):
        raise LookupError(engine)
    return engine


def points(rows: Iterable[Row], entry: Efficiency | None = None) -> list[Point]:
    """Return measured and expected speeds, where there is an answer; with `entry` by that one."""
    return [point for row in rows for point in _points(row, entry)]


def _points(row: Row, entry: Efficiency | None) -> Iterator[Point]:
    parts = parts_of(row)
    if entry is not None:
        parts = [replace(part, engine=replace(part.engine, efficiency=entry)) for part in parts]
    if row.decode:
        rate = decode_rate(row.shape, Load(context=max(row.depth, 256)), parts, row.depth)
        yield Point(row=row, kind="decode", measured=row.decode, expected=rate)
    if row.prompt and (prompt := prompt_rate(row.shape, parts)):
        yield Point(row=row, kind="prompt", measured=row.prompt, expected=prompt)


# Constants


def calibrated(rows: Sequence[Row], entry: Efficiency) -> Efficiency:
    """Return an entry with the constants that the rows, all of them its own, ask for.

    The share of the bandwidth and the time for a layer that are closest; the share of the TFLOPS
    that makes the median of prompts right; the ranges that a tenth is outside of on each side.
    """
    most = MOST_OF_CPU if entry.backend == "cpu" else MOST
    entries = (
        replace(entry, bandwidth=share / 50, layer=layer)
        for share in range(10, most + 1)
        for layer in range(0, 310, 10)
    )
    decodes = [replace(row, prompt=0.0) for row in rows]
    best = min(entries, key=lambda each: _distance(points(decodes, each)))
    best = replace(best, prompt=_prompt_share([replace(row, decode=0.0) for row in rows], best))
    found = points(rows, best)
    return replace(
        best,
        decode_range=_range([point for point in found if point.kind == "decode"]),
        prompt_range=_range([point for point in found if point.kind == "prompt"]),
    )


def _prompt_share(rows: Sequence[Row], entry: Efficiency) -> float:
    low, high = 0.0, 2.0
    while high - low > 0.002 and any(row.prompt for row in rows):  # two digits
        middle = (low + high) / 2
        ratios = weighted(points(rows, replace(entry, prompt=middle)))
        low, high = (middle, high) if quantile(ratios, 0.5) > 1 else (low, middle)
    return round(low, 2)


def _distance(found: Sequence[Point]) -> float:
    return math.fsum(abs(math.log(ratio)) ** 1.5 * weight for ratio, weight in weighted(found))


def _range(found: Sequence[Point]) -> tuple[float, float]:
    """Return what a tenth is below and above; never narrower than LEAST, or FEW of few machines."""
    few = len({point.row.machine for point in found}) < ENOUGH
    low, high = FEW if few else LEAST
    if ratios := weighted(found):
        low, high = min(low, quantile(ratios, TENTH)), max(high, quantile(ratios, 1 - TENTH))
    return round(low, 2), round(high, 2)


def weighted(found: Sequence[Point]) -> list[tuple[float, float]]:
    """Return the ratios with a weight each, in order: all machines weigh the same."""
    count: dict[str, int] = defaultdict(int)
    for point in found:
        count[point.row.machine] += 1
    return sorted((point.ratio, 1 / count[point.row.machine]) for point in found)


def quantile(found: Sequence[tuple[float, float]], share: float) -> float:
    """Return the value that so much of the weight is at or below."""
    total, reached = sum(weight for _, weight in found), 0.0
    for value, weight in found:
        reached += weight
        if reached >= share * total:
            return value
    return found[-1][0]


def show_constants(rows: Sequence[Row]) -> None:
    """Print the constants of all entries."""
    own: dict[int, list[Row]] = defaultdict(list)
    entries: dict[int, Efficiency] = {}
    for row in rows:
        if row.half != HELD_OUT and row.whole:
            entry = parts_of(row)[0].engine.efficiency
            own[id(entry)].append(row)
            entries[id(entry)] = entry
    for key, entry in entries.items():
        new = calibrated(own[key], entry)
        machines = len({row.machine for row in own[key]})
        print(
            f"{new.backend} {new.vendor} {' '.join(new.capabilities)}: {machines} machines, "
            f"{len(own[key])} rows\nbandwidth = {new.bandwidth}\nlayer = {new.layer}\n"
            f"prompt = {new.prompt}\ndecode_range = {list(new.decode_range)}\n"
            f"prompt_range = {list(new.prompt_range)}\n"
        )


def show_rows(rows: Sequence[Row]) -> None:
    """Print every row with what was expected."""
    for point in sorted(points(rows), key=lambda p: (p.kind, p.row.backend, p.row.machine)):
        row, rate = point.row, point.expected
        layers = row.gpu_layers or (f"{row.host_experts} experts" if row.host_experts else "-")
        print(
            f"{point.kind:6} {row.half:11} {row.backend:6} {row.machine:28.28} "
            f"{row.shape.name:20.20} {row.shape.quantisation:6} {layers:10} d{row.depth:<6} "
            f"{point.measured:8.1f} of {rate.low:7g} {rate.likely:7g} {rate.high:7g} "
            f"{point.error:+5.0%}"
        )


# The page


def report(rows: Sequence[Row] | None = None) -> str:
    """Return the part of docs/accuracy.md on speed."""
    found = points(rows or read_rows())
    machines = len({(point.row.backend, point.row.machine) for point in found})
    head = HEAD.read_text(encoding="utf-8").strip()
    head = head.format(figures=len(found), machines=machines)
    parts = (head, _summary(found), _rivals(found), _outliers(found), _fresh(), _loads())
    return "\n\n".join(parts)


def _summary(found: Sequence[Point]) -> str:
    lines = [*TABLE]
    for kind, word in (("decode", "generated"), ("prompt", "prompt")):
        own = [point for point in found if point.kind == kind]
        held = [point for point in own if point.row.half == HELD_OUT]
        for name, group in _groups(held):
            lines.append(_line(f"{word}, {name}", group))
        lines.append(_line(f"**{word}, all held out**", held))
        first = [point for point in own if point.row.half != HELD_OUT]
        lines.append(_line(f"{word}, the half of the constants", first))
    lines.append(_line("**all held out**", [p for p in found if p.row.half == HELD_OUT]))
    return "\n".join(lines)


def _groups(found: Sequence[Point]) -> list[tuple[str, list[Point]]]:
    groups: dict[str, list[Point]] = defaultdict(list)
    for point in found:
        groups[point.row.backend if point.row.whole else "GPU and CPU"].append(point)
    return sorted(groups.items())


def _line(name: str, found: Sequence[Point]) -> str:
    median, near, barred = figures(found)
    machines = len({(point.row.backend, point.row.machine) for point in found})
    return f"| {name} | {machines} | {len(found)} | {median:.0%} | {near:.0%} | {barred:.0%} |"


def figures(found: Sequence[Point]) -> tuple[float, float, float]:
    """Return the median error, the share within FAR, and the share within the error bar."""
    errors = [abs(point.error) for point in found]
    near = sum(error <= FAR for error in errors) / len(errors)
    barred = sum(point.barred for point in found) / len(errors)
    return statistics.median(errors), near, barred


def _rivals(found: Sequence[Point]) -> str:
    """Return how llmfit's formula does on the same rows: dense models, whole on one device."""
    held = [
        point
        for point in found
        if point.kind == "decode" and point.row.half == HELD_OUT and point.row.whole
        if not point.row.shape.experts
    ]
    lines = [
        "The same rows by the formula of llmfit 1.1, with the same bandwidths and without the",
        "measurements that it ships (dense models, whole on one kind of device, held out):",
        "",
        "| | rows | median error | within 20 % | within 50 % | worst |",
        "|---|---|---|---|---|---|",
    ]
    for where in ("GPUs", "CPUs"):
        own = [point for point in held if (point.row.device == "cpu") == (where == "CPUs")]
        lines.append(_rival(f"{where}, `gen fit`", [point.error for point in own]))
        theirs = [_llmfit(point.row) / point.measured - 1 for point in own]
        lines.append(_rival(f"{where}, llmfit's formula", theirs))
    return "\n".join(lines)


def _llmfit(row: Row) -> float:
    if row.device != "cpu":
        return rivals.llmfit(row.shape, parts_of(row)[0].engine.bandwidth / GB)
    arm = row.host.startswith(("Graviton", "Cix", "Raspberry", "Ampere"))
    return rivals.llmfit_on_cpu(row.shape, THREADS[row.host], arm=arm)


def _rival(name: str, errors: Sequence[float]) -> str:
    sizes = sorted(map(abs, errors))
    shares = [sum(size <= most for size in sizes) / len(sizes) for most in (CLOSE, FAR)]
    cells = [
        name,
        str(len(sizes)),
        *(f"{x:.0%}" for x in (statistics.median(sizes), *shares, sizes[-1])),
    ]
    return f"| {' | '.join(cells)} |"


def _loads() -> str:
    """Return how long loading took where somebody told it, beside what is expected."""
    lines = [
        "Loading was told for few machines; the rates of disks were set with them in sight:",
        "",
        "| GB | from | measured | expected | |",
        "|---|---|---|---|---|",
    ]
    with LOADS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            time = load_time(round(float(row["gb"]) * GB), FACTS, disk_of(row["disk"]))
            cached = row["cached"] == "yes"
            found = time.warm if cached else time.cold[0].time
            source = "page cache" if cached else row["disk"]
            bar = f"{found.likely:g} s ({found.low:g} to {found.high:g})"
            remark = f"{row['remark']}; {row['source']}"
            lines.append(f"| {row['gb']} | {source} | {row['seconds']} s | {bar} | {remark} |")
    return "\n".join(lines)


def _outliers(found: Sequence[Point]) -> str:
    far = [point for point in found if abs(point.error) > FAR]
    far.sort(key=lambda point: -abs(math.log(point.ratio)))
    lines = [
        f"Further off than 50 %: {len(far)} of {len(found)}.",
        "",
        "| | machine | model | measured | expected | reason, as far as it is known |",
        "|---|---|---|---|---|---|",
    ]
    for point in far:
        shape, row = point.row.shape, point.row
        lines.append(
            f"| {point.kind} | {row.machine}, {row.backend} | {shape.name} {shape.quantisation} | "
            f"{_number(point.measured)} | {_number(point.expected.likely)} | {row.remark} |"
        )
    return "\n".join(lines)


def _fresh() -> str:
    """Return how far off the rows are that were written down before anything was asked."""
    found = points(read_rows(FRESH))
    rows = [
        _line(f"{word}, {name}", group)
        for kind, word in (("decode", "generated"), ("prompt", "prompt"))
        for name, group in _groups([point for point in found if point.kind == kind])
    ]
    head = FRESH.with_suffix(".head.md").read_text(encoding="utf-8").strip()
    table = "\n".join([*TABLE, *rows, _line("**all**", found)])
    return "\n\n".join((head, table, _outliers(found)))


def _number(value: float) -> str:
    """Return a number to three digits, without an exponent."""
    return f"{float(f'{value:.3g}'):g}" if value < 1000 else f"{float(f'{value:.3g}'):.0f}"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "what", nargs="?", default="report", choices=("report", "calibrate", "rows")
    )
    what, rows = parser.parse_args().what, read_rows()
    if what == "report":
        print(report(rows))
    elif what == "rows":
        show_rows(rows)
    else:
        show_constants(rows)


if __name__ == "__main__":
    main()
