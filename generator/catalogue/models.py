"""What is known of models: the shapes that memory follows from, and names that do not exist."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Self

from pydantic import model_validator

from generator.catalogue.datafile import DataFile, listed, once
from generator.catalogue.tables import Bytes, Fact, Span, Text, When

if TYPE_CHECKING:
    from generator.units import Release

_QUANTISATION: Final = re.compile(r"i?q\d(?:_[0-9a-z]+)*|b?f16|fp16|f32")


class ModelFact(Fact):
    """A model. `ModelsFile.find` fills in the `quantisation` of one tag.

    `since` is the first release that loads it, where that is not its architecture's; `superseded`
    the model that took its place.
    """

    names: tuple[Text, ...]
    architecture: Text
    layers: int
    embedding: int
    feed_forward: int
    heads: int
    kv_heads: int
    key_length: int
    value_length: int
    vocabulary: int
    context: int
    tied: bool = False
    window: int = 0
    window_every: int = 0
    experts: int = 0
    experts_used: int = 0
    since: When | None = None
    superseded: str = ""
    quantisation: Text
    weights: dict[Text, Bytes]
    source: Text

    @property
    def weight_bytes(self) -> int:
        """The bytes of all tensors; 0: not known for this quantisation."""
        return self.weights.get(self.quantisation, 0)


class Quantisation(Fact):
    """A way to store weights; `loss` is the perplexity that it costs, None: not told."""

    name: Text
    embedding: Text
    output: Text
    loss: float | None = None
    advice: Text
    source: Text


class QuantisationsFile(DataFile):
    """`data/quantisations.toml`."""

    quantisation: tuple[Quantisation, ...]
    blocks: dict[Text, tuple[int, int]]
    fallback: dict[Text, Text]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        once(entry.name for entry in self.quantisation)
        types = [kind for entry in self.quantisation for kind in (entry.embedding, entry.output)]
        listed([*types, *self.fallback, *self.fallback.values()], self.blocks)
        return self

    def row_bytes(self, kind: str, width: int) -> int:
        """Return the bytes of one row of `width` weights of a type. Raises KeyError."""
        size, weights = self.blocks[kind]
        if width % weights:
            size, weights = self.blocks[self.fallback.get(kind, "F16")]
        return -(-width // weights) * size


class MissingModel(Fact):
    """A name that people write, though the library has no such model."""

    name: Text
    why: Text
    use: Text
    source: Text


class Architecture(Fact):
    """An architecture: which releases load it and how, and where its windows are.

    `since` is the first release that loads it, `engine` the first that has Ollama's own engine do
    it, `flash` the first that turns flash attention on by itself, `no_flash` the one from which on
    Ollama up to 0.24 never does, `quantised` the first that quantises its cache; None: not told.
    The others are what llama.cpp makes of a sliding window: every
    `window_every`-th layer keeps the whole context (0: all layers do), the first of them rather
    than the last if `window_first`; it is `window` tokens wide whatever the file says, and
    `window_default` where it says nothing; only models of `window_layers` layers have one; only
    the first `cached_layers` have a cache.
    """

    name: Text
    since: When | None = None
    engine: When | None = None
    flash: When | None = None
    no_flash: When | None = None
    quantised: When | None = None
    window_every: int | None = None
    window_first: bool = False
    window: int = 0
    window_default: int = 0
    window_layers: int = 0
    cached_layers: int = 0
    source: Text


class OneSlot(Span):
    """An architecture that gets one request slot; `names` are its models, without a tag."""

    architecture: Text
    names: tuple[Text, ...]
    source: Text


class ModelsFile(DataFile):
    """`data/models.toml`."""

    model: tuple[ModelFact, ...]
    missing: tuple[MissingModel, ...]
    architecture: tuple[Architecture, ...] = ()
    one_slot: tuple[OneSlot, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        names = [name for model in self.model for name in model.names]
        once([*names, *(missing.name for missing in self.missing)])
        once(name for entry in self.one_slot for name in entry.names)
        once(entry.name for entry in self.architecture)
        listed((model.superseded for model in self.model if model.superseded), names)
        for model in self.model:
            if model.quantisation not in model.weights:
                raise ValueError(f"`{model.names[0]}` has no weights for {model.quantisation}")
            if bool(model.window) != bool(model.window_every):
                raise ValueError(f"`{model.names[0]}` needs both window and window_every")
        return self

    def find(self, name: str) -> ModelFact | None:
        """Return the model of a tag, also with a quantisation at its end; None: not known."""
        tag = _tag(name)
        for model in self.model:
            if tag in model.names:
                return model
        found = (_quantised(model, tag) for model in self.model)
        return next((model for model in found if model is not None), None)

    def loads(self, architecture: str, release: Release) -> bool:
        """Return whether `release` loads models of that architecture, as far as is known."""
        entries = (entry for entry in self.architecture if entry.name == architecture)
        return all(entry.since is None or entry.since <= release for entry in entries)

    def closest(self, name: str) -> str | None:
        """Return the name that comes close to `name`; None: none does."""
        # `:latest` would make all names without a tag alike.
        names = [entry.removesuffix(":latest") for model in self.model for entry in model.names]
        close = get_close_matches(_tag(name).removesuffix(":latest"), names, n=1)
        return close[0] if close else None

    def missing_for(self, name: str) -> str | None:
        """Return why there is no model of that name and what to use; None: nothing known."""
        tag = _tag(name)
        for entry in self.missing:
            if tag == entry.name or tag.startswith(f"{entry.name}-"):
                return f"{entry.why}; use `{entry.use}`"
        return None

    def one_slot_for(self, name: str, release: Release) -> OneSlot | None:
        """Return why a model gets one slot in `release`; None: nothing says so."""
        family, _, tag = _tag(name).partition(":")
        if tag.endswith("cloud"):  # It runs elsewhere.
            return None
        entries = (entry for entry in self.one_slot if family in entry.names)
        return next((entry for entry in entries if entry.covers(release)), None)


def _tag(name: str) -> str:
    """Return a name of the library in its plain form: no registry, no capitals, with a tag."""
    plain = name.casefold().removeprefix("registry.ollama.ai/").removeprefix("library/")
    return plain if ":" in plain else f"{plain}:latest"


def _quantised(model: ModelFact, tag: str) -> ModelFact | None:
    """Return the model if the tag is one of its names with a quantisation after it."""
    for name in model.names:
        ending = tag.removeprefix(f"{name}-")
        if ending != tag and _QUANTISATION.fullmatch(ending):
            return model.model_copy(update={"quantisation": ending.replace("fp", "f").upper()})
    return None
