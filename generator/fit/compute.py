"""The compute buffer: room for what one batch computes, as large as its widest moment."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from generator.fit.graph import LEAST_BATCH, Order, Staged, Stream, shortened, staged_peak
from generator.fit.kv import PLAIN, cells, distinct, kv_layers, sequences, unpacked
from generator.fit.shape import Matrices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.catalogue.models import How
    from generator.fit.shape import Load, Shape

_Key = TypeVar("_Key")

FLOAT: Final = 4
HALF: Final = 2
INDEX: Final = 8
KEPT, KEPT_FUSED, KEPT_ON_GPU = 4, 3, 3  # embeddings beside the feed-forward part
RECURRENT: Final = 6  # times its channels; measured on mamba, mamba2 and rwkv7
HOST_RECURRENT: Final = 4  # the same on the host: nemotron_h, granitehybrid, mamba2
TOKEN_SHIFTS: Final = 5  # embeddings that rwkv7 takes in
COPIES: Final = 4  # GGML_SCHED_MAX_COPIES
TURNED: Final = 64  # values are turned in parts of so many


class Share(NamedTuple):
    """What one GPU has of a model, beside layers: what its buffer is remembered by.

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
      shared, 3 where no layer attends); of an encoder none;
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
    if shape.states:
        moments.append(batch * RECURRENT * shape.channels)
    if output:
        moments.append(_logits(shape, load, batch))
    return int(FLOAT * max(moments))


class Passing:
    """What of a model passes through a GPU under one load: worked out once, for many shares."""

    def __init__(self, shape: Shape, load: Load) -> None:
        self._asked = shape, load
        self._peaks: dict[tuple[tuple[int, ...], int], int] = {}

    @functools.cached_property
    def stream(self) -> Stream:
        """What a batch makes in a layer."""
        return _stream(*self._asked)

    @functools.cached_property
    def layers(self) -> tuple[Staged, ...]:
        """Every layer, with its cache."""
        return _staged(*self._asked)

    @functools.cached_property
    def resident(self) -> tuple[Staged, ...]:
        """Every layer, where a GPU has it."""
        layers = {id(layer): layer for layer in self.layers}
        return _each([*map(id, self.layers)], lambda key: _there(layers[key]))

    def peak(self, host: int, logits: int = 0) -> int:
        """Return the bytes of a batch in all layers, of which the first, so many, pass through."""
        there = shortened(self.resident[host:])
        layers = shortened(self.layers[:host]) + there if host else there
        # Equal layers are one, and hashing them all takes long.
        key = tuple(map(id, layers)), logits
        if key not in self._peaks:
            self._peaks[key] = staged_peak(layers, self.stream, logits)
        return self._peaks[key]


def device_bytes(shape: Shape, load: Load, share: Share, passing: Passing | None = None) -> int:
    """Return the compute buffer of a GPU with its `share` of a model.

    As `compute_bytes`, but one embedding less: the table of them is the host's, and so is a batch
    of them while it comes in. From a batch of 32 on the first GPU computes the layers of the host
    as well, and an output that stays there: `staged_peak`. Where several GPUs have all layers, each
    keeps what comes in `copies` times: embeddings and mask on the first, and the sum of the layers
    before in two parts on the others.
    """
    batch = min(load.batch, load.tokens)
    passing = passing or Passing(shape, load)
    size = _layers_bytes(shape, load, passing, output=share.output)
    if share.copies > 1:
        again = int(batch * _entering(shape, load)) * (share.copies - 1)
        return size + again + FLOAT * batch * shape.embedding * share.copies * share.inputs
    if batch < LEAST_BATCH or not shape.matrices:
        return size
    if share.staged:
        size = max(size, passing.peak(share.staged))
    if share.sparse:
        alone = {m: _experts_alone(m) for m in shape.matrices[-share.sparse :]}
        experts = shortened(alone[m] for m in shape.matrices[-share.sparse :])
        size = max(size, staged_peak(experts, passing.stream))
    if share.headless:
        size = max(size, shape.output_bytes + int(FLOAT * _logits(shape, load, batch)))
    return size


