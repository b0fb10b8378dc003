"""What Ollama up to 0.24 reckons a model's cache and graph to take, without measuring them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.catalogue.facts import Facts
    from generator.engines.ollama.scheduler.graph_terms import Formula
    from generator.fit.shape import Load, Shape

# Bytes that Ollama counts for an element, where the blocks hold 34/32 and 18/32.
# Source: kvCacheBytesPerElement, fs/ggml/ggml.go@v0.24.0:946-958.
COUNTED: Final = {"q8_0": 1.0, "q4_0": 0.5}
GPT_OSS: Final = frozenset({"gptoss", "gpt-oss"})
# Those whose local layers keep 4096 tokens in Ollama's own engine, whatever the window.
# Source: NewSWAMemCache in model/models/gptoss/model.go@v0.24.0:239, gemma4/model.go@v0.24.0:116.
REMEMBERING: Final = GPT_OSS | {"gemma4"}
KEPT: Final = 4096


def cache_sizes(shape: Shape, load: Load, facts: Facts) -> list[int]:
    """Return the bytes of the cache of each layer, as Ollama reckons with them.

    A layer with a window counts as one of gemma3 and gpt-oss alone: slots × window and one batch.
    Source: GraphSize, fs/ggml/ggml.go@v0.24.0:600-662, :746-757, :829-838.
    """
    element = COUNTED.get(load.cache_type, 2.0)
    both = shape.key_length + shape.value_length
    return [
        int(_tokens(shape, load, facts, layer) * both * heads * element)
        for layer, heads in enumerate(shape.kv_heads)
    ]


def _tokens(shape: Shape, load: Load, facts: Facts, layer: int) -> int:
    window, batch = shape.windows[layer], min(load.batch, load.context)
    if window and shape.architecture == "gemma3" and facts.behaves("estimate-with-windows"):
        return load.slots * window + batch
    if window and shape.architecture in GPT_OSS:
        return load.slots * KEPT + batch
    return load.tokens


def graph_sizes(shape: Shape, load: Load, facts: Facts) -> tuple[int, int]:
    """Return the bytes of the graph with some of the layers on GPUs, and with all of them.

    Architectures without a formula of their own get a share of the cache. Source: GraphSize,
    fs/ggml/ggml.go@v0.24.0:600-845, and its callers: llm/memory.go@v0.12.10:185-235,
    llm/server.go@v0.24.0:543-553.
    """
    if shape.architecture in GPT_OSS:
        return _of_gpt_oss(shape, load, facts)
    formula = _formulas().get(shape.architecture)
    if formula is None:
        share = shape.heads // least_heads(shape) * sum(cache_sizes(shape, load, facts)) // 6
        return share, share
    partial, full = formula(shape, load)
    return partial, full or partial


def least_heads(shape: Shape) -> int:
    """Return the fewest key heads of a layer, at least one."""
    return max(1, min(shape.kv_heads, default=1))


def _of_gpt_oss(shape: Shape, load: Load, facts: Facts) -> tuple[int, int]:
    """Return its graph: by the cache without windows, with flash attention some 110 MiB.

    Sources: fs/ggml/ggml.go@v0.11.0:678, @v0.11.5:680, @v0.11.8 and @v0.24.0:840-843.
    """
    if load.flash_attention and facts.behaves("gpt-oss-flash-graph"):
        size = (4 * load.slots + (load.tokens >> 10) + 110) * MIB
        return size, size
    element = COUNTED.get(load.cache_type, 2.0)
    both = shape.key_length + shape.value_length
    whole = int(load.tokens * both * max(shape.kv_heads) * element) * shape.layers
    ratio = shape.heads // least_heads(shape)
    if facts.behaves("gpt-oss-half-graph"):
        return 2 * ratio * whole // 6, 2 * ratio * whole // 6
    full = 4 * ratio * whole // 6
    return (full, full) if facts.behaves("gpt-oss-one-graph") else (2 * full, full)


def _formulas() -> Mapping[str, Formula]:
    from generator.engines.ollama.scheduler.graph_terms import FORMULAS

    return FORMULAS
