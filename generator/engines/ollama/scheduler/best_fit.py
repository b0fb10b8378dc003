"""Placement by Ollama itself from 0.11.11 on: as few GPUs as hold the layers, evenly filled.

Ollama's own engine is asked what it takes, and the layers are dealt by the answer; llama.cpp's
models follow in 0.12.11 with what `graph` reckons, and one layer kept free on each GPU.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.scheduler.graph import cache_sizes, graph_sizes
from generator.fit.host import GPU_OVERHEAD
from generator.fit.layout import only
from generator.records import dataclass
from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.catalogue.facts import Facts
    from generator.fit.shape import Load, Shape

    Counts = tuple[int, ...]

METAL_OVERHEAD: Final = 512 * MIB
NARROW: Final = 1e-6  # between two capacities that findBestFit takes for the same
FORCED: Final = 1000.0  # times the memory, where a number of layers is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """What the GPUs have `free`, in bytes, and what is asked of them.

    `overhead` is kept free on each; `spread` asks for all of them; `layers` is a number of layers
    that is asked for (None: as many as fit). By `metal` a part of the layers takes no larger graph
    than all of them.
    """

    free: Sequence[int]
    overhead: int = 0
    spread: bool = False
    layers: int | None = None
    metal: bool = False

    @property
    def kept(self) -> int:
        """What is kept free on each. Source: MinimumMemory, ml/device.go@v0.24.0:350-358."""
        return (METAL_OVERHEAD if self.metal else GPU_OVERHEAD) + self.overhead

    @property
    def order(self) -> list[int]:
        """The devices, the freest first."""
        return sorted(range(len(self.free)), key=lambda device: -self.free[device])


def by_graph(shape: Shape, load: Load, facts: Facts, cards: Cards) -> Counts:
    """Return the layers on each device: the output is among them only if all are.

    A GPU gets its graph once it is used, and then another may be needed. A projector is not
    counted: what sums projectors there goes over the adapters. Source: llamaServer.Load,
    llm/server.go@v0.12.11:457-600, @v0.24.0:507-605.
    """
    cache = cache_sizes(shape, load, facts)
    sizes = [w + kv for w, kv in zip(shape.layer_bytes, cache, strict=True)]
    free = [max(0, have - sizes[0]) for have in cards.free]
    partial, full = graph_sizes(shape, load, facts)
    graph, graphs = full if cards.metal else max(partial, full), [0] * len(free)
    layers, listed = [*sizes, shape.output_bytes], 0
    while True:
        counts, used = layout(layers, replace(cards, free=free), graphs)
        if len(used) <= listed:
            return counts
        listed = len(used)
        for device in used:
            graphs[device] = graph


def by_measure(
    layers: Sequence[int], cards: Cards, graphs: Callable[[Counts], Sequence[int]]
) -> Counts:
    """Return the same where the engine tells what it takes.

    `layers` are the bytes of each, the output last; `graphs` tells what each device computes with
    when it holds so many layers. It begins with all layers on the freest GPU and takes away until
    a layout stays; where that was too many, it goes back one by one. Source: ollamaServer.Load,
    llm/server.go@v0.24.0:700-850.
    """
    counts = only(cards.order[0], len(layers), len(cards.free))
    seen: set[Counts] = set()
    while True:
        seen.add(counts)
        taken = graphs(counts)
        found, _ = layout(layers, cards, taken)
        if found not in seen and sum(found) <= sum(counts):
            counts = found
        else:
            break
    for more in range(sum(found) - 1, sum(counts) - 1, -1) if cards.layers is None else ():
        trial, _ = layout(layers, replace(cards, layers=more), taken)
        again, _ = layout(layers, cards, graphs(trial))
        if sum(trial) <= sum(again):
            return trial
    return counts


def layout(
    layers: Sequence[int], cards: Cards, graphs: Sequence[int]
) -> tuple[Counts, Sequence[int]]:
    """Return the layers on each device, and the devices that are listed for it.

    Each GPU keeps 457 MiB, the overhead and its graph. One with a graph stays in use. Where not
    all layers find a place, the output is left out first. Source: buildLayout and assignLayers,
    llm/server.go@v0.24.0:872-1010.
    """
    order, every = cards.order, len(cards.free)
    room = [max(0, cards.free[device] - cards.kept - graphs[device]) for device in order]
    last = max((i for i, device in enumerate(order) if graphs[device]), default=0)
    first = every if cards.spread else last + 1
    counts: list[int] = []
    for part in (layers, layers[:-1]):
        wanted = None if cards.layers is None else min(len(part), cards.layers)
        for number in range(first, every + 1):
            counts = _evened(part, room[:number], wanted, force=number == every)
            if sum(counts) in {len(part), wanted}:
                break
        if sum(counts) == len(part):
            break
    lowest = next((i for i, count in enumerate(counts) if count), 0)
    placed = dict(zip(order, counts, strict=False))
    used = order[lowest : len(counts)]
    return tuple(placed.get(device, 0) for device in range(every)), used


def _evened(
    layers: Sequence[int], room: Sequence[int], wanted: int | None, *, force: bool
) -> list[int]:
    """Return the most layers at the smallest share of the room: this balances the GPUs.

    A number that is asked for gets any room on the last try. Source: findBestFit,
    llm/server.go@v0.24.0:1012-1047.
    """
    high, low = FORCED if wanted is not None and force else 1.0, 0.0
    best = _greedy(layers, room, high, wanted)
    most = sum(best)
    while high - low > NARROW:
        middle = (low + high) / 2
        counts = _greedy(layers, room, middle, wanted)
        if sum(counts) == most:
            high, best = middle, counts
        else:
            low = middle
    return best


def _greedy(
    layers: Sequence[int], room: Sequence[int], share: float, wanted: int | None
) -> list[int]:
    """Return the layers that find a place from the last GPU on. Source: greedyFit, :1049-1077."""
    counts, device = [0] * len(room), len(room) - 1
    left = int(room[device] * share)
    for size in list(reversed(layers))[:wanted]:
        while size > left:
            device -= 1
            if device < 0:
                return counts
            left = int(room[device] * share)
        left -= size
        counts[device] += 1
    return counts