def _layers_bytes(shape: Shape, load: Load, passing: Passing, *, output: bool) -> int:
    """Return what a GPU needs for layers that it has, and an output.

    Of a plain transformer it is what the allocator takes; else, and up to 0.24, the widest of
    feed-forward part, attention, recurrence and logits, if that is more.
    """
    batch = min(load.batch, load.tokens)
    taken = 0
    if shape.matrices and not (load.earlier or shape.encoder):
        every = FLOAT * batch * shape.vocabulary if output and not load.outputs else 0
        few = _logits(shape, load, batch) if output and load.outputs else 0
        taken = max(passing.peak(0, every), int(FLOAT * few))
        if all(shape.kv_heads) and not (shape.states or shape.mla_lengths):
            return taken
    recurrent = RECURRENT * shape.channels if shape.states else 0
    floats = batch * max(_feed_forward(shape, load, kept=KEPT_ON_GPU), recurrent)
    if output:
        floats = max(floats, _logits(shape, load, batch))
    attention = int(FLOAT * batch * _around_scores(shape, load)) + max(unpacked(shape, load))
    return max(taken, int(FLOAT * floats), attention)


def _each(keys: Sequence[_Key], make: Callable[[_Key], Staged]) -> tuple[Staged, ...]:
    """Return what is made of each key, once: of all that are equal the same."""
    made = {key: make(key) for key in dict.fromkeys(keys)}
    one = {layer: layer for layer in made.values()}
    same = {key: one[layer] for key, layer in made.items()}
    return tuple(map(same.__getitem__, keys))


def _there(layer: Staged) -> Staged:
    """Return a layer where a GPU has it, and of its matrices which there are."""
    has = Matrices._make(min(1, size) for size in layer.matrices)
    return layer._replace(matrices=has, key_cache=0, value_cache=0, resident=True)


def _experts_alone(m: Matrices) -> Staged:
    """Return what comes from the host of a layer whose experts alone are there."""
    experts = Matrices(router=1, gate=m.gate, up=m.up, down=m.down)
    return Staged(matrices=experts, key_cache=0, value_cache=0)


def host_bytes(shape: Shape, load: Load, share: Share) -> int:
    """Return the buffer that stays with the host when GPUs compute.

    The logs of llama.cpp call it `CUDA_Host compute buffer`: the embeddings of a batch and its
    mask, in f32: 24 MiB for an 8B llama at 8192 tokens, 8 and 16. Without flash attention there is
    an index of the values from 0.11.5 on: 23.01 MiB for phi4 at 4096 tokens are 10, 8 and 5. From
    0.30 on embeddings are there twice, and the mask is f16 with flash attention. Several GPUs take
    four copies of what comes in: 26 MiB for deepseek-r1:32b at 2048 tokens are 10 and 16. Layers of
    the host send it keys and values of the batch.
    """
    batch = min(load.batch, load.tokens)
    table = FLOAT * batch * shape.embedding
    beside = (
        FLOAT * batch * (shape.beside + (TOKEN_SHIFTS * shape.embedding if _rwkv(shape) else 0))
    )
    if load.earlier:
        entering = FLOAT * sum(_seen(shape, load)) + _index(shape, load)
        return table + beside + batch * entering * share.copies
    second = max(table, FLOAT * batch * _sent(shape)) if share.staged else table
    return table + second + beside + int(batch * _entering(shape, load)) * share.copies


def _sent(shape: Shape) -> int:
    """Return the floats of a token that go to the host from its own layers, which a GPU computes.

    Keys and values; where query, key and value are one, from the first to the last of them. The
    host computes recurrences itself, as it has their state.
    """
    kv = max(shape.kv_heads, default=0)
    sent = kv * (shape.key_length + shape.value_length)
    if any(m.query and not m.key for m in shape.matrices):
        sent += (shape.heads + kv) * shape.key_length
    if shape.states:
        plain = "delta-net" in shape.traits or _rwkv(shape)
        times = 1 if plain else HOST_RECURRENT
        sent = max(sent, times * shape.channels)
    return sent


def _rwkv(shape: Shape) -> bool:
    return bool(shape.states) and not any(shape.kv_heads) and "token-shift" in shape.traits


