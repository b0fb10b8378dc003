"""How long `gen` takes to start, against bare Python and against RamaLama.

Each command alternates with the one it is compared with, because a busy machine slows both: the
median of the paired ratios says more than two medians. Needs the standard library only; run it
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
from typing import Final

PROFILE: Final = "xeon-cpu"
WARM_UP: Final = 3
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


@dataclass(frozen=True)
class Result:
    """Medians of one Pair in milliseconds, and of the ratio of each round."""

    command: str
    against: str
    command_ms: float
    against_ms: float
    ratio: float
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
        print(json.dumps({**_machine(), "rounds": options.rounds, "results": rows}, indent=2))
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

    gen = _gen()
    bare = Command("python -c pass", (sys.executable, "-c", "pass"), seen)
    render = (gen, "--profile", PROFILE)
    remembered = Command(f"gen --profile {PROFILE}", render, seen)
    pairs = [
        Pair(Command("gen --version", (gen, "--version"), seen), bare),
        Pair(Command("gen list", (gen, "list"), seen), bare),
        Pair(remembered, bare, at_most=8),
        Pair(Command(f"gen --profile {PROFILE}, first time", render, unseen), bare, at_most=16),
    ]
    for argument in ("version", "--help") if ramalama else ():
        other = Command(f"ramalama {argument}", (str(ramalama), argument), seen)
        pairs.append(Pair(other, remembered, at_least=2))
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
        _seconds(pair.command)
        _seconds(pair.against)
    times = [_round(pair, swapped=bool(number % 2)) for number in range(rounds)]
    ratio = statistics.median(one / other for one, other in times)
    aim, met = _judged(pair, ratio)
    return Result(
        command=pair.command.name,
        against=pair.against.name,
        command_ms=1000 * statistics.median(one for one, _ in times),
        against_ms=1000 * statistics.median(other for _, other in times),
        ratio=ratio,
        aim=aim,
        met=met,
    )


def _round(pair: Pair, *, swapped: bool) -> tuple[float, float]:
    """Time both once; who goes first alternates."""
    if swapped:
        other = _seconds(pair.against)
        return _seconds(pair.command), other
    return _seconds(pair.command), _seconds(pair.against)


def _seconds(command: Command) -> float:
    with command.prepared() as environment:
        start = time.perf_counter()
        subprocess.run(command.argv, env=environment, check=True, capture_output=True)
        return time.perf_counter() - start


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
        f"{'command':<36}{'ms':>7}  {'against':<22}{'ms':>6}{'ratio':>7}",
    ]
    lines += [
        f"{r.command:<36}{r.command_ms:7.1f}  {r.against:<22}{r.against_ms:6.1f}{r.ratio:6.1f}×"
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
