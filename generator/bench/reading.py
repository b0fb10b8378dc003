"""A Measurement as `gen bench --json` has written it, read back with every fault of its shape."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Final

from generator.bench.measurement import Level, Measurement, Sample
from generator.codec import record_of
from generator.errors import Problem, ProfileError

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION: Final = 1
LARGEST: Final = 64 << 20
AGAIN: Final = "write it again with `gen bench --json`"
_MOST: Final = 2**62


def measurement(data: bytes, source: str) -> Measurement:
    """Return what was measured. Raises ProfileError, about `source`, for anything else."""
    try:
        found = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise ProfileError(source, (Problem("", f"is no JSON: {error}", AGAIN),)) from error
    version = found.get("schema_version") if isinstance(found, dict) else None
    if type(version) is not int or version != VERSION:  # `true` and `1.0` are equal to 1
        message = "is no measurement, or one of another version"
        raise ProfileError(source, (Problem("schema_version", message, AGAIN),))
    names = {field.name for field in dataclasses.fields(Measurement)}
    told = {key: value for key, value in found.items() if key in names}
    read: Measurement = record_of(Measurement, told, source, AGAIN)
    if problems := tuple(_problems(read)):
        raise ProfileError(source, problems)
    return read


def _problems(read: Measurement) -> Iterator[Problem]:
    for place, level in enumerate(read.levels):
        if not all(0 <= number < _MOST for number in _numbers(level)):
            yield Problem(f"levels.{place}", "has times that cannot be", AGAIN)
    for place, start in enumerate(read.starts):
        if not all(0 <= number < _MOST for s in start.samples for number in _of(s)):
            yield Problem(f"starts.{place}", "has times that cannot be", AGAIN)

    if not all(0 <= number < _MOST for sample in read.repeated for number in _of(sample)):
        yield Problem("repeated", "has times that cannot be", AGAIN)


def _numbers(level: Level) -> Iterator[float]:
    yield from (level.at_once, level.per_second, level.wall, level.window)
    for sample in level.samples:
        yield from _of(sample)


def _of(sample: Sample) -> Iterator[float]:
    yield from (sample.due, sample.first, sample.ended, *sample.gaps)
    yield from (sample.prompt_tokens, sample.tokens, sample.vectors)
    yield from (sample.total, sample.load, sample.prefill, sample.decode)
    yield from (sample.ttft, sample.latency) if not sample.error else ()
