"""The KV cache: keys and values of every token, for every layer."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from generator.fit.shape import (
    kv_heads_of,
    lengths_of,
    states_of,
    window_lengths_of,
    windows_of_model,
)
from generator.records import replace

if TYPE_CHECKING:
    from generator.catalogue.models import ModelFact
    from generator.fit.shape import Load, Pool, Shape

# Bytes of 32 elements; the blocks hold their scales, too. Source: ggml-common.h of
# llama.cpp@4df29be; llama-fit-params gives 512, 272 and 144 MiB for llama3.1:8b at 4096 tokens.
BLOCK: Final = 32
BLOCK_BYTES: Final = {
    "f32": 128,
    "f16": 64,
    "bf16": 64,
    "q8_0": 34,
    "q5_1": 24,
    "q5_0": 22,
    "q4_1": 20,
    "q4_0": 18,
    "iq4_nl": 18,
}
# The element types that do without flash attention.
PLAIN: Final = frozenset({"f32", "f16", "bf16"})
CELLS: Final = 256
FLOAT: Final = 4


def padded(tokens: int) -> int:
    """Return a number of tokens in whole blocks, as the cache has them.

    Source: src/llama-context.cpp and src/llama-kv-cache-iswa.cpp of llama.cpp@0c1e570, GGML_PAD.
    """
    return -(-tokens // CELLS) * CELLS


def cells(window: int, load: Load) -> int:
    """Return the tokens that one slot keeps in a layer; of a pool, or unified: all slots together.

    A layer with a window keeps the window and the batch being computed, if that is less.
    Source: src/llama-kv-cache-iswa.cpp:48-66 of llama.cpp@0c1e570 (`size_swa`).
    """
    if load.pool is not None:
        return _pooled(window, load, load.pool)
    whole = padded(load.tokens if load.unified else load.context)
    if load.windowless:
        return whole
    return min(whole, padded(window + min(load.batch, whole))) if window else whole


def _pooled(window: int, load: Load, pool: Pool) -> int:
    kept = (pool.kept or window) if window and not pool.whole else 0
    if kept and pool.spare and load.slots > 1:
        kept = max(kept, window + 1)
    least = load.slots * kept + min(load.batch, load.context)
    tokens = least if 0 < kept < load.context else load.tokens
    return -(-tokens // pool.block) * pool.block


@lru_cache(maxsize=256)
def distinct(windows: tuple[int, ...]) -> tuple[int, ...]:
    """Return the windows that a model has, each once: one or two of them, over dozens of layers."""
    return tuple(set(windows))


def kv_of(model: ModelFact, tokens: int, cache_type: str = "f16") -> int:
    """Return the bytes of the cache for that many tokens, over all slots together, unpadded.

    The least that any release takes: a layer with a window keeps that, or all tokens where they
    are fewer.
    """
    whole, local = sum(lengths_of(model)), sum(window_lengths_of(model) or lengths_of(model))
    if model.kv_lora_rank:
        whole, _ = lengths_of(model)
    layers = list(zip(kv_heads_of(model), windows_of_model(model), strict=True))
    kept = sum(
        heads * (local * min(tokens, window) if window else whole * tokens)
        for heads, window in layers[: len(layers) - model.shared_kv_layers]
    )
    return bytes_of(kept, cache_type) + FLOAT * sum(states_of(model))


def bytes_of(elements: int, cache_type: str) -> int:
    """Return the bytes of so many elements of the cache.

    A type that is not known counts as f16, as releases before 0.30 take it.
    """
    return elements * BLOCK_BYTES.get(cache_type, BLOCK_BYTES["f16"]) // BLOCK


def kv_layers(shape: Shape, load: Load) -> tuple[int, ...]:
    """Return the bytes of the cache of each layer, over all slots, recurrent states included.

    heads × (key + value length) × tokens × bytes of an element, and for each slot the f32 of a
    state. Exact: measured in docs/accuracy.md.
    """
    kept = FLOAT * sequences(load)
    cached = shape.layers - shape.uncached
    kinds = list(zip(shape.kv_heads, shape.windows, strict=True))
    values = 0 if load.flash_attention or load.pool else _widest_value(shape)
    size = {kind: _layer(*kind, values, shape, load) for kind in set(kinds)}
    cache = [*map(size.__getitem__, kinds[:cached]), *(0,) * shape.uncached]
    if not shape.states:
        return tuple(cache)
    both = zip(cache, shape.states, strict=True)
    return tuple(tokens + kept * state for tokens, state in both)


def unpacked(shape: Shape, load: Load) -> tuple[int, ...]:
    """Return the bytes of the f16 copy of each layer's cache, if flash attention makes one.

    It lies behind what attention answers, in the same tensor, and is as large as the cache of all
    slots. Source: ggml_cuda_flash_attn_ext_get_alloc_size, ggml-cuda/fattn.cu of llama.cpp@b10488.
    """
    if not (load.unpacks and load.flash_attention and load.cache_type not in PLAIN):
        return (0,) * shape.layers
    return kv_layers(replace(shape, states=()), replace(load, cache_type="f16"))


def sequences(load: Load) -> int:
    """Return how many recurrent states are kept: one of each slot, and earlier ones of a pool."""
    return load.slots * (1 + (load.pool.states if load.pool else 0))


def _widest_value(shape: Shape) -> int:
    """Return the widest value of a token, of any layer.

    Without flash attention the values are kept transposed, and all layers with as many as that.
    Source: n_embd_v_gqa_max in src/llama-kv-cache.cpp:207 of llama.cpp@b10488.
    """
    return max(heads * _lengths(window, shape)[1] for heads, window in _kinds(shape))


def _kinds(shape: Shape) -> set[tuple[int, int]]:
    return set(zip(shape.kv_heads, shape.windows, strict=True))


def _lengths(window: int, shape: Shape) -> tuple[int, int]:
    if window and shape.window_lengths:
        return shape.window_lengths
    return shape.key_length, shape.value_length


def _layer(heads: int, window: int, values: int, shape: Shape, load: Load) -> int:
    """Return the cache of a layer; `values` is what it keeps of a value, where that is more."""
    key, value = _lengths(window, shape)
    width = max(heads * value, values if heads else 0)
    if shape.mla_lengths and not load.latent_values:
        width = 0
    tokens = cells(window, load) * (1 if load.pool or load.unified else load.slots)
    return bytes_of((heads * key + width) * tokens, load.cache_type)
