"""The shapes that `accuracy.py` measures, and how each is loaded."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from benchmarks.skeleton import Outline

if TYPE_CHECKING:
    from collections.abc import Iterator

Run = tuple[int, int, str, bool, int]
"""Context of a slot, slots, cache type, flash attention, batch."""


def _outline(architecture: str, *numbers: int, **more: int | bool) -> Outline:
    names = (
        *("layers", "embedding", "feed_forward", "heads", "kv_heads", "head_length"),
        *("vocabulary", "context"),
    )
    told: dict[str, int | bool] = dict(zip(names, numbers, strict=True))
    return Outline(architecture=architecture, **(told | more))  # type: ignore[arg-type]


# The formulas were derived from these.
FITTED: Final = {
    "llama3.1:8b": _outline("llama", 32, 4096, 14336, 32, 8, 128, 128256, 131072),
    "llama2:7b": _outline("llama", 32, 4096, 11008, 32, 32, 128, 32000, 4096),
    "qwen2.5:7b": _outline("qwen2", 28, 3584, 18944, 28, 4, 128, 152064, 32768),
    "qwen3:8b": _outline("qwen3", 36, 4096, 12288, 32, 8, 128, 151936, 40960),
    "phi4-mini:3.8b": _outline("phi3", 32, 3072, 8192, 24, 8, 128, 200064, 131072, tied=True),
    "phi4:14b": _outline("phi3", 40, 5120, 17920, 40, 10, 128, 100352, 16384),
    "gemma2:9b": _outline(
        "gemma2", 42, 3584, 14336, 16, 8, 256, 256000, 8192, tied=True, window=4096
    ),
    "mixtral:8x7b": _outline(
        "llama", 32, 4096, 14336, 32, 8, 128, 32000, 32768,
        experts=8, experts_used=2, expert_feed_forward=14336,
    ),
    "qwen3:30b-a3b": _outline(
        "qwen3moe", 48, 2048, 6144, 32, 4, 128, 151936, 40960,
        experts=128, experts_used=8, expert_feed_forward=768,
    ),
    "gpt-oss:20b": _outline(
        "gpt-oss", 24, 2880, 2880, 64, 8, 64, 201088, 131072,
        window=128, experts=32, experts_used=4, expert_feed_forward=2880,
    ),
}  # fmt: skip
# These were not looked at before the formulas stood.
HELD_OUT: Final = {
    "falcon3:7b": _outline("llama", 28, 3072, 23040, 12, 4, 256, 131072, 32768),
    "mistral-nemo:12b": _outline("llama", 40, 5120, 14336, 32, 8, 128, 131072, 131072),
    "deepseek-r1:1.5b": _outline("qwen2", 28, 1536, 8960, 12, 2, 128, 151936, 131072),
    "qwen3:14b": _outline("qwen3", 40, 5120, 17408, 40, 8, 128, 151936, 40960),
    "gemma2:27b": _outline(
        "gemma2", 46, 4608, 36864, 32, 16, 128, 256000, 8192, tied=True, window=4096
    ),
    "gemma3:12b": _outline(
        "gemma3", 48, 3840, 15360, 16, 8, 256, 262144, 131072, tied=True, window=1024
    ),
    "smollm2:1.7b": _outline("llama", 24, 2048, 8192, 32, 32, 64, 49152, 8192, tied=True),
}
# Small enough to be loaded for real.
LOADED: Final = {
    "qwen2.5:0.5b": _outline("qwen2", 24, 896, 4864, 14, 2, 64, 151936, 32768, tied=True),
    "tinyllama:1.1b": _outline("llama", 22, 2048, 5632, 32, 4, 64, 32000, 2048),
    "gemma3:1b": _outline(
        "gemma3", 26, 1152, 6912, 4, 1, 256, 262144, 32768, tied=True, window=512
    ),
    "qwen3:0.6b": _outline("qwen3", 28, 1024, 3072, 16, 8, 128, 151936, 40960),
}
SHAPES: Final = FITTED | HELD_OUT | LOADED
WEIGHTS: Final = "Q4_0"  # about the size of what people serve


def runs(outline: Outline) -> Iterator[Run]:
    """Yield how a shape is loaded: contexts × slots × batch, and the cache types."""
    contexts = [c for c in (2048, 4096, 8192, 16384, 32768) if c <= outline.context]
    for context, slots, batch, flash in product(contexts, (1, 4), (512, 2048), (True, False)):
        yield context, slots, "f16", flash, batch
    for context, cache in product(contexts, ("q8_0", "q4_0")):
        yield context, 1, cache, True, 1024
