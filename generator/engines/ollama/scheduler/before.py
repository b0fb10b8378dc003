"""Placement up to 0.24, by Ollama itself: at first by an estimate, then by what it measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.fit.compute import compute_bytes
from generator.fit.host import GPU_OVERHEAD
from generator.fit.kv import kv_layers, padded
from generator.fit.layout import only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.fit.shape import Load, Shape

STEPS: Final = 20
# Bytes that Ollama counts for an element, where the blocks hold 34/32 and 18/32.
# Source: kvCacheBytesPerElement, fs/ggml/ggml.go@v0.24.0:911-920.
COUNTED: Final = {"q8_0": 1.0, "q4_0": 0.5}


def graph_sizes(shape: Shape, load: Load) -> tuple[int, int]:
    """Return the graph of a partial and of a full offload, as the estimate has them.

    Source: GraphSize, fs/ggml/ggml.go@v0.9.2:426-600; architectures without a formula of their
    own get a share of the cache.
    """
    batch, context = min(load.batch, load.tokens), load.tokens
    width, vocabulary, heads = shape.embedding, shape.vocabulary, shape.heads
    length, kv = shape.key_length, max(1, *shape.kv_heads)
    logits = 4 * batch * (width + vocabulary)
    spilled = logits + width * vocabulary * 105 // 128
    scores = context * (1 + heads)
    if shape.architecture == "llama":
        full = max(4 * batch * (1 + 4 * width + scores), logits)
        layer = 4 * batch * (1 + width + max(context, width)) + width * width * 9 // 16
        layer += 4 * context * (batch * heads + length * kv)
        return 4 * batch * width + max(layer, spilled), full
    if shape.architecture == "qwen2":
        full = max(logits, 4 * batch * (1 + 2 * width + scores))
        partial = 4 * (batch * (1 + 2 * width + scores) + width * (1 + context))
        return max(spilled, partial), full
    if shape.architecture in {"gemma", "gemma2", "gemma3"}:
        query = 2 * length * heads
        full = max(logits, 4 * batch * (2 + scores + 2 * width + query))
        partial = 4 * batch * (2 * width + 1 + query + scores) + 32 * length * context
        return max(spilled, partial + width * length * heads * 9 // 16), full
    share = heads // kv * sum(_cache(shape, load)) // 6
    return share, share


def by_estimate(
    shape: Shape, load: Load, free: Sequence[int], *, overhead: int, spread: bool
) -> tuple[tuple[int, ...], bool]:
    """Return the layers on each device, and whether the output is left with the host.

    One GPU if the estimate fits, else all of them in turn.

    Source: EstimateGPULayers, llm/memory.go@v0.9.2:75-290; pickBestFullFitByLibrary,
    server/sched.go@v0.9.2.
    """
    if not spread:
        for device in sorted(range(len(free)), key=lambda device: -free[device]):
            (count,), _ = _deal(shape, load, [free[device]], overhead)
            if count == shape.layers + 1:
                return only(device, count, len(free)), False
    counts, headless = _deal(shape, load, free, overhead)
    return tuple(counts), headless


def _cache(shape: Shape, load: Load) -> list[int]:
    element = COUNTED.get(load.cache_type, 2.0)
    both = shape.key_length + shape.value_length
    counts = []
    for heads, window in zip(shape.kv_heads, shape.windows, strict=True):
        # Only gemma3 has its windows counted.
        local = window and shape.architecture == "gemma3"
        tokens = load.slots * window + load.batch if local else load.slots * padded(load.context)
        counts.append(int(tokens * both * heads * element))
    return counts


def _deal(shape: Shape, load: Load, free: Sequence[int], overhead: int) -> tuple[list[int], bool]:
    """Return the layers of each GPU, dealt out in turn from the last on, and if no output is.

    Turn is by the number of the layer; the output, which comes last, by how many are placed.
    """
    sizes = [w + kv for w, kv in zip(shape.layer_bytes, _cache(shape, load), strict=True)]
    partial, full = graph_sizes(shape, load)
    graph = max(partial, partial if len(free) > 1 else full)
    fixed = overhead + graph + GPU_OVERHEAD + sizes[0]
    open_ = [device for device, have in enumerate(free) if have >= fixed + sizes[0]]
    left, counts = [have - fixed for have in free], [0] * len(free)
    for index, size in reversed(list(enumerate(sizes))):
        while open_:
            device = open_[index % len(open_)]
            if left[device] > size:
                left[device] -= size
                counts[device] += 1
                break
            open_.remove(device)
    for turn in range(len(open_), 0, -1):
        device = open_[sum(counts) % turn]
        if left[device] > shape.output_bytes:
            counts[device] += 1
            return counts, False
    return counts, True


def by_measure(
    shape: Shape, load: Load, free: Sequence[int], *, overhead: int, spread: bool
) -> tuple[tuple[int, ...], bool]:
    """Return the same from 0.12.11 on: as few GPUs as hold the model, filled from its end.

    Source: buildLayout, assignLayers, findBestFit and greedyFit, llm/server.go@v0.24.0:960-1200:
    one GPU after the other is added, the freest first, until all layers have a place; with
    OLLAMA_SCHED_SPREAD all are used at once. Without a place for all, the output is left out.
    """
    cache = kv_layers(shape, load)
    sizes = [w + kv for w, kv in zip(shape.layer_bytes, cache, strict=True)]
    order = sorted(range(len(free)), key=lambda device: -free[device])
    graph = compute_bytes(shape, load)
    room = [max(0, free[d] - GPU_OVERHEAD - overhead - graph) for d in order]
    best: list[int] = []
    for layers in ([*sizes, shape.output_bytes], sizes):
        for count in [len(order)] if spread else range(1, len(order) + 1):
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
