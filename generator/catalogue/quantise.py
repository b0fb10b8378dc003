"""How large a model is at a quantisation: the types that llama-quantize gives its tensors.

A quantisation is a mixture: the output, the values of attention and some layers get more bits than
the rest, and rows that are no multiple of a block another type. The rules are those of
llama_tensor_get_type_impl and tensor_type_fallback in src/llama-quant.cpp of llama.cpp@0c1e570,
without an importance matrix.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from generator.catalogue.tensors import tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from generator.catalogue.models import ModelFact
    from generator.catalogue.tensors import Anatomy, Tensor

_ALONE: Final = (
    *("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q6_K", "TQ1_0", "TQ2_0"),
    *(
        "Q1_0",
        "Q2_0",
        "IQ4_NL",
        "IQ4_XS",
        "IQ1_S",
        "IQ1_M",
        "IQ2_XXS",
        "IQ2_XS",
        "IQ3_XXS",
        "IQ3_S",
    ),
)
# The type of most weights. Source: llama_ftype_get_default_type of the same file.
MAIN: Final[Mapping[str, str]] = {
    **{name: name for name in _ALONE},
    **dict.fromkeys(("Q2_K", "Q2_K_S"), "Q2_K"),
    **dict.fromkeys(("Q3_K_S", "Q3_K_M", "Q3_K_L"), "Q3_K"),
    **dict.fromkeys(("Q4_K_S", "Q4_K_M"), "Q4_K"),
    **dict.fromkeys(("Q5_K_S", "Q5_K_M"), "Q5_K"),
    "IQ2_S": "IQ2_XS",
    "IQ2_M": "IQ2_S",
    "IQ3_XS": "IQ3_S",
    "IQ3_M": "IQ3_S",
    "MXFP4_MOE": "MXFP4",
}
_PLAIN: Final = frozenset({"F32", "F16", "BF16"})
_FOUR_BITS: Final = frozenset({"Q4_K_S", "Q4_K_M"})
# Below two and a half bits: the mixtures that protect more, and of these the larger ones.
_FEW: Final = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M"})
_FEW_BETTER: Final = frozenset({"IQ2_S", "IQ2_M"})
# Which mixtures give attention's output of eight experts more bits.
_PROTECTED: Final = frozenset(
    {
        *("Q2_K", "IQ3_XS", "IQ3_XXS", "Q3_K_S", "Q3_K_M", "IQ4_NL", "Q4_K_S", "Q4_K_M"),
        *("IQ3_S", "IQ3_M", "IQ4_XS"),
    }
)
# So many experts are treated in a way of their own: those of Mixtral.
_MIXTRAL: Final = 8
# So many heads that share their values make these small, and worth more bits.
_SHARED: Final = 4
# Models of so many layers are the 70B of their kind.
_LAYERS_OF_70B: Final = 80
_FIRST: Final = (2, 4)  # values of attention that get more bits at Q3_K_M and Q4_K_S
_MATRIX: Final = 2  # dimensions
_NEVER: Final = (
    *("_norm.weight", "ffn_gate_inp.weight", "altup", "laurel", "per_layer_model_proj"),
    *("ssm_conv1d", "shortconv.conv.weight", "attn_rel_b.weight", "position_embd", "token_types"),
)
# Of these, what a conversion leaves at f16.
_HALF: Final = ("altup_proj", "altup_unembd", "altup_router.", "laurel_l", "laurel_r", "per_layer")
_CATEGORIES: Final = (
    *(("attn_qkv.weight", "value"), ("attn_kv_b.weight", "value"), ("attn_v.weight", "value")),
    *(("attn_k.weight", "key"), ("attn_q.weight", "query"), ("attn_output.weight", "output")),
    *(("ffn_up", "up"), ("ffn_gate", "up"), ("ffn_down", "down")),
)
_OUTPUT: Final = ("output.weight",)
_EXPERTS: Final = "_exps."
_EMBEDDINGS: Final = ("token_embd.weight", "per_layer_token_embd.weight")


def derived(
    model: ModelFact,
    anatomy: Anatomy,
    blocks: Mapping[str, tuple[int, int]],
    fallback: Mapping[str, str],
) -> dict[str, Any]:
    """Return what follows from the tensors of a model: bytes by quantisation, and its weights.

    `multiplied` are those of the layers that every token is multiplied with, `expert_weights` those
    of all experts.
    """
    found = list(tensors(model, anatomy))
    body = Body(model, found)
    sizes = {name: Mixture(body, anatomy, name, blocks, fallback).size for name in MAIN}
    made = {name: size for name, size in sizes.items() if size}
    layers = [one for one in found if one.name.startswith("blk.") and len(one.dimensions) > 1]
    every = sum(tensor.elements for tensor in layers)
    experts = sum(tensor.elements for tensor in layers if _EXPERTS in tensor.name)
    return {
        "derived": made,
        "parameters": body.parameters,
        "multiplied": every - experts,
        "expert_weights": experts,
    }


class Body:
    """The tensors of a model, those together that no mixture tells apart.

    `alike` has one of them, how many of its part stand before it, and how many there are.
    """

    def __init__(self, model: ModelFact, found: Iterable[Tensor]) -> None:
        self.model = model
        whole = list(found)
        self.parameters = sum(tensor.elements for tensor in whole)
        self.tied = all(tensor.name not in _OUTPUT for tensor in whole)
        self.values = sum(category(tensor.name) == "value" for tensor in whole)
        alike: dict[tuple[object, ...], tuple[Tensor, int, int]] = {}
        seen: Counter[str] = Counter()
        for tensor in whole:
            kind = self._kind(tensor)
            key = (*self._place(tensor, seen[kind]), tensor.dimensions)
            first, before, times = alike.get(key, (tensor, seen[kind], 0))
            alike[key] = (first, before, times + 1)
            seen[kind] += 1
        self.alike = tuple(alike.values())

    def _kind(self, tensor: Tensor) -> str:
        """Return what a tensor is counted with: gates and what they gate are counted apart."""
        kind = category(tensor.name) if quantised(tensor) else ""
        return "gate" if kind == "up" and "ffn_gate" in tensor.name else kind

    def _place(self, tensor: Tensor, seen: int) -> tuple[object, ...]:
        """Return what a mixture may ask of a tensor beside its dimensions."""
        block, _, name = tensor.name.partition(".")
        if block != "blk":
            return (tensor.name,)
        name = name.partition(".")[2]
        if category(tensor.name) == "value":
            return (name, *(seen < first for first in _FIRST), more_bits(seen, self.values))
        return (name, *self._ends(_layer(tensor.name)), *self._ends(seen))

    def _ends(self, layer: int) -> tuple[bool, ...]:
        layers = self.model.layers
        ends = layer < layers // 16, layer < layers // 8, layer >= 7 * layers // 8
        return (*ends, more_bits(layer, layers))


class Mixture:
    """One quantisation of one model: the type of each tensor, and the bytes of all."""

    def __init__(
        self,
        body: Body,
        anatomy: Anatomy,
        name: str,
        blocks: Mapping[str, tuple[int, int]],
        fallback: Mapping[str, str],
    ) -> None:
        self.body, self.name, self.main = body, name, MAIN[name]
        self.model = model = body.model
        self.blocks, self.fallback = blocks, fallback
        self.kept = {**anatomy.kept, **(anatomy.kept_at_four if name in _FOUR_BITS else {})}
        self.mixtral = model.experts == _MIXTRAL
        self.falcon = model.architecture == "falcon"
        self.shared = model.kv_heads > 0 and model.heads // model.kv_heads >= _SHARED
        of_70b = model.layers == _LAYERS_OF_70B and model.heads != model.kv_heads
        self.of_70b = of_70b and model.architecture in {"llama", "qwen2"}

    @property
    def size(self) -> int:
        """The bytes of all tensors; 0: there is no type for the rows of one."""
        types = [self.type(tensor, seen) for tensor, seen, _ in self.body.alike]
        if not all(types):
            return 0
        each = zip(self.body.alike, types, strict=True)
        return sum(times * self._bytes(tensor, kind) for (tensor, _, times), kind in each)

    def _bytes(self, tensor: Tensor, kind: str) -> int:
        size, weights = self.blocks[kind]
        return tensor.elements // weights * size

    def type(self, tensor: Tensor, seen: int) -> str:
        """Return the type of a tensor, before which so many of its part were `seen`.

        Empty: llama-quantize refuses the model.
        """
        if not quantised(tensor):
            return "F16" if any(part in tensor.name for part in _HALF) else "F32"
        if self.main in _PLAIN:
            return self.main
        kept = self.kept.get(tensor.name.split(".")[-2])
        return self._whole(tensor, kept or self._chosen(tensor, seen))

    def _whole(self, tensor: Tensor, kind: str) -> str:
        """Return a type whose blocks the rows of a tensor are a multiple of."""
        row = tensor.dimensions[0]
        if row % self.blocks[kind][1]:
            if kind not in self.fallback:
                return ""
            kind = self.fallback[kind]
        return kind if row % self.blocks[kind][1] == 0 else "F16"

    def _chosen(self, tensor: Tensor, seen: int) -> str:
        if tensor.name in _OUTPUT or (self.body.tied and tensor.name in _EMBEDDINGS):
            return self._output(tensor)
        if self.name == "MXFP4_MOE":
            return "MXFP4" if len(tensor.dimensions) > _MATRIX else "Q8_0"
        if tensor.name in _EMBEDDINGS:
            return _EMBEDDING.get(self.name, self.main)
        part = category(tensor.name)
        if self.name in _FEW:
            return self._of_few(part, seen)
        # Without experts it is counted how many there were, not in which layer.
        in_layer = part in {"down", "up"} and self.model.experts > 1
        layer = _layer(tensor.name) if in_layer else seen
        ways: Mapping[str, Callable[[], str]] = {
            "value": lambda: self._value(seen),
            "key": self._key,
            "query": lambda: _QUERY.get(self.name, self.main),
            "down": lambda: self._down(layer),
            "output": self._attention_output,
            "up": lambda: self._up(layer),
        }
        return ways[part]() if part in ways else self.main

    def _output(self, tensor: Tensor) -> str:
        odd = tensor.dimensions[0] % self.blocks[self.main][1]
        if self.name == "MXFP4_MOE" or odd or self.falcon:
            return "Q8_0"
        if self.name in {*_FEW, "IQ3_XXS"}:
            return "Q5_K"
        return self.main if self.main == "Q8_0" else "Q6_K"

    def _of_few(self, part: str, layer: int) -> str:
        better = self.name in _FEW_BETTER
        more = "IQ3_S" if better else "Q2_K"
        if part == "value":
            return "Q4_K" if self.shared or self.model.experts >= _SHARED else more
        if part == "down":
            return more if layer < self.model.layers // 8 else self.main
        if part == "key" and self.mixtral:
            return "Q4_K"
        if part != "output":
            return self.main
        least = "IQ2_XXS" if self.name in {"IQ1_S", "IQ1_M"} else self.main
        return "Q5_K" if self.mixtral else "IQ3_S" if better else least

    def _value(self, seen: int) -> str:
        kind = _SHARED_VALUE.get(self.name, "") if self.shared else ""
        kind = kind or self._plain_value(seen)
        if self.of_70b and kind in {"Q3_K", "Q4_K"}:
            kind = "Q5_K"
        return "Q8_0" if self.mixtral else kind

    def _plain_value(self, seen: int) -> str:
        two, four = _FIRST
        more = more_bits(seen, self.body.values)
        named = {
            "Q2_K": "Q3_K",
            "IQ3_XXS": "IQ3_S",
            "IQ3_M": "Q4_K",
            "Q3_K_L": "Q5_K",
            "Q3_K_M": "Q5_K" if seen < two else "Q4_K",
            "Q4_K_S": "Q5_K" if seen < four else self.main,
            **dict.fromkeys(("Q4_K_M", "Q5_K_M"), "Q6_K" if more else self.main),
        }
        return named.get(self.name, self.main)

    def _key(self) -> str:
        return "Q8_0" if self.mixtral else _QUERY.get(self.name, self.main)

    def _up(self, layer: int) -> str:
        middle = self.model.layers // 8 <= layer < 7 * self.model.layers // 8
        return "IQ3_XXS" if self.name == "IQ3_XS" and middle else self.main

    def _down(self, layer: int) -> str:
        layers, main = self.model.layers, self.main
        first, early, more = layer < layers // 16, layer < layers // 8, more_bits(layer, layers)
        named = {
            "Q2_K": "Q3_K",
            "Q2_K_S": "Q4_K" if early else main,
            "IQ3_XXS": "Q4_K" if early else "Q3_K",
            "IQ3_M": "Q4_K" if early or (self.mixtral and more) else main,
            "Q3_K_M": "Q5_K" if first else "Q4_K",
            "Q3_K_L": "Q5_K",
            "Q4_K_S": "Q5_K" if early else main,
            **dict.fromkeys(("Q4_K_M", "Q5_K_M"), "Q6_K" if more else main),
            **dict.fromkeys(("IQ4_NL", "IQ4_XS"), "Q5_K" if early else main),
        }
        falcon = {
            "Q3_K_M": "Q5_K" if first else "Q4_K" if more else main,
            "Q3_K_L": "Q4_K",
            "Q4_K_S": main,
            "Q4_K_M": "Q6_K" if first else "Q5_K" if more else main,
        }
        return (named | falcon if self.falcon else named).get(self.name, main)

    def _attention_output(self) -> str:
        if self.falcon:
            return "Q4_K" if self.name == "Q3_K_L" else self.main
        if self.mixtral:
            return "Q5_K" if self.name in _PROTECTED else self.main
        return _ATTENTION_OUTPUT.get(self.name, self.main)


# What differs from the type of most weights, where nothing else is asked.
_EMBEDDING: Final[Mapping[str, str]] = {
    **dict.fromkeys(("IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ1_M"), "Q2_K"),
    **dict.fromkeys(("IQ2_S", "IQ2_M", "IQ3_XXS"), "IQ3_S"),
    **dict.fromkeys(("TQ1_0", "TQ2_0", "Q2_0"), "Q4_K"),
}
_QUERY: Final[Mapping[str, str]] = {"IQ3_XS": "IQ3_XXS", "IQ3_XXS": "IQ2_S"}
_SHARED_VALUE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("Q2_K", "Q2_K_S", "IQ3_XXS", "IQ3_XS", "IQ3_S"), "Q4_K"),
    **dict.fromkeys(("IQ4_NL", "IQ4_XS"), "Q5_K"),
}
_ATTENTION_OUTPUT: Final[Mapping[str, str]] = {
    "Q2_K": "Q3_K",
    "IQ3_XXS": "IQ3_S",
    "IQ3_M": "Q4_K",
    "Q3_K_M": "Q4_K",
    "Q3_K_L": "Q5_K",
}


def quantised(tensor: Tensor) -> bool:
    """Return whether llama-quantize quantises a tensor; the others stay as converted."""
    return len(tensor.dimensions) >= _MATRIX and _may_be(tensor.name)


@cache
def _may_be(name: str) -> bool:
    """Return whether a matrix of that name is quantised. Each mixture asks about each tensor."""
    return name.endswith("weight") and not any(part in name for part in _NEVER)


@cache
def category(name: str) -> str:
    """Return the part that a tensor of a layer plays; empty: none that a mixture minds."""
    return next((part for text, part in _CATEGORIES if text in name), "")


def more_bits(layer: int, layers: int) -> bool:
    """Return whether a layer gets more bits: the first and last eighth, and each third between."""
    eighth = layers // 8
    last_of_three = (layer - eighth + 1) % 3 == 0
    return layer < eighth or layer >= 7 * layers // 8 or last_of_three


def _layer(name: str) -> int:
    return int(name.split(".")[1])
