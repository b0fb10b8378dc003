"""GGUF files with the shape of a model and no weights: sparse, so that they cost no disk.

What the allocator and the quantiser of llama.cpp say of such a file they say of the model, too:
neither reads a weight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import gguf
import numpy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Tensor = tuple[str, tuple[int, ...]]
Typed = tuple[str, tuple[int, ...], gguf.GGMLQuantizationType]
ALIGNMENT: Final = 32
# Rows that a file of RWKV must have; for the device that computes nothing 4 were enough.
ROWS: Final = {"rwkv6": 5, "rwkv7": 6}
# Without a tokenizer: the vocabulary has a size and no words.
NO_VOCABULARY: Final = {"tokenizer.ggml.model": "no_vocab"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a skeleton needs; names as in `data/models.toml`."""

    architecture: str
    layers: int
    embedding: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_length: int
    vocabulary: int
    context: int
    tied: bool = False
    window: int = 0
    experts: int = 0
    experts_used: int = 0
    expert_feed_forward: int = 0


GEMMA: Final = frozenset({"gemma2", "gemma3"})
QK_NORM: Final = frozenset({"qwen3", "qwen3moe", "gemma3"})


def tensors(outline: Outline) -> Iterator[Tensor]:
    """Yield name and shape of every tensor, in the order of the file; rows are as GGUF has them."""
    wide = (outline.embedding, outline.vocabulary)
    yield "token_embd.weight", wide
    yield "output_norm.weight", (outline.embedding,)
    if not outline.tied:
        yield "output.weight", wide
    for block in range(outline.layers):
        parts = (*_attention(outline), *_norms(outline), *_feed_forward(outline))
        yield from ((f"blk.{block}.{name}", shape) for name, shape in parts)


def _attention(o: Outline) -> Iterator[Tensor]:
    query, key = o.heads * o.head_length, o.kv_heads * o.head_length
    if o.architecture == "phi3":
        yield "attn_qkv.weight", (o.embedding, query + 2 * key)
    else:
        yield "attn_q.weight", (o.embedding, query)
        yield "attn_k.weight", (o.embedding, key)
        yield "attn_v.weight", (o.embedding, key)
    yield "attn_output.weight", (query, o.embedding)
    if o.architecture in {"qwen2", "gpt-oss"}:
        yield "attn_q.bias", (query,)
        yield "attn_k.bias", (key,)
        yield "attn_v.bias", (key,)
    if o.architecture == "gpt-oss":
        yield "attn_output.bias", (o.embedding,)
        yield "attn_sinks.weight", (o.heads,)
    if o.architecture in QK_NORM:
        yield "attn_q_norm.weight", (o.head_length,)
        yield "attn_k_norm.weight", (o.head_length,)


def _norms(o: Outline) -> Iterator[Tensor]:
    yield "attn_norm.weight", (o.embedding,)
    if o.architecture == "gpt-oss":
        yield "post_attention_norm.weight", (o.embedding,)
        return
    yield "ffn_norm.weight", (o.embedding,)
    if o.architecture in GEMMA:
        yield "post_attention_norm.weight", (o.embedding,)
        yield "post_ffw_norm.weight", (o.embedding,)


def _feed_forward(o: Outline) -> Iterator[Tensor]:
    wide, n = o.expert_feed_forward or o.feed_forward, o.experts
    if not n:
        fused = 2 if o.architecture == "phi3" else 1
        if fused == 1:
            yield "ffn_gate.weight", (o.embedding, o.feed_forward)
        yield "ffn_up.weight", (o.embedding, fused * o.feed_forward)
        yield "ffn_down.weight", (o.feed_forward, o.embedding)
        return
    yield "ffn_gate_inp.weight", (o.embedding, n)
    yield "ffn_gate_exps.weight", (o.embedding, wide, n)
    yield "ffn_up_exps.weight", (o.embedding, wide, n)
    yield "ffn_down_exps.weight", (wide, o.embedding, n)
    if o.architecture == "gpt-oss":
        yield "ffn_gate_inp.bias", (n,)
        yield "ffn_gate_exps.bias", (wide, n)
        yield "ffn_up_exps.bias", (wide, n)
        yield "ffn_down_exps.bias", (o.embedding, n)


