"""What is known of models: the shapes that memory follows from, and names that do not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Self

from pydantic import model_validator

from generator.datafile import DataFile, once
from generator.facts import Bytes, Fact, Span, Text

if TYPE_CHECKING:
    from generator.units import Release

_QUANTISATION: Final = re.compile(r"i?q\d(?:_[0-9a-z]+)*|b?f16|fp16|f32")


class ModelFact(Fact):
    """A model. `ModelsFile.model` fills in the `quantisation` of one tag."""

    names: tuple[Text, ...]
    architecture: Text
    layers: int
    kv_heads: int
    key_length: int
    value_length: int
    context: int
    quantisation: Text
    weights: dict[Text, Bytes]
    source: Text

    @property
    def weight_bytes(self) -> int:
        """The bytes of all tensors; 0: not known for this quantisation."""
        return self.weights.get(self.quantisation, 0)


class MissingModel(Fact):
    """A name that people write, though the library has no such model."""

    name: Text
    why: Text
    use: Text
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
    one_slot: tuple[OneSlot, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        names = [name for model in self.model for name in model.names]
        once([*names, *(missing.name for missing in self.missing)])
        once(name for entry in self.one_slot for name in entry.names)
        for model in self.model:
            if model.quantisation not in model.weights:
                raise ValueError(f"`{model.names[0]}` has no weights for {model.quantisation}")
        return self

    def find(self, name: str) -> ModelFact | None:
        """Return the model of a tag, also with a quantisation at its end; None: not known."""
        tag = _tag(name)
        for model in self.model:
            if tag in model.names:
                return model
        found = (_quantised(model, tag) for model in self.model)
        return next((model for model in found if model is not None), None)

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
