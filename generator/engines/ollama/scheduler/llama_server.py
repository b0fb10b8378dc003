"""From 0.30 on: what Ollama expects of llama-server, and which GPUs it picks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.units import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.fit.shape import Shape

METADATA: Final = 7 * MIB  # a file beyond its tensors: names, tokenizer
SHARE: Final = 80  # percent of what is free
# Above so many tokens the batch, the most percent of what is free, and what it takes besides.
BATCHES: Final = ((32768, 2048, 60, 2 * GIB), (4096, 1024, 75, 768 * MIB))
SMALL_CARD: Final = 8 * GIB


def predicted(shape: Shape, tokens: int) -> int:
    """Return what Ollama expects a model to take: the file, and an f16 cache of all layers.

    Neither the cache type nor a window counts, and a head is embedding / heads wide. Source:
    PredictServerVRAM, llm/llama_server.go@v0.32.15:2681-2700.
    """
    width = shape.embedding // shape.heads
    cache = 2 * shape.layers * max(1, min(shape.kv_heads)) * width * tokens * 2
    return shape.tensor_bytes + METADATA + cache


def batch_of(expected: int, tokens: int, free: Sequence[int], *, flash: bool, cuda: bool) -> int:
    """Return the batch that Ollama chooses where none is set.

    512 up to 4096 tokens in all slots, 1024 up to 32768, then 2048, and less where memory is
    short; on CUDA without flash attention 512, or 256 on cards up to 8 GiB.
    Source: automaticGenerationBatch, server/sched.go@v0.32.15:807-890.
    """
    if cuda and not flash:
        small = tokens > BATCHES[-1][0] and any(have <= SMALL_CARD for have in free)
        return 256 if small else 512
    have = sum(free)
    for above, batch, headroom, surcharge in BATCHES:
        # Without a GPU there is nothing to compare with, and any batch is taken to fit.
        fits = not have or (
            expected <= have * headroom // 100 and surcharge <= have * SHARE // 100 - expected
        )
        if tokens > above and fits:
            return batch
    return 512


def surcharge_of(batch: int) -> int:
    """Return what Ollama adds to what it expects, for a batch; 0: nothing."""
    return next((extra for _, size, _, extra in BATCHES if size == batch), 0)


def choose(expected: int, free: Sequence[int], *, spread: bool) -> tuple[int, ...]:
    """Return which devices get the model: the freest if 80 % of it is enough, else all.

    Source: selectLlamaServerPlacement and bestSingleGPUFit, server/sched.go@v0.32.15:972-1075.
    """
    every = tuple(range(len(free)))
    if len(free) == 1 or spread:
        return every
    able = [device for device in every if expected <= free[device] * SHARE // 100]
    return (max(able, key=lambda device: free[device]),) if able else every
