"""The compute buffer: room for what one batch computes, as large as its widest moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.fit.graph import LEAST_BATCH, Stream, shortened, staged_peak
from generator.fit.kv import cells, distinct, kv_layers
from generator.fit.shape import Matrices
from generator.records import dataclass

if TYPE_CHECKING:
    from generator.fit.shape import Load, Shape

FLOAT: Final = 4
HALF: Final = 2
INDEX: Final = 8
FUSED: Final = frozenset({"phi3"})  # one tensor for query, key and value
KEPT, KEPT_FUSED, KEPT_ON_GPU = 4, 3, 3  # embeddings beside the feed-forward part
COPIES: Final = 4  # GGML_SCHED_MAX_COPIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one GPU has of a model, beside layers.

    `output`: it computes logits; `staged` are the layers of the host that it computes, too, with an
    output if `headless`; `sparse` the layers on GPUs whose experts are the host's; `copies` of what
    comes in, which is `inputs` embeddings of a batch.
    """

    output: bool
    staged: int = 0
    headless: bool = False
    sparse: int = 0
    copies: int = 1
    inputs: int = 1


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


def device_bytes(shape: Shape, load: Load, share: Share) -> int:
    """Return the compute buffer of a GPU with its `share` of a model.

    As `compute_bytes`, but one embedding less: the table of them is the host's, and so is a batch
    of them while it comes in. From a batch of 32 on the first GPU computes the layers of the host
    as well, and an output that stays there: `staged_peak`. Where several GPUs have all layers, each
    keeps what comes in `copies` times: embeddings and mask on the first, and the sum of the layers
    before in two parts on the others.
    """
    batch = min(load.batch, load.tokens)
    entering = int(batch * _entering(shape, load))
    moments = [_feed_forward(shape, load, kept=KEPT_ON_GPU), _around_scores(shape, load)]
    floats = max(moments) * batch
    if share.output:
        floats = max(floats, _logits(shape, load, batch))
    size = int(FLOAT * floats)
    if share.copies > 1:
        again = entering * (share.copies - 1)
        return size + again + FLOAT * batch * shape.embedding * share.copies * share.inputs
    if batch < LEAST_BATCH:
        return size
    if share.staged and shape.matrices:
        layers = shortened(shape.matrices[: share.staged])
        size = max(size, staged_peak(layers, _stream(shape, load)))
    if share.sparse and shape.matrices:
        experts = shortened([_experts_alone(m) for m in shape.matrices[-share.sparse :]])
        here = replace(_stream(shape, load), key_cache=0, value_cache=0)
        size = max(size, staged_peak(experts, here))
    if share.headless:
        size = max(size, shape.output_bytes + int(FLOAT * _logits(shape, load, batch)))
    return size


def _experts_alone(m: Matrices) -> Matrices:
    """Return the matrices of a layer whose experts come from the host; all else is there."""
    return Matrices(router=1, gate=m.gate, up=m.up, down=m.down)


def host_bytes(shape: Shape, load: Load, share: Share) -> int:
    """Return the buffer that stays with the host when GPUs compute.

    The logs of llama.cpp call it `CUDA_Host compute buffer`: the embeddings of a batch and its
    mask, in f32: 24 MiB for an 8B llama at 8192 tokens, 8 and 16. From 0.30 on embeddings are there
    twice, the mask is f16 with flash attention, and without it there is an index of the values.
    Layers of the host send it keys and values of the batch.
    """
    batch = min(load.batch, load.tokens)
    table = FLOAT * batch * shape.embedding
    whole = sum(cells(window, load) for window in distinct(shape.windows))
    if not load.outputs:
        return table + FLOAT * batch * whole
    key = max(shape.kv_heads, default=0) * (shape.key_length + shape.value_length)
    second = max(table, FLOAT * batch * key) if share.staged else table
    return table + second + int(batch * _entering(shape, load)) * share.copies


def host_compute_bytes(shape: Shape, load: Load) -> int:
    """Return `host_bytes` where one GPU computes all layers."""
    return host_bytes(shape, load, Share(output=True))


def _entering(shape: Shape, load: Load) -> float:
    """Return the bytes that come in with each token: the mask, and where values are to go."""
    tokens = sum(cells(window, load) for window in distinct(shape.windows))
    if load.flash_attention:
        return HALF * tokens
    values = max(shape.kv_heads, default=0) * shape.value_length
    return FLOAT * tokens + INDEX * values * len(distinct(shape.windows))


def _stream(shape: Shape, load: Load) -> Stream:
    """Return what a batch makes in a layer of the host."""
    batch = min(load.batch, load.tokens)
    heads, kv = shape.heads, max(shape.kv_heads, default=0)
    key, value = shape.mla_lengths or (shape.key_length, shape.value_length)
    cache = max(kv_layers(shape, load), default=0)
    both = shape.key_length + (0 if shape.mla_lengths else shape.value_length)
    keys = cache * shape.key_length // max(1, both)
    widest = max(cells(window, load) for window in distinct(shape.windows))
    floats, used = FLOAT * batch, max(1, shape.experts_used)
    return Stream(
        residual=floats * shape.embedding,
        query=floats * heads * key,
        keys=floats * kv * shape.key_length,
        values=floats * kv * shape.value_length,
        answers=floats * heads * value,
        scores=0 if load.flash_attention else floats * heads * widest,
        mask=int(batch * _entering(shape, load)),
        key_cache=keys,
        value_cache=cache - keys,
        wide=floats * used * shape.feed_forward,
        dense=floats * (shape.dense_feed_forward if shape.experts else shape.feed_forward),
        shared=floats * shape.shared_feed_forward,
        router=floats * shape.experts,
        chosen=floats * used,
        voices=floats * used * shape.embedding,
        positions=floats,
        norm=FLOAT * shape.embedding,
        qk_norm=shape.qk_norm,
        gated=shape.gated,
    )


def _around_scores(shape: Shape, load: Load) -> float:
    """Return the floats that attention of one token takes on a GPU."""
    query = shape.heads * (shape.mla_lengths or (shape.key_length, 0))[0]
    key = max(shape.kv_heads, default=0) * shape.key_length
    around = 2 * shape.embedding + 2 * query + key + _entering(shape, load) / FLOAT
    if load.flash_attention or not any(shape.kv_heads):
        return around
    return around + shape.heads * max(cells(window, load) for window in distinct(shape.windows))


def _logits(shape: Shape, load: Load, batch: int) -> float:
    if shape.encoder:
        return 0
    logits = min(batch, load.outputs or batch)
    return logits * (shape.vocabulary + _beside_logits(shape, load))


def _feed_forward(shape: Shape, load: Load, kept: int = KEPT) -> float:
    used = max(1, shape.experts_used)
    kept = min(kept, KEPT_FUSED) if shape.architecture in FUSED else kept
    # Without a gate the way up is activated in place.
    parts = 3 if shape.gated else 1
    wide = parts * used * shape.feed_forward + kept * shape.embedding
    if shape.experts:
        # The answers of the experts, before and after they are weighted.
        answers = used * (2 * shape.embedding + shape.feed_forward) + 3 * shape.embedding
        # The shared expert computes while the answers of the others wait.
        shared = parts * shape.shared_feed_forward + (used + kept) * shape.embedding
        dense = parts * shape.dense_feed_forward + kept * shape.embedding
        wide = max(wide, answers, dense, shared if shape.shared_feed_forward else 0)
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
