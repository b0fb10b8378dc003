"""How fast a model answers: what is read and computed for one token, by the rates of the devices.

Decoding reads all active weights and the cache of every token before; a prompt is computed in
batches, so that the rate of computing decides. How much of its rates a device gets was measured
(`generator/catalogue/data/speed.toml`, docs/accuracy.md), as were the constants here; where a rate
is not known there is no answer.
"""

from __future__ import annotations

from itertools import accumulate
from operator import add
from typing import TYPE_CHECKING, Final

from generator.catalogue.speed import GB
from generator.fit.active import active_expert_bytes, active_weights, dense_bytes
from generator.fit.kv import FLOAT, kv_layers
from generator.fit.shape import DEFAULT_BATCH
from generator.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.speed import Efficiency
    from generator.fit.host import Host
    from generator.fit.layout import Placement
    from generator.fit.shape import Load, Shape
    from generator.host import Gpu

SHORT: Final = 512  # tokens of a conversation that has just begun
EXPERTS: Final = 0.15  # what a layer with experts takes more, of the time for a plain layer
BOTH: Final = 0.95  # and one with a feed-forward part for all tokens beside them, in turn (gemma4)
CONVOLUTION: Final = -0.5  # and one with a short convolution in place of attention (lfm2)
# How often a recurrent state is read or written for a token: its operations are many, and each
# leaves what it made in memory.
PASSES: Final = 14
FEW_TOKENS: Final = 4  # of its embedding, that a convolution keeps at most; a state is larger
GATHERED: Final = 0.65  # share of the rate of computing a prompt that experts leave
# The error bar is wider by this on either side than what was calibrated with: of 87 figures of a
# page that nobody here had seen, the bar of a tenth held 69 % (docs/accuracy.md).
UNSEEN: Final = 1.2
MICRO: Final = 1e-6
TERA: Final = 1e12
GIGA: Final = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Tokens per second: as expected, and what a tenth of machines is below and above."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast one request is answered, in tokens per second; None: not known.

    `decode` are generated tokens once the conversation has SHORT tokens, `full` once it fills the
    context of its slot, `prompt` those of a prompt. `unknown` says why nothing is known. A model
    that embeds text generates nothing.
    """

    decode: Rate | None = None
    full: Rate | None = None
    prompt: Rate | None = None
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What computes some layers: bytes and float operations per second, and what it gets of them.

    `least` is the slowest that its memory may be, `operations` is 0 where it is not known.
    """

    bandwidth: float
    least: float
    operations: float
    efficiency: Efficiency


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The layers from `start` on, up to `end`, on one engine; the output is one more layer.

    `moved` are the bytes of experts that it has beside those of its layers, or has given away, and
    `spilled` the layers of others whose experts it computes.
    """

    engine: Engine
    start: int
    end: int
    moved: int = 0
    spilled: int = 0


def speed_of(shape: Shape, load: Load, placement: Placement, host: Host, facts: Facts) -> Speed:
    """Return how fast a model answers one request as a scheduler has placed it."""
    parts: list[Part] = []
    for device, start, end, moved in _spans(shape, placement, host):
        engine = gpu_engine(device, host, facts) if device else cpu_engine(host, facts)
        if isinstance(engine, str):
            return Speed(unknown=engine)
        spilled = placement.sparse if start == end else 0
        parts.append(Part(engine=engine, start=start, end=end, moved=moved, spilled=spilled))
    prompt = prompt_rate(shape, parts, load.batch)
    if shape.encoder:
        return Speed(prompt=prompt)
    return Speed(
        decode=decode_rate(shape, load, parts, min(SHORT, load.context)),
        full=decode_rate(shape, load, parts, load.context),
        prompt=prompt,
    )


def _spans(
    shape: Shape, placement: Placement, host: Host
) -> Iterator[tuple[Gpu | None, int, int, int]]:
    """Yield device (None: the CPU), first layer and end of all that compute any.

    Beside them the bytes of experts that came to it, or went: the CPU's come last, without layers.
    """
    layers = shape.layers
    first = layers + (0 if placement.headless else 1) - sum(placement.counts)
    if first:
        yield None, 0, first, 0
    starts = accumulate(placement.counts, initial=first)
    moved = placement.moved or (0,) * len(placement.counts)
    devices = zip(host.devices, starts, placement.counts, moved, strict=False)
    for gpu, start, count, size in devices:
        if count:
            yield gpu, start, start + count, size
    if placement.headless:
        yield None, layers, layers + 1, 0
    if size := -sum(moved):
        yield None, 0, 0, size


def gpu_engine(gpu: Gpu, host: Host, facts: Facts) -> Engine | str:
    """Return what a GPU computes with, or why that is not known."""
    card = facts.card(gpu.name)
    if card is None:
        return f"{gpu.name} is not among the cards that Hostwright knows"
    bandwidth, least = card.bandwidth, card.bandwidth
    if not bandwidth and gpu.unified and (family := facts.rates.processor(host.cpu)):
        bandwidth, least = family.bandwidth, family.least or family.bandwidth
    if not bandwidth:
        return f"the memory bandwidth of {gpu.name} is not known"
    # Of Apple's the numbers are Metal's, whatever the service that is asked about computes with.
    library = host.acceleration or facts.library(card.vendor, card.target)
    backend = "metal" if card.vendor == "apple" else library
    capability = gpu.compute_capability or card.compute_capability
    efficiency = facts.rates.efficiency(backend, card.vendor, capability)
    if efficiency is None:
        return f"what {gpu.name} gets out of {backend or 'any library'} was not measured"
    return Engine(
        bandwidth=bandwidth * GB,
        least=least * GB,
        operations=card.tflops * TERA,
        efficiency=efficiency,
    )


def cpu_engine(host: Host, facts: Facts) -> Engine | str:
    """Return what the processor computes with, or why that is not known."""
    family, efficiency = facts.rates.processor(host.cpu), facts.rates.efficiency("cpu")
    if family is None or efficiency is None:
        named = host.cpu or "a processor that nothing names"
        told = "`--cpu` or `host.cpu.model` tells it by name, or as `2x DDR4-3200`"
        return f"the memory bandwidth of {named} is not known ({told})"
    return Engine(
        bandwidth=family.bandwidth * GB,
        least=(family.least or family.bandwidth) * GB,
        operations=host.cores * family.clock * GIGA * family.operations,
        efficiency=efficiency,
    )


def decode_rate(shape: Shape, load: Load, parts: list[Part], depth: int) -> Rate:
    """Return generated tokens per second with `depth` tokens in the cache of its request.

    Each part takes bytes ÷ (bandwidth × share) and some time for each layer; they follow one
    another, so that their times add up. A processor computes between reads.
    """
    slow = likely = fast = 0.0
    read = _read(shape, load, depth)
    used = shape.experts_used / shape.experts if shape.experts else 0.0
    for part in parts:
        best, engine = part.engine.efficiency, part.engine
        size = sum(read[part.start : part.end]) + part.moved * used
        fixed = (_launches(shape, part) + part.spilled) * best.layer * MICRO
        if best.backend == "cpu" and engine.operations:
            fixed += _computing(shape, part, engine.operations * best.prompt)
        time = size / (engine.bandwidth * best.bandwidth) + fixed
        worst, most = _widened(best.decode_range)
        likely += time
        fast += time / most
        slow += (size / (engine.least * best.bandwidth) + fixed) / worst
    return _rate(slow, likely, fast)


def _launches(shape: Shape, part: Part) -> float:
    """Return how many plain layers take as much time beside reading as those of a part.

    A GPU computes experts in more steps, and a short convolution in fewer.
    """
    layers = range(part.start, min(part.end, shape.layers))
    count: float = part.end - part.start
    if part.engine.efficiency.backend == "cpu":
        return count
    if shape.experts:
        every = shape.dense_feed_forward and all(shape.expert_bytes)
        count += (BOTH if every else EXPERTS) * len(layers)
    states = shape.states[layers.start : layers.stop]
    return count + CONVOLUTION * sum(1 for state in states if _convolves(shape, state))


def _convolves(shape: Shape, state: int) -> bool:
    """Whether a layer with such a state keeps the last few tokens, and no state of all."""
    return 0 < state <= FEW_TOKENS * shape.embedding


def _computing(shape: Shape, part: Part, rate: float) -> float:
    """Return the seconds in which a processor computes its layers of one token, and its experts."""
    layers = (min(part.end, shape.layers) - part.start) / shape.layers
    experts = part.moved / max(1, sum(shape.expert_bytes))
    used = active_weights(shape) - shape.multiplied
    return 2 * (active_weights(shape) * layers + used * experts) / rate


def _widened(measured: tuple[float, float]) -> tuple[float, float]:
    """Return the range of a backend as it is told: for models and machines that nobody measured."""
    return measured[0] / UNSEEN, measured[1] * UNSEEN


def _rate(slow: float, likely: float, fast: float) -> Rate:
    """Return tokens per second of seconds for one, to three digits."""
    low, middle, high = (float(f"{1 / time:.3g}") for time in (slow, likely, fast))
    return Rate(low=low, likely=middle, high=high)


def _read(shape: Shape, load: Load, depth: int) -> list[int]:
    """Return the bytes that are read of each layer and of the output for one token."""
    cache = kv_layers(shape, replace(load, context=max(1, depth), slots=1))
    weights = shape.layer_bytes
    if shape.expert_bytes:
        weights = tuple(map(add, dense_bytes(shape), active_expert_bytes(shape)))
    read = [*map(add, weights, cache), shape.output_bytes]
    for layer, state in enumerate(shape.states):
        read[layer] += (PASSES - 1) * FLOAT * state
    return read


def prompt_rate(shape: Shape, parts: list[Part], batch: int = DEFAULT_BATCH) -> Rate | None:
    """Return prompt tokens per second; None: not known, as where the CPU keeps some layers.

    Two operations for each weight that a token is multiplied with, and once for a batch all weights
    are read: of the experts a batch needs all. What the CPU keeps is copied to a GPU for large
    batches; how fast depends on the bus.
    """
    if len({part.engine.efficiency.backend for part in parts}) != 1:
        return None
    slow = likely = fast = 0.0
    for part in parts:
        best, engine = part.engine.efficiency, part.engine
        if not engine.operations or not best.prompt:
            return None
        share = (min(part.end, shape.layers) - part.start) / shape.layers
        read = sum(shape.layer_bytes[part.start : part.end]) / batch
        operations = engine.operations * best.prompt * (GATHERED if shape.experts else 1.0)
        time = 2 * active_weights(shape) * share / operations
        time += read / (engine.bandwidth * best.bandwidth)
        worst, most = _widened(best.prompt_range)
        slow, likely, fast = slow + time / worst, likely + time, fast + time / most
    return _rate(slow, likely, fast)
