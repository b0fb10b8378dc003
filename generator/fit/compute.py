"""The compute buffer: room for what one batch computes, as large as its widest moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.fit.kv import cells, distinct

if TYPE_CHECKING:
    from generator.fit.shape import Load, Shape

FLOAT: Final = 4
FUSED: Final = frozenset({"phi3"})  # one tensor for query, key and value


def compute_bytes(shape: Shape, load: Load, *, output: bool = True) -> int:
    """Return the compute buffer of a device that holds layers, with the `output` or without.

    4 bytes for each float of the widest of three moments:

    - the logits, for each output: vocabulary + 2 × embedding (4 and the experts used where one is
      shared);
    - the feed-forward part, for each token of the batch: 3 × its width for each expert used,
      4 × embedding (3 if fused), the mask; or the answers of the experts; or 3 × the width of a
      shared expert, (experts used + 4) × embedding, the mask;
    - without flash attention the scores, for each token of the batch: heads × context of a slot,
      3 × embedding, 2 × query width (not if fused), 2 × key width, the mask.

    The mask is one number for each token in the cache: f32, with flash attention f16. Derived
    from what llama-server and llama-fit-params of llama.cpp@0c1e570 allocate (ggml-alloc.c packs
    the tensors of src/llama-graph.cpp); how well it holds is in docs/accuracy.md.
    """
    batch = min(load.batch, load.tokens)
    moments = [batch * _feed_forward(shape, load), batch * _attention(shape, load)]
    if output:
        logits = min(batch, load.outputs or batch)
        moments.append(logits * (shape.vocabulary + _beside_logits(shape, load)))
    return int(FLOAT * max(moments))


def host_compute_bytes(shape: Shape, load: Load) -> int:
    """Return the buffer that stays with the host when GPUs compute: embeddings and mask.

    The logs of llama.cpp call it `CUDA_Host compute buffer`: 24 MiB for an 8B llama at 8192 tokens
    without flash attention, 8 of embeddings and 16 of the mask.
    """
    return int(min(load.batch, load.tokens) * FLOAT * (shape.embedding + _mask(shape, load)))


def _feed_forward(shape: Shape, load: Load) -> float:
    used = max(1, shape.experts_used)
    kept = 3 if shape.architecture in FUSED else 4
    wide = 3 * used * shape.feed_forward + kept * shape.embedding
    if shape.experts:
        # The answers of the experts, before and after they are weighted.
        answers = used * (2 * shape.embedding + shape.feed_forward) + 3 * shape.embedding
        # The shared expert computes while the answers of the others wait.
        shared = 3 * shape.shared_feed_forward + (used + kept) * shape.embedding
        wide = max(wide, answers, shared if shape.shared_feed_forward else 0)
    return wide + _mask(shape, load)


def _attention(shape: Shape, load: Load) -> float:
    query = 0 if shape.architecture in FUSED else shape.heads * shape.key_length
    key = max(shape.kv_heads, default=0) * shape.key_length
    around = 3 * shape.embedding + 2 * query + 2 * key + _mask(shape, load)
    if load.flash_attention:
        return around
    widest = max(cells(window, load) for window in distinct(shape.windows))
    return around + shape.heads * widest


def _beside_logits(shape: Shape, load: Load) -> float:
    """Return the floats that live while the logits are computed.

    With a shared expert the answers of the others leave gaps; measured on qwen2moe.

    With a fused query, key and value the allocator packs worse where the mask leaves a gap too
    small for the next tensor; measured on phi3 and phi4.
    """
    if shape.shared_feed_forward:
        return (max(1, shape.experts_used) + 4) * shape.embedding
    mask = _mask(shape, load)
    fused = shape.architecture in FUSED and load.flash_attention
    if fused and mask < shape.embedding:
        return 4 * shape.embedding + mask
    return 2 * shape.embedding


def _mask(shape: Shape, load: Load) -> float:
    """Return the floats of the masks: one for each kind of cache that the layers have."""
    floats = sum(cells(window, load) for window in distinct(shape.windows))
    return floats / 2 if load.flash_attention else floats
