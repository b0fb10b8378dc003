"""The tensors of a model, from its shape: what a GGUF file of it has, and so how large it is.

Which tensors the layers of an architecture have is data (`data/tensors.toml`); their dimensions
follow from the shape of the model, as in src/models of llama.cpp.
"""

from __future__ import annotations

import math
from dataclasses import field
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from generator.catalogue.models import ModelFact

ATTENTION: Final = "AW"
RECURRENT: Final = "R"


class Tensor(NamedTuple):
    """A tensor: its name in the file, and its dimensions, that of a row first."""

    name: str
    dimensions: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many weights it has."""
        return math.prod(self.dimensions)


@dataclass(frozen=True, kw_only=True, eq=False)
class Anatomy:
    """Which tensors the models of some architectures have.

    Those of every layer, of one that attends, of one with a state, of a dense feed-forward part
    and of one with experts; and those that are no layer's, beside token embedding and output. A
    name stands for its weight, unless it ends in `.bias`; `NAME*2` has twice the rows. `single`:
    a layer is one part alone, attention, state or feed-forward. Files of the library have the
    types in `kept` whatever the quantisation, those in `kept_at_four` at Q4_K_S and Q4_K_M.
    """

    architectures: tuple[str, ...]
    layer: tuple[str, ...] = ("attn_norm", "ffn_norm")
    attention: tuple[str, ...] = ("attn_q", "attn_k", "attn_v", "attn_output")
    recurrent: tuple[str, ...] = ()
    dense: tuple[str, ...] = ("ffn_gate", "ffn_up", "ffn_down")
    sparse: tuple[str, ...] = ("ffn_gate_inp", "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps")
    ends: tuple[str, ...] = ("output_norm",)
    single: bool = False
    kept: dict[str, str] = field(default_factory=dict)
    kept_at_four: dict[str, str] = field(default_factory=dict)
    source: str


class _Layer(NamedTuple):
    """One layer of a model: `kind` is a letter of its pattern."""

    model: ModelFact
    kind: str
    dense: bool
    own: bool = True

    @property
    def heads(self) -> int:
        local = self.model.window_heads if self.kind == "W" else 0
        return local or self.model.heads

    @property
    def kv_heads(self) -> int:
        local = self.model.window_kv_heads if self.kind == "W" else 0
        return local or self.model.kv_heads

    @property
    def key(self) -> int:
        local = self.model.window_key_length if self.kind == "W" else 0
        return local or self.model.key_length

    @property
    def value(self) -> int:
        local = self.model.window_value_length if self.kind == "W" else 0
        return local or self.model.value_length

    @property
    def own_values(self) -> bool:
        """Whether it has values of its own: not those of another layer, nor its keys."""
        return self.own and not (self.model.keys_as_values and self.kind == "A")

    @property
    def wide(self) -> int:
        """The width of a dense feed-forward part."""
        if not self.own and self.model.shared_kv_feed_forward:
            return self.model.shared_kv_feed_forward
        return self.model.dense_feed_forward or self.model.feed_forward


def _of_model(layer: _Layer) -> tuple[int, ...]:
    return (layer.model.embedding,)


_VECTORS: Final = (
    *("attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm", "output_norm"),
    *("attn_output_norm", "layer_output_norm", "token_embd_norm", "post_ffw_norm_1"),
    *("post_ffw_norm_2", "pre_ffw_norm_2", "ffn_gate_inp_shexp", "altup_router_norm"),
    *("altup_correct_scale", "laurel_post_norm", "attn_norm_2"),
)
_DIMENSIONS: Final[Mapping[str, Callable[[_Layer], tuple[int, ...]]]] = {
    **dict.fromkeys(_VECTORS, _of_model),
    "attn_q": lambda o: (o.model.embedding, o.heads * o.key),
    "attn_k": lambda o: (o.model.embedding, o.kv_heads * o.key),
    "attn_v": lambda o: (o.model.embedding, o.kv_heads * o.value),
    "attn_qkv": lambda o: (
        o.model.embedding,
        o.heads * o.key + o.kv_heads * (o.key + o.value),
    ),
    "attn_output": lambda o: (o.heads * o.value, o.model.embedding),
    "attn_gate": lambda o: (o.model.embedding, o.heads * o.key),
    "attn_gate_heads": lambda o: (o.model.embedding, o.heads),
    "attn_q_norm": lambda o: (o.key,),
    "attn_k_norm": lambda o: (o.key,),
    "attn_q_norm_heads": lambda o: (o.heads * o.key,),
    "attn_k_norm_heads": lambda o: (o.kv_heads * o.key,),
    "attn_sinks": lambda o: (o.model.heads,),
    "attn_own_k": lambda o: (o.model.embedding, o.own * o.kv_heads * o.key),
    "attn_own_k_norm": lambda o: (o.own * o.key,),
    "attn_own_v": lambda o: (o.model.embedding, o.own_values * o.kv_heads * o.value),
    # Attention with a compressed cache (MLA).
    "attn_q_direct": lambda o: (
        o.model.embedding,
        0 if o.model.q_lora_rank else o.heads * o.key,
    ),
    "attn_q_a": lambda o: (o.model.embedding, o.model.q_lora_rank),
    "attn_q_a_norm": lambda o: (o.model.q_lora_rank,),
    "attn_q_b": lambda o: (o.model.q_lora_rank, o.heads * o.key),
    "attn_kv_a_mqa": lambda o: (o.model.embedding, o.model.kv_lora_rank + o.model.rope_dimension),
    "attn_kv_a_norm": lambda o: (o.model.kv_lora_rank,),
    "attn_kv_b": lambda o: (
        o.model.kv_lora_rank,
        o.model.heads * (o.key - o.model.rope_dimension + o.value),
    ),
    "attn_k_b": lambda o: (o.key - o.model.rope_dimension, o.model.kv_lora_rank, o.model.heads),
    "attn_v_b": lambda o: (o.model.kv_lora_rank, o.value, o.model.heads),
    # Layers with a state.
    "ssm_in": lambda o: (
        o.model.embedding,
        2 * o.model.ssm_inner_size + _grouped(o.model) + o.model.ssm_time_step_rank,
    ),
    "ssm_qkv": lambda o: (o.model.embedding, o.model.ssm_inner_size + _grouped(o.model)),
    "ssm_gate": lambda o: (o.model.embedding, o.model.ssm_inner_size),
    "ssm_conv1d": lambda o: (o.model.ssm_conv_kernel, o.model.ssm_inner_size + _grouped(o.model)),
    "ssm_dt": lambda o: (1, o.model.ssm_time_step_rank),
    "ssm_a": lambda o: (o.model.ssm_time_step_rank,),
    "ssm_d": lambda o: (o.model.ssm_time_step_rank,),
    "ssm_beta": lambda o: (o.model.embedding, o.model.ssm_time_step_rank),
    "ssm_alpha": lambda o: (o.model.embedding, o.model.ssm_time_step_rank),
    "ssm_ba": lambda o: (o.model.embedding, 2 * o.model.ssm_time_step_rank),
    "ssm_norm": lambda o: (o.model.ssm_state_size,),
    "ssm_inner_norm": lambda o: (o.model.ssm_inner_size,),
    "ssm_out": lambda o: (o.model.ssm_inner_size, o.model.embedding),
    "shortconv.conv": lambda o: (o.model.shortconv_l_cache, o.model.embedding),
    "shortconv.in_proj": lambda o: (o.model.embedding, 3 * o.model.embedding),
    "shortconv.out_proj": lambda o: (o.model.embedding, o.model.embedding),
    # Feed-forward parts.
    "ffn_gate": lambda o: (o.model.embedding, o.wide),
    "ffn_up": lambda o: (o.model.embedding, o.wide),
    "ffn_down": lambda o: (o.wide, o.model.embedding),
    "ffn_gate_inp": lambda o: (o.model.embedding, o.model.experts),
    "ffn_gate_exps": lambda o: (_routed(o.model), o.model.feed_forward, o.model.experts),
    "ffn_up_exps": lambda o: (_routed(o.model), o.model.feed_forward, o.model.experts),
    "ffn_gate_up_exps": lambda o: (_routed(o.model), 2 * o.model.feed_forward, o.model.experts),
    "ffn_down_exps": lambda o: (o.model.feed_forward, _routed(o.model), o.model.experts),
    "ffn_gate_shexp": lambda o: (o.model.embedding, o.model.shared_feed_forward),
    "ffn_up_shexp": lambda o: (o.model.embedding, o.model.shared_feed_forward),
    "ffn_down_shexp": lambda o: (o.model.shared_feed_forward, o.model.embedding),
    "exp_probs_b": lambda o: (1, o.model.experts),
    "ffn_latent_down": lambda o: (o.model.embedding, o.model.moe_latent_size),
    "ffn_latent_up": lambda o: (o.model.moe_latent_size, o.model.embedding),
    # An embedding for each layer, and what gemma3n has besides.
    "inp_gate": lambda o: (o.model.embedding, o.model.layer_embedding),
    "proj": lambda o: (o.model.layer_embedding, o.model.embedding),
    "layer_post_norm": lambda o: (o.model.embedding if o.model.layer_embedding else 0,),
    "layer_output_scale": lambda _: (1,),
    "per_layer_token_embd": lambda o: (
        o.model.layer_embedding * o.model.layers,
        o.model.vocabulary,
    ),
    "per_layer_model_proj": lambda o: (
        o.model.embedding,
        o.model.layer_embedding * o.model.layers,
    ),
    "per_layer_proj_norm": lambda o: (o.model.layer_embedding,),
    "altup_proj": lambda o: (o.model.embedding, o.model.embedding, _ALTUP - 1),
    "altup_unembd_proj": lambda o: (o.model.embedding, o.model.embedding, _ALTUP - 1),
    "altup_correct_coef": lambda _: (_ALTUP, _ALTUP),
    "altup_predict_coef": lambda _: (_ALTUP, _ALTUP * _ALTUP),
    "altup_router": lambda o: (o.model.embedding, _ALTUP),
    "laurel_l": lambda o: (o.model.embedding, _LAUREL),
    "laurel_r": lambda o: (_LAUREL, o.model.embedding),
    # What models that embed text have before and behind the layers.
    "position_embd": lambda o: (o.model.embedding, o.model.context),
    "token_types": lambda o: (o.model.embedding, 2),
    "token_type": lambda o: (o.model.embedding, 1),
    "output": lambda o: (o.model.embedding, o.model.vocabulary),
    "dense_2": lambda o: (o.model.embedding, 4 * o.model.embedding),
    "dense_3": lambda o: (4 * o.model.embedding, o.model.embedding),
}
# Of gemma3n: how many streams it has, and the rank of its residual.
_ALTUP: Final = 4
_LAUREL: Final = 64
# Names of the file, where one name of it has several forms.
_NAMES: Final = {
    "attn_own_k": "attn_k",
    "attn_own_k_norm": "attn_k_norm",
    "attn_own_v": "attn_v",
    "attn_q_direct": "attn_q",
    "layer_post_norm": "post_norm",
    "attn_q_norm_heads": "attn_q_norm",
    "attn_k_norm_heads": "attn_k_norm",
    "attn_gate_heads": "attn_gate",
    "ssm_qkv": "attn_qkv",
    "ssm_gate": "attn_gate",
    "ssm_inner_norm": "ssm_norm",
    "token_type": "token_types",
}
_BARE: Final = frozenset({"ssm_a", "ssm_d"})


def _grouped(model: ModelFact) -> int:
    """Return the width of what the groups of a state are keyed and queried by, together."""
    return 2 * model.ssm_group_count * model.ssm_state_size


def _routed(model: ModelFact) -> int:
    """Return the width that experts read."""
    return model.moe_latent_size or model.embedding


def tensors(model: ModelFact, anatomy: Anatomy) -> Iterator[Tensor]:
    """Yield every tensor of a model, in the order of its layers, without the vision tower."""
    whole = _Layer(model, "A", dense=True)
    yield Tensor("token_embd.weight", (model.embedding, model.vocabulary))
    ends = (_tensor("", name, whole) for name in anatomy.ends)
    yield from (tensor for tensor in ends if tensor.elements)
    if not model.tied:
        yield Tensor("output.weight", (model.embedding, model.vocabulary))
    for index, kind in enumerate(kinds(model)):
        dense = not (model.experts and _sparse(model, index))
        layer = _Layer(model, kind, dense, own=index < model.layers - model.shared_kv_layers)
        made = (_tensor(f"blk.{index}.", name, layer) for name in _names(layer, anatomy))
        yield from (tensor for tensor in made if tensor.elements)


def kinds(model: ModelFact) -> str:
    """Return a letter for each layer, as `pattern` of a model has them, repeated."""
    pattern = model.pattern or ATTENTION[0]
    if model.window_every and not model.pattern:
        pattern = "W" * (model.window_every - 1) + "A"
    return (pattern * -(-model.layers // len(pattern)))[: model.layers]


def _sparse(model: ModelFact, index: int) -> bool:
    """Return whether a layer has experts: each behind the dense ones, or every n-th."""
    return index >= model.dense_layers and index % model.sparse_every == model.sparse_every - 1


def _names(layer: _Layer, anatomy: Anatomy) -> Iterator[str]:
    yield from anatomy.layer
    if layer.kind in ATTENTION:
        yield from anatomy.attention
    elif layer.kind == RECURRENT:
        yield from anatomy.recurrent
    if not anatomy.single or layer.kind not in ATTENTION + RECURRENT:
        yield from anatomy.dense if layer.dense else anatomy.sparse


def _tensor(prefix: str, text: str, layer: _Layer) -> Tensor:
    name, _, times = text.partition("*")
    name, dot, end = name.removesuffix(".bias"), ".", "bias" if name.endswith(".bias") else "weight"
    dimensions = _DIMENSIONS[name](layer)
    if end == "bias":
        dimensions = dimensions[1:] or dimensions
    if times:
        dimensions = (*dimensions[:-1], dimensions[-1] * int(times))
    if name in _BARE:
        dot, end = "", ""
    return Tensor(f"{prefix}{_NAMES.get(name, name)}{dot}{end}", dimensions)