def _seen(shape: Shape, load: Load) -> list[int]:
    """Return how many tokens a token looks at, for each kind of layer that looks at any."""
    if shape.encoder:
        return [min(load.batch, load.tokens)]
    if not any(shape.kv_heads):
        return [0]
    return [cells(window, load) for window in distinct(shape.windows)]


def host_compute_bytes(shape: Shape, load: Load) -> int:
    """Return `host_bytes` where one GPU computes all layers."""
    return host_bytes(shape, load, Share(output=True))


def _entering(shape: Shape, load: Load) -> float:
    """Return the bytes that come in with each token: the mask, and where values are to go."""
    seen = _seen(shape, load)
    return HALF * sum(seen) if load.flash_attention else FLOAT * sum(seen) + _index(shape, load)


def _index(shape: Shape, load: Load) -> int:
    """Return the bytes of each token that say where its values go: those that are transposed.

    Not where the cache is unified. Source: ggml_set_rows, llama.cpp PR 14285.
    """
    if load.flash_attention or load.unified:
        return 0
    values = max(shape.kv_heads, default=0) * shape.value_length
    return INDEX * values * len(_seen(shape, load))


def _staged(shape: Shape, load: Load) -> tuple[Staged, ...]:
    """Return the layers, with the part of each one's cache that are keys."""
    states = shape.states or (0,) * shape.layers
    both = max(1, shape.key_length + (0 if shape.mla_lengths else shape.value_length))
    of_state = FLOAT * sequences(load)
    matrices = {id(each): each for each in shape.matrices}

    def layer(key: tuple[int, int, int, int]) -> Staged:
        number, size, state, more = key
        cache = size - of_state * state
        keys = cache * shape.key_length // both
        return Staged(
            matrices=matrices[number], key_cache=keys, value_cache=cache - keys, unpacked=more
        )

    every = map(id, shape.matrices), kv_layers(shape, load), states, unpacked(shape, load)
    return _each([*zip(*every, strict=False)], layer)


def _stream(shape: Shape, load: Load) -> Stream:
    """Return what a batch makes in a layer of the host."""
    batch = min(load.batch, load.tokens)
    kv = max(shape.kv_heads, default=0)
    heads = shape.heads if kv else 0
    key, value = shape.mla_lengths or (shape.key_length, shape.value_length)
    widest = max(_seen(shape, load))
    floats, used = FLOAT * batch, max(1, shape.experts_used)
    return Stream(
        residual=floats * shape.embedding,
        query=floats * heads * key,
        keys=floats * kv * shape.key_length,
        values=floats * kv * shape.value_length,
        answers=floats * heads * value,
        scores=0 if load.flash_attention else floats * heads * widest,
        mask=int(batch * _entering(shape, load)),
        wide=floats * used * shape.feed_forward,
        dense=floats * (shape.dense_feed_forward if shape.experts else shape.feed_forward),
        shared=floats * shape.shared_feed_forward,
        router=floats * shape.experts,
        chosen=floats * used,
        voices=floats * used * shape.embedding,
        positions=floats,
        recurrent=2 * floats * shape.channels,
        beside=floats * shape.beside,
        norm=FLOAT * shape.embedding,
        qk_norm="query-norm" in shape.traits,
        gated=shape.gated,
        places=2 * INDEX * batch,
        rotations=_rotations(shape, load),
        order=_order(shape.traits),
        weighted="weighted-input" in shape.traits,
        biased="biased" in shape.traits,
        fused="fused" in shape.traits,
    )


def _order(traits: frozenset[How]) -> Order:
    if "parallel" in traits:
        return "parallel"
    return "after" if "post-norm" in traits else "before"


def _rotations(shape: Shape, load: Load) -> tuple[int, int]:
    """Return the bytes of the matrices that keys and values of a quantised cache are turned by.

    Source: attn_rot_k, attn_rot_v and build_input_k_rot, src/llama-kv-cache.cpp of
    llama.cpp@b10488.
    """
    if load.cache_type in PLAIN or load.earlier:
        return 0, 0
    keys = 0 if shape.key_length % TURNED else shape.key_length & -shape.key_length
    values = 0 if shape.value_length % TURNED else TURNED
    return FLOAT * keys * keys, FLOAT * values * values


