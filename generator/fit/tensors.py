"""What the tensors of a model tell: sizes of its parts, and what each layer is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from math import prod
from typing import TYPE_CHECKING, Final

from generator.fit.shape import Matrices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.fit.header import Tensor

BLOCK: Final = re.compile(r"(?:enc\.|dec\.)?blk\.(\d+)\.(.+)")
# What embeds, and stays with the host whatever goes to GPUs.
# Source: LLM_TENSOR_LAYER_INPUT in src/llama-arch.cpp of llama.cpp@b10488.
INPUTS: Final = frozenset(
    {"token_embd", "per_layer_token_embd", "position_embd", "token_types", "token_embd_norm"}
)
# Vision and audio towers, and what projects their answers, where they are in the same file.
TOWERS: Final = ("v.", "mm.", "a.", "vision.", "audio.", "resampler.")
# What llama.cpp moves as one. Source: LAYER_FRACTION_MOE, common/fit.cpp of llama.cpp@08033df.
EXPERTS: Final = re.compile(r"ffn_(?:up|down|gate_up|gate)_(?:ch)?exps")
STATES: Final = ("ssm_", "shortconv.", "time_mix_", "attn_time_")
QUERIES: Final = ("attn_q", "attn_qkv", "attn_q_a", "attn_q_b")
KEYS: Final = ("attn_k", "attn_kv_b", "attn_kv_a_mqa")
VALUES: Final = ("attn_v", "attn_kv_b")
MOST_BLOCKS: Final = 10_000


class Parts:
    """The tensors of a model, sorted by where they are and what they do."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        self.blocks: dict[int, dict[str, Tensor]] = defaultdict(dict)
        self.inputs = self.outputs = self.projector = self.total = 0
        self.table = self.output_table = self.vocabulary = self.embedding = 0
        for tensor in {tensor.name: tensor for tensor in tensors}.values():
            self.total += tensor.size
            self._sort(tensor)
        self.layers = max(self.blocks, default=-1) + 1

    def _sort(self, tensor: Tensor) -> None:
        name = tensor.name
        match = BLOCK.fullmatch(name)
        if match and int(match[1]) < MOST_BLOCKS:
            self.blocks[int(match[1])][match[2].removesuffix(".weight")] = tensor
        elif name.partition(".")[0] in INPUTS:
            self.inputs += tensor.size
            if name == "token_embd.weight":
                self.table = tensor.size
                self.vocabulary = max(tensor.dimensions, default=0)
                self.embedding = tensor.dimensions[0] if tensor.dimensions else 0
        elif name.startswith(TOWERS):
            self.projector += tensor.size
        else:
            self.outputs += tensor.size
            if name == "output.weight":
                self.output_table = tensor.size

    def layer_bytes(self, layers: int, own: int) -> tuple[int, ...]:
        """Return the weights of each of so many layers; the last has those of layers beyond.

        Layers after the `own` ones, which predict further tokens, are not loaded. Source:
        `load_mtp` and TENSOR_SKIP in src/llama-model.cpp of llama.cpp@b10488.
        """
        told = {i: sum(t.size for t in block.values()) for i, block in self.blocks.items()}
        beyond = sum(size for layer, size in told.items() if layer >= layers)
        sizes = [told.get(i, 0) if i < own else 0 for i in range(layers)]
        sizes[own - 1] += beyond
        return tuple(sizes)

    def expert_bytes(self, layers: int) -> tuple[int, ...]:
        """Return what the experts of each layer have of its weights; empty: there are none."""
        sizes = [
            sum(t.size for n, t in self.blocks.get(i, {}).items() if EXPERTS.match(n))
            for i in range(layers)
        ]
        return tuple(sizes) if any(sizes) else ()

    def _weights(self, layers: int) -> Iterator[tuple[str, int]]:
        for layer in range(layers):
            for name, tensor in self.blocks.get(layer, {}).items():
                if len(tensor.dimensions) > 1:
                    yield name, prod(tensor.dimensions)

    def multiplied(self, layers: int) -> int:
        """Return how many weights of so many layers every token is multiplied with."""
        return sum(count for name, count in self._weights(layers) if not EXPERTS.match(name))

    def expert_weights(self, layers: int) -> int:
        """Return how many weights all experts of so many layers have."""
        return sum(count for name, count in self._weights(layers) if EXPERTS.match(name))

    def matrices(self, layers: int) -> tuple[Matrices, ...]:
        """Return the matrices of each layer, as a GPU would hold them while it uses them."""
        return tuple(_matrices(self.blocks.get(i, {})) for i in range(layers))

    @property
    def qk_norm(self) -> bool:
        """Whether each head of query and key is normed."""
        return any("attn_q_norm" in block for block in self.blocks.values())

    def _names(self, layer: int) -> Iterable[str]:
        return self.blocks.get(layer, {})

    def has_state(self, layer: int) -> bool:
        """Return whether a layer has the tensors of a recurrence, or none that are known."""
        return any(name.startswith(STATES) for name in self._names(layer))

    def attends(self, layers: int) -> bool:
        """Return whether any of so many layers has tensors that make queries or keys."""
        names = {name for layer in range(layers) for name in self._names(layer)}
        return not names.isdisjoint((*QUERIES, *KEYS))

    def only_state(self, layer: int) -> bool:
        """Return whether a layer has the tensors of a recurrence, and none that make keys."""
        return self.has_state(layer) and not any(n in KEYS for n in self._names(layer))

    def widths(self, embedding: int) -> tuple[int, int]:
        """Return the widest key and value of a token; the embedding, where no tensor tells."""
        key, value = (self._widest(names, 1) or embedding for names in (KEYS, VALUES))
        return key, value

    def _widest(self, names: Sequence[str], axis: int) -> int:
        found = (t for block in self.blocks.values() for n, t in block.items() if n in names)
        return max((t.dimensions[axis] for t in found if len(t.dimensions) > axis), default=0)

    @property
    def width(self) -> int:
        """The width of the feed-forward part, of one expert where there are experts."""
        return self._widest(("ffn_down_exps",), 0) or self._widest(("ffn_down",), 0)

    @property
    def dense_width(self) -> int:
        """The width of the feed-forward part of layers without experts."""
        return self._widest(("ffn_down",), 0)

    @property
    def shared_width(self) -> int:
        """The width of the shared experts, all together."""
        return self._widest(("ffn_down_shexp",), 0)

    @property
    def gated(self) -> bool:
        """Whether there are three matrices in the feed-forward part, or two that are fused."""
        names = {name for block in self.blocks.values() for name in block}
        if any(n.startswith("ffn_gate") and not n.startswith("ffn_gate_inp") for n in names):
            return True
        fused = self._widest(("ffn_up",), 1) > self._widest(("ffn_down",), 0) > 0
        return fused or not any(n.startswith("ffn_up") for n in names)


