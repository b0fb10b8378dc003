"""What models need at the least: weights, KV cache, and how many of them are loaded."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.catalogue import Catalogue
    from generator.model_facts import ModelFact
    from generator.view import Bound, Place, View

# Bytes for one element; the blocks of 32 hold their scales, too. Source: ggml-common.h of
# llama.cpp@4df29be; llama-fit-params gives 512, 272 and 144 MiB for llama3.1:8b at 4096 tokens.
ELEMENT_BYTES: Final = {
    "f32": Fraction(4),
    "f16": Fraction(2),
    "bf16": Fraction(2),
    "q8_0": Fraction(34, 32),
    "q5_1": Fraction(24, 32),
    "q5_0": Fraction(22, 32),
    "q4_1": Fraction(20, 32),
    "q4_0": Fraction(18, 32),
    "iq4_nl": Fraction(18, 32),
}
LEAST_CONTEXT: Final = 2048  # the smallest that a release ever took by itself
MODELS_PER_GPU: Final = 3  # server/sched.go@v0.32.15:86,286-288


def weights(model: ModelFact) -> int:
    """Return the bytes of a model's tensors; 0: not known for this quantisation."""
    return model.weight_bytes


def kv_bytes(model: ModelFact, tokens: int, cache_type: str = "f16") -> int:
    """Return the bytes of the KV cache for that many tokens, over all slots together.

    A type that is not known counts as f16, which is what releases before 0.30 make of it.
    """
    element = ELEMENT_BYTES.get(cache_type, ELEMENT_BYTES["f16"])
    elements = model.layers * model.kv_heads * (model.key_length + model.value_length)
    return int(elements * tokens * element)


def known_models(view: View, catalogue: Catalogue) -> list[ModelFact]:
    """Return what the Catalogue knows of the service's models, each once."""
    found = (catalogue.model(used.base or used.name) for used in view.models)
    known = [model for model in found if model is not None]
    return list({(model.names[0], model.quantisation): model for model in known}.values())


def number(view: View, name: str) -> int | None:
    """Return a variable that is a whole number from 0 on; None: unset, or something else."""
    variable = view.variable(name)
    text = variable.value.strip() if variable is not None else ""
    return int(text) if text.isascii() and text.isdigit() else None


def may_be_loaded(view: View, catalogue: Catalogue) -> int:
    """Return how many models the server keeps loaded at once, by its setting or its default."""
    asked = number(view, "OLLAMA_MAX_LOADED_MODELS")
    variable = catalogue.variable("OLLAMA_MAX_LOADED_MODELS")
    default = variable and variable.default_in(catalogue.facts_release(view.release))
    count = asked if asked is not None else int(default or 0)
    return count or MODELS_PER_GPU * max(1, len(view.machine.cards))


def kv_at_least(view: View, model: ModelFact) -> int:
    """Return a lower bound of one model's KV cache: what the service sets, else the least."""
    context = min(number(view, "OLLAMA_CONTEXT_LENGTH") or LEAST_CONTEXT, model.context)
    slots = number(view, "OLLAMA_NUM_PARALLEL") or 1
    asked = view.variable("OLLAMA_KV_CACHE_TYPE")
    return kv_bytes(model, context * slots, asked.value.strip() if asked else "f16")


def heaviest(models: Iterable[ModelFact], count: int) -> list[ModelFact]:
    """Return the `count` models with the most weights."""
    return sorted(models, key=lambda model: (-weights(model), model.names))[:count]


def computes_on_cpu(view: View) -> bool:
    """Return whether nothing but the CPU computes, as far as the view tells."""
    visible = view.variable("CUDA_VISIBLE_DEVICES")
    if view.acceleration:
        return view.acceleration == "cpu"
    if visible is not None and visible.value.strip() == "-1":
        return True
    box = view.container
    return box is not None and not box.gpu_access and box.privileged is None


def size_of(bound: Bound | None) -> int | None:
    """Return the bytes of a limit; None: there is none, it is lifted, or it is no size."""
    return bound.value if bound is not None and isinstance(bound.value, int) else None


def memory_limit(view: View) -> tuple[int, Place] | None:
    """Return the memory that the service has, and where that is said; None: not told."""
    bound, memory = view.bound("memory_max"), view.machine.memory
    limit = size_of(bound)
    if bound is not None and limit is not None and (not memory or limit <= memory):
        return limit, bound.place
    return (memory, view.at("host.memory")) if memory else None