def _around_scores(shape: Shape, load: Load) -> float:
    """Return the floats that attention of one token takes on a GPU."""
    if not any(shape.kv_heads) and not shape.encoder:
        return 0
    entering = _entering(shape, load) / FLOAT + shape.beside
    if shape.mla_lengths:
        # Queries of each head before and after they are brought into the space of the cache.
        query = shape.heads * (2 * shape.mla_lengths[0] + shape.key_length + shape.value_length)
        around = 2 * shape.embedding + query + entering
    else:
        query = shape.heads * shape.key_length
        key = max(shape.kv_heads, default=0) * shape.key_length
        around = 2 * shape.embedding + 2 * query + key + entering
    if load.flash_attention:
        return around
    return around + shape.heads * max(_seen(shape, load))


def _logits(shape: Shape, load: Load, batch: int) -> float:
    if shape.encoder:
        return 0
    logits = min(batch, load.outputs or batch)
    return logits * (shape.vocabulary + _beside_logits(shape, load))


def _feed_forward(shape: Shape, load: Load, kept: int = KEPT) -> float:
    used = max(1, shape.experts_used)
    kept = min(kept, KEPT_FUSED) if "fused" in shape.traits else kept
    # Without a gate the way up is activated in place.
    parts = 3 if shape.gated else 1
    wide = parts * used * shape.feed_forward + kept * shape.embedding
    if shape.experts:
        answers = _answers(shape)
        # The shared expert computes while the answers of the others wait.
        shared = parts * shape.shared_feed_forward + (used + kept) * shape.embedding
        dense = parts * shape.dense_feed_forward + kept * shape.embedding
        wide = max(wide, answers, dense, shared if shape.shared_feed_forward else 0)
    return wide + _waiting(shape) + _mask(shape, load)


def _answers(shape: Shape) -> int:
    """Return the floats of one token while the experts answer, before they are weighted.

    The answers take the room of gate and up, if these were as wide; else their room stays empty.
    """
    used, wide, each = max(1, shape.experts_used), shape.feed_forward, shape.embedding
    if not shape.gated:
        return used * (each + wide) + 3 * each
    if each > 2 * wide:
        return used * (each + 3 * wide) + 4 * each
    return used * max(3 * wide, each + wide) + 4 * each


def _attention(shape: Shape, load: Load) -> float:
    if not any(shape.kv_heads) and not shape.encoder:
        return 0
    query = 0 if "fused" in shape.traits else shape.heads * shape.key_length
    key = max(shape.kv_heads, default=0) * shape.key_length
    around = 3 * shape.embedding + 2 * query + 2 * key + _waiting(shape) + _mask(shape, load)
    if load.flash_attention:
        return around
    return around + shape.heads * max(_seen(shape, load))


def _beside_logits(shape: Shape, load: Load) -> float:
    """Return the floats that live while the logits are computed.

    With a shared expert the answers of the others leave gaps; measured on qwen2moe.

    With a fused query, key and value the allocator packs worse where the mask leaves a gap too
    small for the next tensor; measured on phi3 and phi4.
    """
    if shape.shared_feed_forward:
        return (max(1, shape.experts_used) + 4) * shape.embedding
    mask = _mask(shape, load)
    fused = "fused" in shape.traits and load.flash_attention
    if fused and mask < shape.embedding:
        return 4 * shape.embedding + mask
    if not any(shape.kv_heads):
        return 3 * shape.embedding
    return 2 * shape.embedding + (_waiting(shape) if "deep-stack" in shape.traits else 0)


def _waiting(shape: Shape) -> int:
    """Return the floats of a token that wait for layers: for a vision tower as they came in, too.

    Measured on qwen3vl with llama-server of llama.cpp@b10488.
    """
    return shape.beside * (2 if "deep-stack" in shape.traits else 1)


def _mask(shape: Shape, load: Load) -> float:
    """Return the floats of the masks: one for each kind of cache that the layers have."""
    floats = sum(_seen(shape, load))
    return floats / 2 if load.flash_attention else floats
