"""The KV cache: keys and values of every token, for every layer."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from generator.fit.load import Load
    from generator.fit.shape import Shape

# Bytes for one element; the blocks of 32 hold their scales, too. Source: ggml-common.h of
# llama.cpp@4df29be; llama-fit-params gives 512, 272 and 144 MiB for llama3.1:8b at 4096 tokens.
ELEMENT_BYTES: Final = {
    "f32": Fraction(4),
    "f16": Fraction(2),
    "bf16": Fraction(2),
    "q8_0": Fraction(34, 32),
    "q5_1": Fraction(24, 32),
    "q5_0": Fraction(22, 32),
    "q4_1": Fraction(20, 32),
    "q4_0": Fraction(18, 32),
    "iq4_nl": Fraction(18, 32),
}
PLAIN: Final = frozenset({"f32", "f16", "bf16"})
CELLS: Final = 256


def padded(tokens: int) -> int:
    """Return a number of tokens in whole blocks, as the cache has them.

    Source: src/llama-context.cpp and src/llama-kv-cache-iswa.cpp of llama.cpp@0c1e570, GGML_PAD.
    """
    return -(-tokens // CELLS) * CELLS


def cells(window: int, load: Load) -> int:
    """Return the tokens that one slot keeps in a layer.

    A layer with a window keeps the window and the batch being computed, if that is less.
    Source: src/llama-kv-cache-iswa.cpp:61-63 of llama.cpp@0c1e570 (`size_swa`).
    """
    whole = padded(load.context)
    return min(whole, padded(window + min(load.batch, whole))) if window else whole


def kv_layers(shape: Shape, load: Load) -> tuple[int, ...]:
    """Return the bytes of the cache of each layer, over all slots.

    heads × (key + value length) × tokens × bytes of an element. Exact: measured in
    docs/accuracy.md. A type that is not known counts as f16, as releases before 0.30 take it.
    """
    element = ELEMENT_BYTES.get(load.cache_type, ELEMENT_BYTES["f16"])
    whole = shape.key_length + shape.value_length
    local = sum(shape.window_lengths) if shape.window_lengths else whole
    cached = shape.layers - shape.uncached
    return tuple(
        int(heads * (local if window else whole) * cells(window, load) * load.slots * element)
        if layer < cached
        else 0
        for layer, (heads, window) in enumerate(zip(shape.kv_heads, shape.windows, strict=True))
    )


def kv_bytes(shape: Shape, load: Load) -> int:
    """Return the bytes of the whole cache."""
    return sum(kv_layers(shape, load))
