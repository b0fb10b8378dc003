"""What models need at the least: weights, KV cache, and how many of them are loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.fit.ask import MODELS_PER_GPU, may_be_loaded, number
from generator.fit.host import computes_on_cpu, memory_limit, size_of
from generator.fit.kv import ELEMENT_BYTES
from generator.fit.shape import windows_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.catalogue import Catalogue
    from generator.model_facts import ModelFact
    from generator.view import View

__all__ = [
    "ELEMENT_BYTES", "MODELS_PER_GPU", "computes_on_cpu", "heaviest", "known_models",
    "kv_at_least", "kv_bytes", "may_be_loaded", "memory_limit", "number", "size_of", "weights",
]  # fmt: skip

LEAST_CONTEXT: Final = 2048  # the smallest that a release ever took by itself


def weights(model: ModelFact) -> int:
    """Return the bytes of a model's tensors; 0: not known for this quantisation."""
    return model.weight_bytes


def kv_bytes(model: ModelFact, tokens: int, cache_type: str = "f16") -> int:
    """Return the bytes of the KV cache for that many tokens, over all slots together.

    A type that is not known counts as f16, which is what releases before 0.30 make of it. A layer
    with a window keeps at least that, or all tokens where they are fewer.
    """
    element = ELEMENT_BYTES.get(cache_type, ELEMENT_BYTES["f16"])
    both = model.kv_heads * (model.key_length + model.value_length)
    windows = windows_of(model.layers, model.window, model.window_every)
    kept = sum(min(tokens, window) if window else tokens for window in windows)
    return int(both * kept * element)


def known_models(view: View, catalogue: Catalogue) -> list[ModelFact]:
    """Return what the Catalogue knows of the service's models, each once."""
    found = (catalogue.model(used.base or used.name) for used in view.models)
    known = [model for model in found if model is not None]
    return list({(model.names[0], model.quantisation): model for model in known}.values())


def kv_at_least(view: View, model: ModelFact) -> int:
    """Return a lower bound of one model's KV cache: what the service sets, else the least."""
    context = min(number(view, "OLLAMA_CONTEXT_LENGTH") or LEAST_CONTEXT, model.context)
    slots = number(view, "OLLAMA_NUM_PARALLEL") or 1
    asked = view.variable("OLLAMA_KV_CACHE_TYPE")
    return kv_bytes(model, context * slots, asked.value.strip() if asked else "f16")


def heaviest(models: Iterable[ModelFact], count: int) -> list[ModelFact]:
    """Return the `count` models with the most weights."""
    return sorted(models, key=lambda model: (-weights(model), model.names))[:count]
