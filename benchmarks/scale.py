"""How time and memory grow with a fleet: N different hosts × three targets, in one process.

Every host is a shipped profile with values of its own (name, port, models, threads …), so that
nothing is worked out once and used for all. Files are dropped once they are counted, as a writer
that streams would do it.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import math
import os
import platform
import resource
import statistics
import time
import tomllib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.catalogue import load_catalogue
from generator.profiles.document import Document
from generator.profiles.shipped import shipped_profiles
from generator.profiles.validate import validate
from generator.resolve import resolve
from generator.targets import all_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TARGETS: Final = ("nixos", "systemd", "compose")
STEPS: Final = ("validate", "resolve", *TARGETS)
SIZES: Final = (10, 1_000, 10_000)
Times = dict[str, float]


class _Clock:
    """Adds to a step the processor time since the one before: other programs do not count."""

    def __init__(self, times: Times) -> None:
        self._times, self._last = times, time.process_time()

    def book(self, step: str) -> None:
        now = time.process_time()
        self._times[step] += now - self._last
        self._last = now


@dataclass(frozen=True)
class Result:
    """One fleet size: milliseconds per host or host-target (medians of the rounds)."""

    hosts: int
    step_ms: dict[str, float]
    host_target_ms: float
    megabytes: float
    peak_mib: float


def main() -> None:
    """Measure every size and print what came out."""
    options = _options()
    profiles = [tomllib.loads(path.read_text(encoding="utf-8")) for path in shipped_profiles()]
    _fleet(profiles, len(profiles))
    results = [_measured(profiles, size, options.rounds) for size in sorted(options.sizes)]
    summary = {
        "exponent": _exponent([(r.hosts, r.hosts * r.host_target_ms) for r in results]),
        "memory_growth_mib": results[-1].peak_mib - results[0].peak_mib,
    }
    if options.json:
        machine = {"python": platform.python_version(), "cores": os.cpu_count()}
        rows = [asdict(result) for result in results]
        print(json.dumps({**machine, "rounds": options.rounds, "results": rows, **summary}))
    else:
        print(_report(results, options.rounds, **summary))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time fleets of different hosts.")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, metavar="N", help="hosts")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="passes per size")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def _measured(profiles: Sequence[dict[str, Any]], size: int, rounds: int) -> Result:
    passes = [_fleet(profiles, size) for _ in range(rounds)]

    def each(*steps: str) -> float:
        spent = statistics.median(sum(times[step] for step in steps) for times, _ in passes)
        return 1000 * spent / size

    return Result(
        hosts=size,
        step_ms={step: each(step) for step in STEPS},
        host_target_ms=each("resolve", *TARGETS) / len(TARGETS),
        megabytes=passes[0][1] / 1e6,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _fleet(profiles: Sequence[dict[str, Any]], size: int) -> tuple[Times, int]:
    """Take `size` hosts through all steps, one after the other; return times and characters."""
    times, characters = dict.fromkeys(STEPS, 0.0), 0
    catalogue = load_catalogue()
    for document in itertools.islice(_hosts(profiles), size):
        clock = _Clock(times)
        profile = validate(document)
        clock.book("validate")
        plan = resolve(profile, catalogue, source=document.source)
        clock.book("resolve")
        for name in TARGETS:
            characters += sum(len(file.text) for file in all_files(name, plan))
            clock.book(name)
    return times, characters


def _hosts(profiles: Sequence[dict[str, Any]]) -> Iterator[Document]:
    """Yield documents without end, each with values that no other has."""
    for number in itertools.count():
        data = copy.deepcopy(profiles[number % len(profiles)])
        data["name"] = f"{data['name']}-{number}"
        data["description"] = f"Host {number} of the fleet"
        data["ollama"] |= {
            "port": 1024 + number % 60_000,
            "keep_alive": f"{1 + number}s",
            "context_length": 2048 + 16 * (number % 1_000),
            "models_dir": f"/srv/fleet/{number}/models",
        }
        data["threads"] = {"count": 1 + number % _cores(data)}
        for model in data["models"]:
            model["name"] = f"fleet{number}/{model['name']}"
        yield Document(f"profiles/{data['name']}.toml", data, {}, "")


def _cores(data: dict[str, Any]) -> int:
    cores: int = data["host"].get("cpu", {}).get("cores", 8)
    return cores


def _exponent(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of log y over log x by least squares: 1 is linear."""
    if len(points) < 2:
        return math.nan
    xs, ys = ([math.log(value) for value in column] for column in zip(*points, strict=True))
    return statistics.linear_regression(xs, ys).slope


def _report(
    results: Sequence[Result], rounds: int, exponent: float, memory_growth_mib: float
) -> str:
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    heads = ("hosts", *STEPS, "each", "MB out", "peak MiB")
    lines = [
        f"{machine}; milliseconds of processor time, medians of {rounds} passes",
        "validate and resolve per host, targets per host, each = (resolve + targets) / 3",
        "",
        "".join(f"{head:>9}" for head in heads)[1:],
    ]
    for r in results:
        times = (*r.step_ms.values(), r.host_target_ms)
        cells = [f"{r.hosts:8}", *(f"{value:9.3f}" for value in times)]
        lines.append("".join([*cells, f"{r.megabytes:9.1f}", f"{r.peak_mib:9.1f}"]))
    grown = f"memory grows by {memory_growth_mib:.1f} MiB from the smallest to the largest fleet"
    return "\n".join([*lines, "", f"time grows as N^{exponent:.3f}; {grown}"])


if __name__ == "__main__":
    main()
