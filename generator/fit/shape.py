"""What memory follows from: the Shape of a model at one quantisation, and the Load it is under."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.fit.tower import tower_of
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.catalogue.facts import Facts
    from generator.catalogue.models import How, ModelFact
    from generator.fit.tower import Tower

DEFAULT_BATCH: Final = 512
MORE_BITS: Final = 2
DEEP_STACKED: Final = 3  # layers that a vision tower gives something of their own, in Qwen3-VL
NEITHER: Final = "-"  # a layer of `pattern` that neither attends nor keeps a state
HALF: Final = 2  # bytes of a weight at F16
ALTUP: Final = 6  # embeddings: four residuals, and two predictions of them


class Matrices(NamedTuple):
    """The bytes of the matrices of a layer, as a GPU holds them; 0: it has none.

    `query` is that of query, key and value together where they are one; a `router` is there with
    experts, and `gate`, `up` and `down` are then those of all experts. Where `gate` and `up` are
    one, `up` is both. A `recurrent` layer has no attention.
    """

    query: int = 0
    key: int = 0
    value: int = 0
    output: int = 0
    router: int = 0
    gate: int = 0
    up: int = 0
    down: int = 0
    shared_up: int = 0
    shared_down: int = 0
    other: int = 0
    recurrent: bool = False

    @property
    def total(self) -> int:
        """The bytes of all; a shared expert has two ways up."""
        attention = self.query + self.key + self.value + self.output + self.other
        experts = self.router + self.gate + self.up + self.down
        return attention + experts + 2 * self.shared_up + self.shared_down


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One model at one quantisation.

    `kv_heads` and `windows` have one entry for each layer; a window of 0 keeps the whole context,
    and a layer without KV heads keeps none. `states` are the floats of the recurrent state that
    each layer keeps of every sequence; empty: none does; `channels` is the width of what goes
    through a recurrence. With `mla_lengths`, key and value length
    of a head, the cache is compressed: its key, one for all heads, holds the value, too.
    `feed_forward` is that of one expert where there are experts, `shared_feed_forward` that of the
    ones which every token uses besides, `dense_feed_forward` that of layers without; not `gated`,
    it has two matrices. `layer_bytes` are the weights of each layer, `expert_bytes` those of its
    experts among them, `input_bytes` the token embedding, `output_bytes` what computes the logits;
    a model whose output is `tied` uses the embedding for it, and a GPU gets a copy.
    `projector_bytes` are those of a vision tower and what projects its answers, which go to the
    first GPU. `context` is what the model was trained for; 0: unknown. `window_lengths` are key and
    value length where a layer has a window, if they differ; the last `uncached` layers use the
    cache of others. `window_unknown` is the width of windows that nothing else is known of: the
    cache is then an upper bound. An `encoder` embeds text: it has no cache, and no logits. Of the
    `input_bytes`, `more_input_bytes` are other tables than the token embedding. `cache_unknown`:
    the cache is an upper bound, of an architecture that is not known. `matrices` are those of each
    layer, `traits` how its graph differs from that of others; `beside` are floats of each token
    that wait for the layers that use them. Every token is `multiplied` with so many weights of the
    layers, and with those of the experts that it uses; all experts together have `expert_weights`.
    `remarks` are sentences about
    what is not known of it.
    """

    name: str
    architecture: str
    quantisation: str
    embedding: int
    feed_forward: int
    heads: int
    kv_heads: tuple[int, ...]
    key_length: int
    value_length: int
    vocabulary: int
    context: int
    windows: tuple[int, ...]
    layer_bytes: tuple[int, ...]
    input_bytes: int
    output_bytes: int
    tied: bool = False
    experts: int = 0
    experts_used: int = 0
    shared_feed_forward: int = 0
    dense_feed_forward: int = 0
    gated: bool = True
    expert_bytes: tuple[int, ...] = ()
    window_lengths: tuple[int, int] | None = None
    mla_lengths: tuple[int, int] | None = None
    states: tuple[int, ...] = ()
    channels: int = 0
    uncached: int = 0
    window_unknown: int = 0
    projector_bytes: int = 0
    tower: Tower | None = None
    encoder: bool = False
    more_input_bytes: int = 0
    cache_unknown: bool = False
    matrices: tuple[Matrices, ...] = ()
    traits: frozenset[How] = frozenset()
    beside: int = 0
    multiplied: int = 0
    expert_weights: int = 0
    remarks: tuple[str, ...] = ()
    source: str = ""

    @property
    def layers(self) -> int:
        """How many layers there are, without the output."""
        return len(self.layer_bytes)

    @property
    def host_output_bytes(self) -> int:
        """The output where the host has it as well as the token embedding."""
        again = "output-first" in self.traits
        return self.output_bytes if again else self.own_output_bytes

    @property
    def tensor_bytes(self) -> int:
        """All tensors, as the file has them, without a projector."""
        return sum(self.layer_bytes) + self.input_bytes + self.own_output_bytes

    @property
    def own_output_bytes(self) -> int:
        """What the output adds to the file: not the embedding, if it is tied to it."""
        table = self.input_bytes - self.more_input_bytes
        return self.output_bytes - (table if self.tied else 0)

    @property
    def cache_bound(self) -> bool:
        """Whether the cache that is counted is an upper bound."""
        return self.cache_unknown or self.window_unknown > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(ABC):
    """One cache for the tokens of all slots, of an engine with a graph of its own.

    A layer with a window keeps `kept` tokens of each slot (0: as wide as the window) and one more
    if `spare`, where there are several slots, and one batch for all of them; `whole`: it keeps all
    tokens like any other. The cells come in blocks of `block`. Of a recurrence `states` earlier
    ones of each slot are kept beside the present one. `tables`: what the input has beside the token
    embedding is a part of the output.
    """

    kept: int = 0
    spare: bool = False
    whole: bool = False
    block: int = 256
    states: int = 0
    tables: bool = False

    @abstractmethod
    def compute_bytes(self, shape: Shape, load: Load, *, output: bool, staged: int = 0) -> int:
        """Return the compute buffer of a device with layers, with the `output` or without.

        It computes `staged` layers of the host's, too, where the engine does so.
        """

    def beside_bytes(self, shape: Shape, load: Load) -> int:  # noqa: ARG002 -- for others
        """Return what a GPU takes beside that buffer, which no host does."""
        return 0

    @abstractmethod
    def host_compute_bytes(self, shape: Shape, load: Load) -> int:
        """Return the buffer that stays with the host where GPUs compute all layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the memory of a loaded model follows from, beside its Shape.

    `context` is for each of the `slots`; `batch` the tokens computed at once (llama.cpp's ubatch),
    `outputs` those of a batch that get logits: all (0), or one for each slot, as llama-server
    reserves since llama.cpp PR 23861. `pool` is how an engine of its own keeps the cache; None:
    llama.cpp computes. `latent_values`: a compressed cache keeps values beside its
    keys, though these hold them, as llama.cpp did up to PR 19057. `unified`: a token of one slot is
    computed against the cache of all, as llama.cpp did up to PR 14363; `windowless`: layers with a
    window keep the whole context, as llama.cpp does where it is asked for `swa_full`. `unpacks`:
    flash attention of a GPU has room for a quantised cache of a layer as f16. `earlier` is
    llama.cpp of 2025: embeddings come in once, the mask as f32; a quantised cache is not turned.
    """

    context: int
    slots: int = 1
    cache_type: str = "f16"
    flash_attention: bool = True
    batch: int = DEFAULT_BATCH
    outputs: int = 0
    pool: Pool | None = None
    latent_values: bool = False
    unified: bool = False
    windowless: bool = False
    unpacks: bool = False
    earlier: bool = False

    @property
    def tokens(self) -> int:
        """The context of all slots together."""
        return self.context * self.slots


