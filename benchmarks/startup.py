"""How long `gen` takes to start, against bare Python and against RamaLama.

Each command alternates with the one it is compared with, because a busy machine slows both: the
median of the paired ratios says more than two medians. `cpu` is the same ratio for processor
time, in which waiting for other programs does not count. Needs the standard library only; run it
with the Python that Hostwright is installed for.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

PROFILE: Final = "xeon-cpu"
WARM_UP: Final = 3
ANSWERS: Final = (0, 1)  # 1: there are findings
OWN: Final = """\
schema_version = 1
name = "mine"
[host]
memory = "64GiB"
cpu = { model = "AMD Ryzen 9 5950X", cores = 16, threads = 32 }
[[host.gpus]]
name = "NVIDIA GeForce RTX 3090"
memory = "24GiB"
[ollama]
keep_alive = "1h"
[[models]]
name = "qwen2.5-coder:14b"
role = "main"
"""
DROP_IN: Final = """\
[Service]
Environment=OLLAMA_NUM_PARALLEL=2 OLLAMA_KEEP_ALIVE=1h
Environment=OLLAMA_NUM_THREADS=8
CPUQuota=900%
MemoryMax=24G
"""
Environment = Mapping[str, str]


@dataclass(frozen=True)
class Command:
    """What is timed; `prepared` gives each run its environment, outside the timed part."""

    name: str
    argv: Sequence[str]
    prepared: Callable[[], AbstractContextManager[Environment]]


@dataclass(frozen=True)
class Pair:
    """A command, the one that it alternates with, and the bound on their ratio.

    `at_most` and `at_least` are aims of docs/benchmarks.md; None: there is none.
    """

    command: Command
    against: Command
    at_most: float | None = None
    at_least: float | None = None


class Seconds(NamedTuple):
    """What one run took: wall time, and processor time of user and system together."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Result:
    """Medians of one Pair: wall time in milliseconds, and the ratios of the rounds."""

    command: str
    against: str
    command_ms: float
    against_ms: float
    ratio: float
    cpu_ratio: float
    aim: str
    met: bool | None


