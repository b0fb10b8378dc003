"""How much of each card a server of vLLM takes: one share for weights, buffers and cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.host import reserve
from generator.units import gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.host import Gpu

USUAL: Final = 0.92
"""What it takes by itself: vllm/config/cache.py@0.33.0:215."""


def share_of(told: float | None, overhead: int, gpus: Sequence[Gpu]) -> tuple[float, str, str]:
    """Return the share, the key that it follows from, and why.

    `told` is what the profile says, `overhead` what it wants left free on each card.
    """
    if told is not None:
        why = "Of each card it takes so much, and keeps it: what weights leave is its cache."
        return told, "vllm.gpu_memory_utilization", why
    kept = [max(overhead, reserve(gpu.memory) if gpu.unified else 0, gpu.reserved) for gpu in gpus]
    shares = [1 - keep / gpu.memory for keep, gpu in zip(kept, gpus, strict=True)]
    least = min(shares, default=1.0)
    if least >= USUAL:
        return USUAL, "engine", ""
    left = kept[shares.index(least)]
    unified = gpus[shares.index(least)].unified
    what = "the system, whose memory the card has," if unified else "others"
    why = f"{gib(left, 0)} stay with {what} where 0.92 would leave less."
    return int(least * 100) / 100, "ollama.gpu_overhead" if overhead else "host.gpus", why
