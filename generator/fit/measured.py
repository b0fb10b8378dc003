"""What was measured of models on a host, and how estimates for that host are corrected by it. Pure.

A model that was measured is as fast as it was. Others that are placed alike are as much faster or
slower than estimated as those that were measured (their geometric mean); how sure that is, is what
the estimate says.
"""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, Final

from generator.fit.speed import SHORT, Rate, Speed
from generator.records import dataclass, replace
from generator.units import gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.fit.host import Host
    from generator.fit.layout import Placement
    from generator.fit.shape import Shape

ALIKE: Final = ("cpu", "one", "split")
"""Placements of which one model tells something about another: the same devices do all of it."""
LEAST: Final = (
    0.05  # a machine is never the same again: as much on either side, however often asked
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a model did on a host: one request at a time, in tokens per second; 0: not told.

    `model` as the profile names it, with the quantisation and digest that the server told.
    `machine` is what the profile says of the host, `date` the day in UTC. It was loaded with so
    many `slots` of `context` tokens, and had `depth` tokens in the cache on the mean. `decode` are
    generated tokens, between `low` and `high` at 95 %, `prompt` those of prompts. `size` are bytes
    in memory, of which `on_gpus`, as the server tells them; `load` the seconds of the first load.
    """

    model: str
    quantisation: str
    digest: str
    release: str
    machine: str
    date: str
    requests: int
    slots: int
    context: int
    cache_type: str
    depth: int
    decode: float
    low: float
    high: float
    prompt: float
    size: int
    on_gpus: int
    load: float

    @property
    def subject(self) -> tuple[str, str, str]:
        """What it is about: measured again, it takes the place of what was."""
        return self.model, self.quantisation, self.machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a measurement is to an estimate: how often as fast, 0 where that has no estimate."""

    name: str
    quantisation: str
    kind: str
    decode: float
    prompt: float
    measured: Measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """The Speed as it was estimated, and what it was corrected by.

    `own`: this very model was measured. If not, those were that are placed alike.
    """

    estimate: Speed
    by: tuple[Measured, ...]
    own: bool


def machine_of(host: Host) -> str:
    """Return what a profile says of a machine as far as speed depends on it."""
    cores = f"{host.cores} cores" if host.cores else ""
    memory = gib(host.memory, 0) if host.memory else ""
    devices = [f"{gpu.name} {gib(gpu.memory, 0)}" for gpu in host.devices]
    return ", ".join(filter(None, (host.cpu, cores, memory, *devices)))


def correction(
    shape: Shape, placement: Placement, speed: Speed, context: int, measured: Measured
) -> Correction:
    """Return what was measured of a Shape as a share of what is estimated for it."""
    expected = _at(speed, measured.depth, context)
    prompt = speed.prompt.likely if speed.prompt else 0.0
    return Correction(
        name=shape.name,
        quantisation=shape.quantisation,
        kind=placement.kind,
        decode=measured.decode / expected if expected else 0.0,
        prompt=measured.prompt / prompt if prompt else 0.0,
        measured=measured,
    )


def corrected(
    shape: Shape, placement: Placement, speed: Speed, corrections: Sequence[Correction]
) -> tuple[Speed, Corrected | None]:
    """Return how fast a model is by what was measured on its host; None: nothing tells more."""
    own = [c for c in corrections if (c.name, c.quantisation) == (shape.name, shape.quantisation)]
    if own:
        found = _own(speed, own[0])
        return found, Corrected(estimate=speed, by=(own[0].measured,), own=True)
    alike = [c for c in corrections if c.kind == placement.kind and c.kind in ALIKE and c.decode]
    if not alike or speed.unknown:
        return speed, None
    decode = _mean([c.decode for c in alike])
    prompt = _mean([c.prompt for c in alike if c.prompt])
    found = Speed(
        decode=_scaled(speed.decode, decode),
        full=_scaled(speed.full, decode),
        prompt=_scaled(speed.prompt, prompt),
    )
    return found, Corrected(estimate=speed, by=tuple(c.measured for c in alike), own=False)


def _own(speed: Speed, found: Correction) -> Speed:
    """Return the Speed of a model that was measured: what it was, and its error bar."""
    seen = found.measured
    low = min(seen.low / seen.decode, 1 - LEAST) if seen.decode else 0.0
    high = max(seen.high / seen.decode, 1 + LEAST) if seen.decode else 0.0
    if not found.decode:
        rates = (seen.decode, seen.prompt)
        decode, prompt = (_barred(rate, low, high) if rate else None for rate in rates)
        return Speed(decode=decode, prompt=prompt)
    pairs = ((speed.decode, found.decode), (speed.full, found.decode), (speed.prompt, found.prompt))
    decode, full, prompt = (
        _barred(rate.likely * by, low, high) if rate and by else rate for rate, by in pairs
    )
    return Speed(decode=decode, full=full, prompt=prompt)


def _at(speed: Speed, depth: int, context: int) -> float:
    """Return the tokens per second with so many in the cache: the time grows with their number."""
    if speed.decode is None:
        return 0.0
    if speed.full is None or context <= SHORT:
        return speed.decode.likely
    begun, full = 1 / speed.decode.likely, 1 / speed.full.likely
    return 1 / (begun + (full - begun) * (max(depth, SHORT) - SHORT) / (context - SHORT))


def _mean(ratios: Sequence[float]) -> float:
    return exp(sum(map(log, ratios)) / len(ratios)) if ratios else 1.0


def _scaled(rate: Rate | None, by: float) -> Rate | None:
    if rate is None:
        return None
    low, likely, high = (_three(value * by) for value in (rate.low, rate.likely, rate.high))
    return replace(rate, low=low, likely=likely, high=high)


def _barred(likely: float, low: float, high: float) -> Rate:
    return Rate(low=_three(likely * low), likely=_three(likely), high=_three(likely * high))


def _three(value: float) -> float:
    return float(f"{value:.3g}")
