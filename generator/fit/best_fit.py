"""Placement from 0.12.11 to 0.24: as few GPUs as hold the model, filled from its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.fit.compute import compute_bytes
from generator.fit.host import GPU_OVERHEAD
from generator.fit.kv import kv_layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.fit.ask import Ask
    from generator.fit.shape import Load, Shape

STEPS: Final = 20


def assign(shape: Shape, load: Load, free: Sequence[int], ask: Ask) -> tuple[tuple[int, ...], bool]:
    """Return the layers on each device, and whether the output is left with the host.

    Source: buildLayout, assignLayers, findBestFit and greedyFit, llm/server.go@v0.24.0:960-1200:
    one GPU after the other is added, the freest first, until all layers have a place; with
    OLLAMA_SCHED_SPREAD all are used at once. Without a place for all, the output is left out.
    """
    cache = kv_layers(shape, load)
    sizes = [w + kv for w, kv in zip(shape.layer_bytes, cache, strict=True)]
    order = sorted(range(len(free)), key=lambda device: -free[device])
    graph = compute_bytes(shape, load)
    room = [max(0, free[d] - GPU_OVERHEAD - ask.overhead - graph) for d in order]
    best: list[int] = []
    for layers in ([*sizes, shape.output_bytes], sizes):
        for count in [len(order)] if ask.spread else range(1, len(order) + 1):
            best = _best(layers, room[:count])
            if sum(best) == len(layers):
                return _unsorted(best, order), layers is sizes
    return _unsorted(best, order), True


def _unsorted(counts: Sequence[int], order: Sequence[int]) -> tuple[int, ...]:
    """Return counts in the order of the devices. Layers run from the first to the last GPU."""
    placed = dict(zip(order, counts, strict=False))
    return tuple(placed.get(device, 0) for device in range(len(order)))


def _best(layers: Sequence[int], room: Sequence[int]) -> list[int]:
    """Return the most layers at the smallest share of the room: this balances the GPUs."""
    most, low, high = _greedy(layers, room, 1.0), 0.0, 1.0
    best = most
    for _ in range(STEPS):
        middle = (low + high) / 2
        counts = _greedy(layers, room, middle)
        if sum(counts) == sum(most):
            high, best = middle, counts
        else:
            low = middle
    return best


def _greedy(layers: Sequence[int], room: Sequence[int], share: float) -> list[int]:
    counts, device = [0] * len(room), len(room) - 1
    left = int(room[device] * share)
    for size in reversed(layers):
        while size > left:
            device -= 1
            if device < 0:
                return counts
            left = int(room[device] * share)
        left -= size
        counts[device] += 1
    return counts
