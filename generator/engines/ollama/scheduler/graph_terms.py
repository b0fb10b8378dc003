"""The graph of each architecture that Ollama up to 0.24 has a formula for.

All are from GraphSize, fs/ggml/ggml.go@v0.24.0:664-828; a name there is a name here. Each returns
the bytes with some of the layers on GPUs, and with all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.fit.shape import Load, Shape

if TYPE_CHECKING:
    from typing import Self

Formula = Callable[[Shape, Load], tuple[int, int]]


class _Terms(NamedTuple):
    batch: int
    context: int
    embedding: int
    vocab: int
    heads: int
    heads_kv: int
    length: int
    length_k: int

    @classmethod
    def of(cls, shape: Shape, load: Load) -> Self:
        return cls(
            batch=min(load.batch, load.context),
            context=load.tokens,
            embedding=shape.embedding,
            vocab=shape.vocabulary,
            heads=shape.heads,
            heads_kv=max(1, *shape.kv_heads),
            length=shape.embedding // shape.heads,
            length_k=shape.key_length,
        )

    @property
    def scores(self) -> int:
        return self.context * (1 + self.heads)

    @property
    def logits(self) -> int:
        return 4 * self.batch * (self.embedding + self.vocab)

    @property
    def output(self) -> int:
        """The logits, and the output that is brought over for them."""
        return self.logits + self.embedding * self.vocab * 105 // 128


def _llama(shape: Shape, load: Load) -> tuple[int, int]:
    t = _Terms.of(shape, load)
    full = max(4 * t.batch * (1 + 4 * t.embedding + t.scores), t.logits)
    if shape.experts:
        return _mixtral(shape, t), full
    layer = 4 * t.batch * (1 + t.embedding + max(t.context, t.embedding))
    layer += t.embedding * t.embedding * 9 // 16
    layer += 4 * t.context * (t.batch * t.heads + t.length * t.heads_kv)
    return 4 * t.batch * t.embedding + max(layer, t.output), full


def _mixtral(shape: Shape, t: _Terms) -> int:
    keys, wide = t.length * t.heads_kv, 2 * shape.feed_forward
    experts = 3 * (shape.expert_bytes[0] // 3 if shape.expert_bytes else 0)
    return max(
        experts + 4 * t.batch * (wide + t.heads_kv + t.embedding + t.context + keys),
        4 * (t.context * t.batch * t.heads + t.context * keys + t.batch * 1024 + keys * t.batch),
    )


def _gemma(shape: Shape, load: Load) -> tuple[int, int]:
    t = _Terms.of(shape, load)
    query = 2 * t.length_k * t.heads
    full = max(t.logits, 4 * t.batch * (2 + t.scores + 2 * t.embedding + query))
    layer = 4 * t.batch * (2 * t.embedding + 1 + query + t.scores) + 32 * t.length_k * t.context
    layer += t.embedding * t.length_k * t.heads * 9 // 16
    return max(t.output, layer), full


def _gemma3n(shape: Shape, load: Load) -> tuple[int, int]:
    partial, full = _gemma(shape, load)
    return 4 * partial, 4 * full


def _command_r(shape: Shape, load: Load) -> tuple[int, int]:
    t = _Terms.of(shape, load)
    full = max(t.logits, 4 * t.batch * (2 + 4 * t.embedding + t.scores))
    layer = 4 * t.batch * (1 + 2 * t.embedding + t.scores) + 4 * t.embedding * t.context
    return max(t.output, layer + t.embedding * t.embedding * 9 // 16), full


def _qwen2(shape: Shape, load: Load) -> tuple[int, int]:
    t = _Terms.of(shape, load)
    layer = 4 * t.batch * (1 + 2 * t.embedding + t.scores)
    return max(t.output, layer + 4 * t.embedding * (1 + t.context)), max(t.logits, layer)


def _phi2(shape: Shape, load: Load) -> tuple[int, int]:
    t = _Terms.of(shape, load)
    full = max(t.logits, 4 * t.batch * (1 + 4 * t.embedding + t.scores))
    output = t.output + 4 * t.batch * t.embedding
    return max(output, 4 * t.batch * (2 + 3 * t.embedding + t.scores)), full


def _stablelm(shape: Shape, load: Load) -> tuple[int, int]:
    t = _Terms.of(shape, load)
    full = 4 * t.batch * (t.scores + 3 * t.embedding + 2)
    return max(4 * t.batch * (t.vocab + 2 * t.embedding), full), full


def _deepseek2(shape: Shape, load: Load) -> tuple[int, int]:
    t = _Terms.of(shape, load)
    keys, scores = t.length_k * t.heads_kv, t.context * (1 + t.heads_kv)
    logits = 4 * t.batch * (3 * t.embedding + t.vocab)
    full = max(logits, 4 * t.batch * (3 * t.embedding + 2 + scores + 2 * keys))
    layer = 4 * t.batch * (2 * t.embedding + 1 + 2 * keys + scores) + 4 * keys * t.context
    output = logits + t.embedding * t.vocab * 105 // 128
    return max(output, layer + t.embedding * keys * 9 // 16), full


def _chatglm(shape: Shape, load: Load) -> tuple[int, int]:
    t = _Terms.of(shape, load)
    query = t.length_k * t.heads
    bias = query + t.heads_kv * (t.length_k + shape.value_length)
    layer = 4 * t.batch * (1 + 2 * t.embedding + query + t.scores)
    partial = max(t.output, layer + 8 * t.length_k * t.context + 4 * bias)
    return partial, max(t.logits, layer + 4 * t.batch * (1 + bias))


FORMULAS: Final[dict[str, Formula]] = {
    "llama": _llama,
    "llama4": _llama,
    "gemma": _gemma,
    "gemma2": _gemma,
    "gemma3": _gemma,
    "gemma3n": _gemma3n,
    "command-r": _command_r,
    "qwen2": _qwen2,
    "phi2": _phi2,
    "stablelm": _stablelm,
    "deepseek2": _deepseek2,
    "chatglm": _chatglm,
}