# Of each matrix its names; the first that a layer has counts.
PARTS: Final = {
    "query": ("attn_q", "attn_qkv", "attn_q_b"),
    "key": ("attn_k", "attn_k_b", "attn_kv_a_mqa"),
    "value": ("attn_v", "attn_v_b", "attn_kv_b"),
    "output": ("attn_output",),
    "router": ("ffn_gate_inp",),
    "gate": ("ffn_gate_exps", "ffn_gate"),
    "up": ("ffn_up_exps", "ffn_gate_up_exps", "ffn_up"),
    "down": ("ffn_down_exps", "ffn_down"),
    "shared_up": ("ffn_up_shexp",),
    "shared_down": ("ffn_down_shexp",),
}


def _matrices(block: Mapping[str, Tensor]) -> Matrices:
    sizes = {
        part: next((block[name].size for name in names if name in block), 0)
        for part, names in PARTS.items()
    }
    told = {name for names in PARTS.values() for name in names}
    other = max((t.size for n, t in block.items() if n not in told), default=0)
    recurrent = any(n.startswith(STATES) for n in block) and not any(n in KEYS for n in block)
    return Matrices(other=other, recurrent=recurrent, **sizes)


def main_type(tensors: Iterable[Tensor]) -> str:
    """Return the type that most weights have."""
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        sizes[tensor.kind] += tensor.size
    return max(sizes, key=lambda kind: sizes[kind], default="")