def write(outline: Outline, path: Path, kind: str = "F16") -> None:
    """Write the skeleton; matrices are of type `kind`, vectors f32, all of them zero."""
    every = [(name, shape, _type(name, shape, kind)) for name, shape in tensors(outline)]
    _written(path, outline.architecture, _metadata(outline), every)


def write_model(model: dict[str, Any], path: Path) -> None:
    """Write the skeleton of a model of `tests/fit/architectures.json`."""
    name = model["architecture"]
    keys = {f"{name}.{key}": value for key, value in model["keys"].items()}
    named = [("", row) for row in model["top"]]
    for layer, kind in enumerate(model["layers"]):
        named += [(f"blk.{layer}.", row) for row in model["kinds"][kind]]
    every = [
        (prefix + tensor, (*shape[:3], ROWS.get(name, shape[3])), gguf.GGMLQuantizationType.F32)
        if tensor == "time_mix_lerp_fused.weight"
        else (prefix + tensor, tuple(shape), gguf.GGMLQuantizationType[kind])
        for prefix, (tensor, kind, *shape) in named
    ]
    _written(path, name, keys | NO_VOCABULARY | model["more"], every)


def _written(
    path: Path, architecture: str, metadata: dict[str, Any], every: Sequence[Typed]
) -> None:
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in metadata.items():
        _add(writer, key, value)
    for name, shape, kind in every:
        _declare(writer, name, shape, kind)
    writer.write_header_to_file(path)
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    _pad(path, [_size(shape, kind) for _, shape, kind in every])


def _type(name: str, shape: tuple[int, ...], kind: str) -> gguf.GGMLQuantizationType:
    plain = len(shape) == 1 or name.endswith("bias") or "ffn_gate_inp" in name
    return gguf.GGMLQuantizationType["F32" if plain else kind]


def _size(shape: tuple[int, ...], kind: gguf.GGMLQuantizationType) -> int:
    weights, size = gguf.GGML_QUANT_SIZES[kind]
    return math.prod(shape) // weights * size


def _declare(
    writer: gguf.GGUFWriter, name: str, shape: tuple[int, ...], kind: gguf.GGMLQuantizationType
) -> None:
    # numpy has rows last, and the bytes of a quantised row for its length.
    weights, size = gguf.GGML_QUANT_SIZES[kind]
    row = shape[0] // weights * size if weights > 1 else shape[0]
    dtype = {"F32": numpy.float32, "F16": numpy.float16}.get(kind.name, numpy.uint8)
    raw = None if weights == 1 else kind
    writer.add_tensor_info(
        name, (*reversed(shape[1:]), row), numpy.dtype(dtype), _size(shape, kind), raw
    )


def _pad(path: Path, sizes: Sequence[int]) -> None:
    """Extend the file to the length that its tensors claim, without writing anything."""
    reach = sum(-(-size // ALIGNMENT) * ALIGNMENT for size in sizes)
    with path.open("r+b") as file:
        start = -(-file.seek(0, 2) // ALIGNMENT) * ALIGNMENT
        file.truncate(start + reach)


def _metadata(o: Outline) -> dict[str, Any]:
    keys: dict[str, Any] = {
        "block_count": o.layers,
        "context_length": o.context,
        "embedding_length": o.embedding,
        "feed_forward_length": o.feed_forward,
        "attention.head_count": o.heads,
        "attention.head_count_kv": o.kv_heads,
        "attention.key_length": o.head_length,
        "attention.value_length": o.head_length,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "rope.freq_base": 10000.0,
        "rope.dimension_count": o.head_length,
        "vocab_size": o.vocabulary,
    }
    if o.window:
        keys["attention.sliding_window"] = o.window
    if o.experts:
        keys |= {"expert_count": o.experts, "expert_used_count": o.experts_used}
        keys["expert_feed_forward_length"] = o.expert_feed_forward or o.feed_forward
    prefixed = {f"{o.architecture}.{key}": value for key, value in keys.items()}
    return prefixed | NO_VOCABULARY


def _add(writer: gguf.GGUFWriter, key: str, value: object) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, list):
        writer.add_array(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    else:
        writer.add_string(key, str(value))