def windows_of(layers: int, window: int, every: int, *, first: bool = False) -> tuple[int, ...]:
    """Return the window of each layer, where every `every`-th one keeps the whole context.

    It is the last of them, or the `first`.
    """
    if not window or not every:
        return (0,) * layers
    whole = 0 if first else every - 1
    return tuple(0 if layer % every == whole else window for layer in range(layers))


def windows_of_model(model: ModelFact) -> tuple[int, ...]:
    """Return the window of each layer of a model of the Catalogue."""
    if model.pattern:
        return tuple(model.window if kind == "W" else 0 for kind in kinds_of(model))
    return windows_of(model.layers, model.window, model.window_every)


def kinds_of(model: ModelFact) -> str:
    """Return the letter of each layer, of `pattern` in data/models.toml; empty: there is none."""
    times = -(-model.layers // max(1, len(model.pattern)))
    return (model.pattern * times)[: model.layers]


def latent(model: ModelFact) -> bool:
    """Return whether the cache of a model of the Catalogue is compressed."""
    return bool(model.kv_lora_rank) and not model.whole_cache


def kv_heads_of(model: ModelFact) -> tuple[int, ...]:
    """Return the KV heads of each layer of a model of the Catalogue; 0: it has no cache."""
    if model.encoder:
        return (0,) * model.layers
    if latent(model):
        return (1,) * model.layers
    local = model.window_kv_heads or model.kv_heads
    heads = {"A": model.kv_heads, "H": model.kv_heads, "W": local}
    kinds = kinds_of(model)
    if not kinds:
        windows = windows_of_model(model)
        return tuple(local if window else model.kv_heads for window in windows)
    return tuple(heads.get(kind, 0) for kind in kinds)


def lengths_of(model: ModelFact) -> tuple[int, int]:
    """Return the length of key and value in the cache, where layers keep the whole context."""
    if latent(model):
        return model.kv_lora_rank + model.rope_dimension, model.kv_lora_rank
    return model.key_length, model.value_length


def window_lengths_of(model: ModelFact) -> tuple[int, int] | None:
    """Return those of layers with a window; None: they do not differ."""
    both = (model.window_key_length, model.window_value_length)
    return both if any(both) else None


def states_of(model: ModelFact) -> tuple[int, ...]:
    """Return the floats of the recurrent state of each layer of a model of the Catalogue."""
    one = state_floats(Recurrence.of(model))
    return tuple(one if kind in "RH" else 0 for kind in kinds_of(model)) if one else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """What the size of a recurrent state follows from; names are those of a GGUF header."""

    embedding: int
    heads: int
    ssm_conv_kernel: int = 0
    ssm_inner_size: int = 0
    ssm_state_size: int = 0
    ssm_group_count: int = 0
    shortconv_l_cache: int = 0
    kda_head_dim: int = 0
    wkv_head_size: int = 0
    token_shift_count: int = 2

    @classmethod
    def of(cls, model: ModelFact) -> Recurrence:
        """Return that of a model of the Catalogue."""
        return cls(
            embedding=model.embedding,
            heads=model.heads,
            ssm_conv_kernel=model.ssm_conv_kernel,
            ssm_inner_size=model.ssm_inner_size,
            ssm_state_size=model.ssm_state_size,
            ssm_group_count=model.ssm_group_count,
            shortconv_l_cache=model.shortconv_l_cache,
            kda_head_dim=model.kda_head_dim,
            wkv_head_size=model.wkv_head_size,
            token_shift_count=model.token_shift_count,
        )


def state_floats(r: Recurrence) -> int:
    """Return the f32 that a recurrent layer keeps of a sequence: convolution and state together.

    Source: n_embd_r and n_embd_s, src/llama-hparams.cpp:121-180 of llama.cpp@b10488.
    """
    if r.wkv_head_size:
        return r.token_shift_count * r.embedding + r.embedding * r.wkv_head_size
    if r.shortconv_l_cache:
        return r.embedding * (r.shortconv_l_cache - 1)
    if r.kda_head_dim:
        inner = r.heads * r.kda_head_dim
        return 3 * max(r.ssm_conv_kernel - 1, 0) * inner + r.kda_head_dim * inner
    channels = r.ssm_inner_size + 2 * r.ssm_group_count * r.ssm_state_size
    return max(r.ssm_conv_kernel - 1, 0) * channels + r.ssm_state_size * r.ssm_inner_size


def waiting(traits: frozenset[How], embedding: int, each: int, deep: int = DEEP_STACKED) -> int:
    """Return the floats of a token that wait for the layers that use them.

    What a vision tower gives to the first `deep` layers (qwen3vl), `each`: the embeddings of all
    layers of their own (gemma3n, gemma4), and what gemma3n predicts of its residuals. Source:
    n_embd_inp, src/llama-hparams.cpp, and src/models/{gemma3n,gemma4,qwen3vl}.cpp of
    llama.cpp@b10488.
    """
    several = deep * ("deep-stack" in traits) + ALTUP * ("altup" in traits)
    return several * embedding + each


def channels(r: Recurrence) -> int:
    """Return the floats of a token that go through a recurrence at once; 0: as wide as others."""
    if r.wkv_head_size:
        return 3 * r.embedding
    return r.ssm_inner_size + 2 * r.ssm_group_count * r.ssm_state_size


@lru_cache(maxsize=512)
def shape_of(model: ModelFact, facts: Facts) -> Shape:
    """Return the Shape of a model of the Catalogue at its `quantisation`, whose size is known.

    Weights that are not embedding or output are spread over the layers by how large the matrices of
    each are, of which those of attention, experts and feed-forward count. An embedding for each
    layer, as Gemma 3n has it, is kept at F16 (data/tensors.toml) and read like the first one.
    """
    inputs, outputs = _ends(model, facts)
    beside = HALF * model.vocabulary * model.layers * model.layer_embedding
    rest = model.weight_bytes - inputs - beside - (0 if model.tied or model.encoder else outputs)
    matrices = _matrices(model, facts)
    layers = _spread(rest, model, matrices)
    key, value = lengths_of(model)
    return Shape(
        name=model.names[0],
        architecture=model.architecture,
        quantisation=model.quantisation,
        embedding=model.embedding,
        feed_forward=model.feed_forward,
        heads=max(model.heads, model.window_heads),
        kv_heads=kv_heads_of(model),
        key_length=key,
        value_length=value,
        vocabulary=model.vocabulary,
        context=model.context,
        windows=windows_of_model(model),
        layer_bytes=layers,
        input_bytes=inputs + beside,
        more_input_bytes=beside,
        output_bytes=0 if model.encoder else outputs,
        tied=model.tied and not model.encoder,
        experts=model.experts,
        experts_used=model.experts_used,
        shared_feed_forward=model.shared_feed_forward,
        dense_feed_forward=model.dense_feed_forward,
        gated=model.gated,
        window_lengths=window_lengths_of(model),
        mla_lengths=(model.key_length, model.value_length) if latent(model) else None,
        states=states_of(model),
        channels=channels(Recurrence.of(model)),
        uncached=model.shared_kv_layers,
        projector_bytes=model.projector,
        tower=tower_of(facts.architectures.get(model.architecture)) if model.projector else None,
        encoder=model.encoder,
        expert_bytes=_experts(model, layers, facts),
        matrices=matrices,
        traits=facts.computes(model.architecture),
        beside=waiting(
            facts.computes(model.architecture),
            model.embedding,
            model.layers * model.layer_embedding,
        ),
        multiplied=model.multiplied,
        expert_weights=model.expert_weights,
        source=model.source,
    )


def _matrices(model: ModelFact, facts: Facts) -> tuple[Matrices, ...]:
    """Return the matrices of each layer, from their dimensions and the quantisation.

    A K_M has more bits in some layers, for the values and for the way back. Source: use_more_bits,
    src/llama-quant.cpp of llama.cpp@0c1e570.
    """
    entry = next(e for e in facts.quantisations if e.name == model.quantisation)
    layers, eighth = model.layers, model.layers // 8
    plain, more = (_layer_matrices(model, facts, entry.embedding, best) for best in
                   (entry.embedding, entry.output))  # fmt: skip
    if not model.quantisation.endswith("_K_M"):
        return (plain,) * layers
    better = (
        i < eighth or i >= 7 * layers // 8 or (i - eighth) % 3 == MORE_BITS for i in range(layers)
    )
    return tuple(more if yes else plain for yes in better)


def _layer_matrices(model: ModelFact, facts: Facts, kind: str, best: str) -> Matrices:
    wide, query = model.embedding, model.heads * model.key_length
    count = max(1, model.experts)

    def size(width: int, rows: int, kind: str = kind) -> int:
        return facts.row_bytes(kind, width) * rows

    shared = model.shared_feed_forward
    # MXFP4 is the type of experts alone.
    many, last = ("MXFP4",) * 2 if model.quantisation == "MXFP4" else (kind, best)
    return Matrices(
        query=size(wide, query),
        key=size(wide, model.kv_heads * model.key_length),
        value=size(wide, model.kv_heads * model.value_length, best),
        output=size(model.heads * model.value_length, wide),
        router=4 * wide * model.experts,
        gate=size(wide, model.feed_forward, many) * count if model.gated else 0,
        up=size(wide, model.feed_forward, many) * count,
        down=size(model.feed_forward, wide, last) * count,
        shared_up=size(wide, shared),
        shared_down=size(shared, wide, best) if shared else 0,
    )


def _spread(total: int, model: ModelFact, matrices: Sequence[Matrices]) -> tuple[int, ...]:
    """Return the bytes of each layer: fewer where the first have no experts, more of a K_M in some.

    Evenly where all are alike.
    """
    total_of = {each: each.total for each in set(matrices)}
    parts = [total_of[each] * part for each, part in zip(matrices, _parts(model), strict=True)]
    if len(set(parts)) == 1:
        return evenly(total, model.layers)
    ends = [total * done // sum(parts) for done in accumulate(parts, initial=0)]
    return tuple(end - start for start, end in pairwise(ends))


def _sparse(model: ModelFact) -> tuple[bool, ...]:
    """Return of each layer whether it has experts.

    They are behind the dense ones, in every n-th, or only in those that neither attend nor keep a
    state, where there are such.
    """
    every, kinds = model.sparse_every, kinds_of(model)
    alone = NEITHER in kinds
    return tuple(
        layer >= model.dense_layers
        and layer % every == every - 1
        and not (alone and kinds[layer] != NEITHER)
        for layer in range(model.layers)
    )


def _parts(model: ModelFact) -> tuple[int, ...]:
    """Return how many weights each layer has, in proportion."""
    sparse = _sparse(model)
    count = sum(sparse)
    if not model.experts or not count or count == model.layers:
        return (1,) * model.layers
    matrix = (3 if model.gated else 2) * model.embedding
    shared, dense = matrix * model.shared_feed_forward, matrix * model.dense_feed_forward
    alone = NEITHER in kinds_of(model)
    rest = model.multiplied - count * shared - (model.layers - count) * dense
    attention = rest // (model.layers - count * alone)
    wide = model.expert_weights // count + shared + (0 if alone else attention)
    return tuple(wide if yes else attention + dense for yes in sparse)


def _experts(model: ModelFact, layers: tuple[int, ...], facts: Facts) -> tuple[int, ...]:
    """Return the bytes of the experts in each layer; empty: there are none.

    MXFP4 is the type of experts alone; otherwise they count by their share of the weights.
    """
    if not model.experts:
        return ()
    sparse = [size if yes else 0 for yes, size in zip(_sparse(model), layers, strict=True)]
    if model.quantisation == "MXFP4":
        width = (3 if model.gated else 2) * model.experts * model.feed_forward
        most = facts.row_bytes("MXFP4", model.embedding) * width
        return tuple(min(most, size) for size in sparse)
    whole = sum(layers) * model.expert_weights // (model.expert_weights + model.multiplied)
    room = sum(sparse)
    return tuple(size * min(whole, room) // room for size in sparse)


def _ends(model: ModelFact, facts: Facts) -> tuple[int, int]:
    """Return the bytes of token embedding and output."""
    entry = next(e for e in facts.quantisations if e.name == model.quantisation)
    output = model.outputs.get(entry.name, entry.output)
    kind = output if model.tied else entry.embedding
    row = facts.row_bytes(kind, model.embedding)
    last = facts.row_bytes(output, model.embedding)
    return row * model.vocabulary, last * model.vocabulary


def evenly(total: int, parts: int) -> tuple[int, ...]:
    """Return `total` in `parts`, the larger ones first."""
    share, more = divmod(total, parts)
    return (share + 1,) * more + (share,) * (parts - more)
