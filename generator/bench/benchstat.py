"""A Measurement as `benchstat` of golang.org/x/perf reads it: a line for each request. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.formats.text import INVISIBLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.bench.measurement import Level, Measurement, Sample


def as_benchstat(found: Measurement) -> str:
    """Return the text: what was measured as `key: value`, and each request as a run."""
    told = {
        "model": found.model,
        "digest": found.environment.digest,
        "release": found.environment.release,
        "cpu": found.environment.cpu,
    }
    heads = (f"{key}: {_line(value)}" for key, value in told.items() if value)
    return (
        "\n".join([*heads, "", *(line for level in found.levels for line in _runs(level))]) + "\n"
    )


def _runs(level: Level) -> Iterator[str]:
    name = f"at-once={level.at_once}" if level.at_once else f"per-second={level.per_second:g}"
    for sample in level.good:
        yield f"BenchmarkAnswer/{name} 1 {' '.join(_values(sample))}"


def _values(sample: Sample) -> Iterator[str]:
    yield f"{sample.latency} ns/op"
    yield f"{sample.ttft} ttft-ns"
    if sample.gaps:
        yield f"{sample.itl:.0f} itl-ns"
        yield f"{sample.rate:.3f} tokens/s"


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", INVISIBLE.sub(" ", text)).strip()