def main() -> None:
    """Measure all pairs and print them."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="hostwright-bench-") as folder:
        ramalama = options.ramalama or shutil.which("ramalama")
        pairs = _pairs(Path(folder), ramalama)
        results = [_measured(pair, options.rounds) for pair in pairs]
    if options.json:
        rows = [dataclasses.asdict(result) for result in results]
        document = {**_machine(), "rounds": options.rounds, "results": rows}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print(_report(results, options.rounds))
        if not ramalama:
            print("RamaLama is not installed: not compared (--ramalama PATH).")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time how long `gen` takes to start.")
    parser.add_argument("--rounds", type=int, default=30, metavar="N", help="runs of each command")
    parser.add_argument("--ramalama", metavar="PATH", help="the program; default: from PATH")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def _pairs(folder: Path, ramalama: str | None) -> list[Pair]:
    base = _environment(folder)
    remembering = base | {"XDG_CACHE_HOME": str(folder / "cache")}

    def seen() -> AbstractContextManager[Environment]:
        return contextlib.nullcontext(remembering)

    @contextlib.contextmanager
    def unseen() -> Iterator[Environment]:
        with tempfile.TemporaryDirectory(dir=folder) as empty:
            yield base | {"XDG_CACHE_HOME": empty}

    bare = Command("python -c pass", (sys.executable, "-c", "pass"), seen)
    own, drop_in = folder / "mine.toml", folder / "ollama.service.d/10-tuning.conf"
    own.write_text(OWN, encoding="utf-8")
    drop_in.parent.mkdir()
    drop_in.write_text(DROP_IN, encoding="utf-8")
    gen = _gen()

    def pair(*argv: str, at_most: float | None = None, name: str = "", new: bool = False) -> Pair:
        """Return `gen` with these arguments beside bare Python; `new`: nothing is remembered."""
        told = f"gen {name or ' '.join(argv)}" + (", first time" if new else "")
        return Pair(Command(told, (gen, *argv), unseen if new else seen), bare, at_most)

    remembered = pair("--profile", PROFILE, at_most=7)
    pairs = [
        pair("--version"),
        pair("list"),
        remembered,
        pair("--profile", str(own), name="--profile ./mine.toml", new=True, at_most=18),
        pair("explain", "HW202"),
        pair("explain", "HW202", new=True, at_most=6),
        pair("check", str(drop_in), name="check 10-tuning.conf", at_most=13),
        pair("fit", "--profile", "dual-pascal", at_most=20),
        pair("detect", at_most=15),
    ]
    for argument in ("version", "--help") if ramalama else ():
        other = Command(f"ramalama {argument}", (str(ramalama), argument), seen)
        pairs.append(Pair(other, remembered.command, at_least=2))
    return pairs


def _gen() -> str:
    gen = Path(sys.executable).with_name("gen")
    if not gen.exists():
        sys.exit(f"there is no `gen` beside {sys.executable}; run this with the project's Python")
    return str(gen)


def _environment(folder: Path) -> dict[str, str]:
    """Compiled modules as an installed program has them, and kept apart from the sources."""
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "HOSTWRIGHT_NO_CACHE")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"PYTHONPYCACHEPREFIX": str(folder / "pycache")}


def _measured(pair: Pair, rounds: int) -> Result:
    for _ in range(WARM_UP):
        _round(pair, swapped=False)
    times = [_round(pair, swapped=bool(number % 2)) for number in range(rounds)]
    ratio = statistics.median(one.wall / other.wall for one, other in times)
    aim, met = _judged(pair, ratio)
    return Result(
        command=pair.command.name,
        against=pair.against.name,
        command_ms=1000 * statistics.median(one.wall for one, _ in times),
        against_ms=1000 * statistics.median(other.wall for _, other in times),
        ratio=ratio,
        cpu_ratio=statistics.median(one.cpu / other.cpu for one, other in times),
        aim=aim,
        met=met,
    )


def _round(pair: Pair, *, swapped: bool) -> tuple[Seconds, Seconds]:
    """Time both once; who goes first alternates."""
    if swapped:
        other = _timed(pair.against)
        return _timed(pair.command), other
    return _timed(pair.command), _timed(pair.against)


def _timed(command: Command) -> Seconds:
    quiet = subprocess.DEVNULL
    with command.prepared() as environment:
        start = time.perf_counter()
        process = subprocess.Popen(command.argv, env=environment, stdout=quiet, stderr=quiet)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in ANSWERS:
        sys.exit(f"`{' '.join(command.argv)}` failed with exit code {process.returncode}")
    return Seconds(wall, usage.ru_utime + usage.ru_stime)


def _judged(pair: Pair, ratio: float) -> tuple[str, bool | None]:
    if pair.at_most is not None:
        return f"≤ {pair.at_most:g}×", ratio <= pair.at_most
    if pair.at_least is not None:
        return f"≥ {pair.at_least:g}×", ratio >= pair.at_least
    return "", None


def _machine() -> dict[str, str | int]:
    return {"python": platform.python_version(), "cores": os.cpu_count() or 0}


def _report(results: Sequence[Result], rounds: int) -> str:
    machine = _machine()
    lines = [
        f"Python {machine['python']}, {machine['cores']} cores; medians of {rounds} paired rounds",
        "",
        f"{'command':<40}{'ms':>6}  {'against':<22}{'ms':>6}{'ratio':>7}{'cpu':>7}",
    ]
    lines += [
        f"{r.command:<40}{r.command_ms:6.0f}  {r.against:<22}{r.against_ms:6.0f}"
        f"{r.ratio:6.1f}×{r.cpu_ratio:6.1f}×"
        for r in results
    ]
    aims = [
        f"{r.command} / {r.against}: {r.aim} {'met' if r.met else 'missed'}"
        for r in results
        if r.met is not None
    ]
    return "\n".join([*lines, "", *aims])


if __name__ == "__main__":
    main()
