"""What memory follows from: the Shape of a model at one quantisation, and the Load it is under."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.models import ModelFact

DEFAULT_BATCH: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One model at one quantisation.

    `kv_heads` and `windows` have one entry for each layer; a window of 0 keeps the whole context.
    `feed_forward` is that of one expert where there are experts, `shared_feed_forward` that of the
    one which every token uses besides. `layer_bytes` are the weights of each layer, `input_bytes`
    the token embedding, `output_bytes` what computes the logits; a model whose output is `tied`
    uses the embedding for it, and a GPU gets a copy. `context` is what the model was trained for;
    0: unknown. `window_lengths` are key and value length where a layer has a window, if they
    differ; the last `uncached` layers use the cache of others. `window_unknown` is the width of
    windows that nothing else is known of: the cache is then an upper bound.
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
    window_lengths: tuple[int, int] | None = None
    uncached: int = 0
    window_unknown: int = 0
    source: str = ""

    @property
    def layers(self) -> int:
        """How many layers there are, without the output."""
        return len(self.layer_bytes)

    @property
    def tensor_bytes(self) -> int:
        """All tensors, as the file has them."""
        return sum(self.layer_bytes) + self.input_bytes + self.own_output_bytes

    @property
    def own_output_bytes(self) -> int:
        """What the output adds to the file: not the embedding, if it is tied to it."""
        return self.output_bytes - (self.input_bytes if self.tied else 0)

    @property
    def active_bytes(self) -> int:
        """What is read for one token: of the experts only those used."""
        layers = sum(self.layer_bytes)
        if self.experts:
            # Attention is a few percent of a layer with experts; it counts as one of them.
            layers = layers * (self.experts_used + 1) // (self.experts + 1)
        return layers + self.output_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the memory of a loaded model follows from, beside its Shape.

    `context` is for each of the `slots`; `batch` the tokens computed at once (llama.cpp's ubatch),
    `outputs` those of a batch that get logits: all (0), or one for each slot, as llama-server
    reserves since llama.cpp PR 23861.
    """

    context: int
    slots: int = 1
    cache_type: str = "f16"
    flash_attention: bool = True
    batch: int = DEFAULT_BATCH
    outputs: int = 0

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


def shape_of(model: ModelFact, facts: Facts) -> Shape:
    """Return the Shape of a model of the Catalogue at its `quantisation`, whose size is known.

    Weights that are not embedding or output are spread over the layers evenly, which they are but
    for a few tensors of higher precision.
    """
    inputs, outputs = _ends(model, facts)
    rest = model.weight_bytes - inputs - (0 if model.tied else outputs)
    return Shape(
        name=model.names[0],
        architecture=model.architecture,
        quantisation=model.quantisation,
        embedding=model.embedding,
        feed_forward=model.feed_forward,
        heads=model.heads,
        kv_heads=(model.kv_heads,) * model.layers,
        key_length=model.key_length,
        value_length=model.value_length,
        vocabulary=model.vocabulary,
        context=model.context,
        windows=windows_of(model.layers, model.window, model.window_every),
        layer_bytes=evenly(rest, model.layers),
        input_bytes=inputs,
        output_bytes=outputs,
        tied=model.tied,
        experts=model.experts,
        experts_used=model.experts_used,
        source=model.source,
    )


def _ends(model: ModelFact, facts: Facts) -> tuple[int, int]:
    """Return the bytes of token embedding and output."""
    entry = next(e for e in facts.quantisations if e.name == model.quantisation)
    kind = entry.output if model.tied else entry.embedding
    row = facts.row_bytes(kind, model.embedding)
    last = facts.row_bytes(entry.output, model.embedding)
    return row * model.vocabulary, last * model.vocabulary


def evenly(total: int, parts: int) -> tuple[int, ...]:
    """Return `total` in `parts`, the larger ones first."""
    share, more = divmod(total, parts)
    return (share + 1,) * more + (share,) * (parts - more)
