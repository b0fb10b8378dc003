"""What is remembered of measurements, in a file beside the profile of the host.

my-host.toml → my-host.measured.json
"""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

from generator.bench.statistics import spread
from generator.codec import record_of
from generator.errors import EnvironmentFailure, Problem, ProfileError
from generator.fit.measured import Measured
from generator.reading import read_regular
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.bench.measurement import Level, Measurement

VERSION: Final = 1
SUFFIX: Final = ".measured.json"
AGAIN: Final = "remove it, and measure again with `gen bench PROFILE --remember`"
LONG: Final = 32
"""Tokens of a prompt from which on the time for it is not that for beginning at all."""
_MOST: Final = 2.0**62


@dataclass(frozen=True, slots=True, kw_only=True)
class As:
    """What a server does not tell of how it has loaded a model, and its profile does.

    `model` is the name that the profile has for it, `machine` what that says of the host, and
    `date` the day of the measurement.
    """

    model: str
    machine: str
    date: str
    slots: int
    context: int
    cache_type: str


def remembered_beside(profile: str) -> Path:
    """Return where measurements of the host of a profile, named by its path, are kept."""
    path = Path(profile).expanduser()
    return path.with_name(f"{path.name.removesuffix('.toml')}{SUFFIX}")


def alone(found: Measurement) -> Level | None:
    """Return the load of one request at a time, of which something was answered; None: none is."""
    return next((level for level in found.levels if level.at_once == 1 and level.good), None)


def measured(found: Measurement, known: As) -> Measured | None:
    """Return what is to be remembered of a Measurement; None: it has no load of one at a time."""
    level = alone(found)
    good = [s for s in level.good if s.gaps] if level else []
    rates = spread([[s.served_rate or s.rate] for s in good], more=True)
    if rates is None:
        return None
    seen, rate = found.environment, rates.p50
    long = [s for s in good if s.prompt_tokens >= LONG and s.prefill]
    prefill = sum(s.prefill for s in long)
    return Measured(
        model=known.model,
        quantisation=seen.quantisation if seen.quantisation != "unknown" else "",
        digest=seen.digest,
        release=seen.release,
        machine=known.machine,
        date=known.date,
        requests=len(good),
        slots=known.slots,
        context=seen.context or known.context,
        cache_type=known.cache_type,
        depth=round(fmean(s.prompt_tokens + s.tokens / 2 for s in good)),
        decode=rate.value,
        low=rate.low,
        high=rate.high,
        prompt=sum(s.prompt_tokens for s in long) * 1e9 / prefill if long else 0.0,
        size=seen.size,
        on_gpus=seen.on_gpus,
        load=found.warmup.load / 1e9,
    )


def merged(kept: Sequence[Measured], new: Measured) -> tuple[tuple[Measured, ...], Measured | None]:
    """Return all that is to be kept, and what of it `new` has taken the place of."""
    rest = [each for each in kept if each.subject != new.subject]
    was = next((each for each in kept if each.subject == new.subject), None)
    return tuple(sorted((*rest, new), key=lambda each: each.subject)), was


def text_of(kept: Sequence[Measured]) -> str:
    """Return the file."""
    return json.dumps({"schema_version": VERSION, "measured": to_data(kept)}, indent=2) + "\n"


def to_data(kept: Sequence[Measured]) -> list[dict[str, Any]]:
    """Return what is kept as JSON has it."""
    return [
        {name: getattr(each, name) for name in each.__dataclass_fields__}  # all of them plain
        for each in kept
    ]


def remembered(path: Path) -> tuple[Measured, ...]:
    """Return what a file keeps; nothing where there is none.

    Raises ProfileError for one that `gen bench` has not written, EnvironmentFailure for one that
    cannot be read.
    """
    if not path.exists():
        return ()
    try:
        data = read_regular(path)
    except OSError as error:
        raise EnvironmentFailure(f"cannot read {path}: {error.strerror}") from error
    return parsed(data, path.as_posix())


def parsed(data: bytes, source: str) -> tuple[Measured, ...]:
    """Return what a file says. Raises ProfileError, about `source`, with all that is wrong."""
    try:
        found = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise ProfileError(source, (Problem("", f"is no JSON: {error}", AGAIN),)) from error
    version = found.get("schema_version") if isinstance(found, dict) else None
    if type(version) is not int or version != VERSION:
        message = "is not what was measured, or of another version"
        raise ProfileError(source, (Problem("schema_version", message, AGAIN),))
    rest = {key: value for key, value in found.items() if key != "schema_version"}
    kept: tuple[Measured, ...] = record_of(_Kept, rest, source, AGAIN).measured
    wrong = [place for place, each in enumerate(kept) if not _possible(each)]
    if wrong:
        message = "has numbers that cannot be"
        problems = (Problem(f"measured.{place}", message, AGAIN) for place in wrong)
        raise ProfileError(source, tuple(problems))
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """The file, apart from its version."""

    measured: tuple[Measured, ...]


def _possible(each: Measured) -> bool:
    counts = (each.requests, each.slots, each.context, each.depth, each.size, each.on_gpus)
    rates = (each.decode, each.low, each.high, each.prompt, each.load)
    known = all(isfinite(rate) and 0 <= rate < _MOST for rate in (*counts, *rates))
    return known and 0 < each.low <= each.decode <= each.high
