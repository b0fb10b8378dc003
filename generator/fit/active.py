"""What one token needs of a model's weights: all of them, but of the experts only those used."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.fit.shape import Shape


def active_weights(shape: Shape) -> int:
    """Return how many weights the layers multiply a token with.

    A recurrent layer counts as one with attention.
    """
    used = shape.experts_used if shape.experts else 1
    return shape.layers * (_attention(shape) + expert_weights(shape) * used)


def expert_weights(shape: Shape) -> int:
    """Return the weights of one expert of a layer, or of its feed-forward part without experts."""
    return (3 if shape.gated else 2) * shape.embedding * shape.feed_forward


def expert_bytes(shape: Shape) -> tuple[int, ...]:
    """Return what the experts of each layer have, all of them together.

    Where the file does not tell it, that share of a layer's bytes that they have of its weights;
    with MXFP4 they alone have that type, 17 bytes for 32 weights (llama.cpp, ggml-common.h).
    """
    if shape.expert_bytes or not shape.experts:
        return shape.expert_bytes or (0,) * shape.layers
    weights = expert_weights(shape) * shape.experts
    share = weights / (weights + _attention(shape))
    packed = weights * 17 // 32
    fixed = shape.quantisation == "MXFP4"
    return tuple(min(size, packed) if fixed else int(size * share) for size in shape.layer_bytes)


def active_expert_bytes(shape: Shape) -> tuple[int, ...]:
    """Return what is read of the experts of each layer for one token."""
    if not shape.experts:
        return (0,) * shape.layers
    return tuple(size * shape.experts_used // shape.experts for size in expert_bytes(shape))


def dense_bytes(shape: Shape) -> tuple[int, ...]:
    """Return what is read of each layer for every token: all but experts."""
    both = zip(shape.layer_bytes, expert_bytes(shape), strict=True)
    return tuple(size - experts for size, experts in both)


def active_bytes(shape: Shape) -> int:
    """Return what is read for one token, the output included."""
    return sum(dense_bytes(shape)) + sum(active_expert_bytes(shape)) + shape.output_bytes


def _attention(shape: Shape) -> int:
    """Return the weights of a layer that every token uses: attention, and a shared expert."""
    length = sum(shape.mla_lengths or (shape.key_length, shape.value_length))
    keys = 0 if shape.mla_lengths else max(shape.kv_heads, default=0) * length
    return shape.embedding * (shape.heads * length + keys + 3 * shape.shared_feed_forward)
