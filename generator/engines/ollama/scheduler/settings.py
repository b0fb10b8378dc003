"""What a service sets of what its scheduler reads, with the defaults of its release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.fit.ask import UNBOUNDED
from generator.fit.host import host_of
from generator.meaning import GO_FALSE
from generator.units import MIB, whole

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

LLAMA_SERVER: Final = "llama-server"


def text(view: View, name: str) -> str:
    """Return a variable without blanks around it; empty: unset."""
    variable = view.variable(name)
    return variable.value.strip() if variable is not None else ""


def number(view: View, name: str) -> int | None:
    """Return a variable that is a whole number from 0 on; None: unset, or something else."""
    return whole(text(view, name))


def switch(view: View, name: str) -> bool | None:
    """Return a Boolean as Ollama reads it: what is not false is true; None: unset.

    Source: envconfig/config.go@v0.32.15:177-190.
    """
    found = text(view, name)
    return found not in GO_FALSE if found else None


def may_be_loaded(view: View, facts: Facts) -> int:
    """Return how many models the server keeps loaded at once, by its setting or its default."""
    asked = number(view, "OLLAMA_MAX_LOADED_MODELS")
    default = facts.default_number("OLLAMA_MAX_LOADED_MODELS")
    count = asked if asked is not None else default
    return count or facts.behaviours["models-per-gpu"].value * max(1, len(view.host.gpus))


def context_of(view: View, facts: Facts) -> int:
    """Return the context of one slot: what the service sets, else the release's default."""
    asked = number(view, "OLLAMA_CONTEXT_LENGTH")
    if asked:
        return asked
    by_memory = facts.context_by_memory(host_of(view).gpu_memory)
    default = by_memory or facts.default_number("OLLAMA_CONTEXT_LENGTH")
    return default or facts.behaviours["context-length"].value


def slots_of(view: View, facts: Facts) -> int:
    """Return the slots of a model; 0, the automatic choice of old releases, counts as one."""
    default = facts.default_number("OLLAMA_NUM_PARALLEL")
    return number(view, "OLLAMA_NUM_PARALLEL") or default or 1


def margin_of(view: View, facts: Facts) -> int:
    """Return the bytes that llama.cpp leaves free on each GPU."""
    name = "LLAMA_ARG_FIT_TARGET"
    # A list has a margin for each GPU; the first stands for all.
    first = whole(text(view, name).partition(",")[0].strip())
    return (first or facts.default_number(name)) * MIB


def flash_capable(view: View, facts: Facts) -> bool:
    """Return whether the release turns flash attention on for every card; unknown ones can.

    Up to 0.24 any card does whose driver is that of CUDA 7 or later, which all in use are, but
    from 0.12.4 on not one of capability 7.2. Sources: discover/types.go@v0.12.3:173-180,
    discover/types.go@v0.12.4:177, ml/device.go@v0.24.0:485-490.
    """
    if facts.behaves("no-flash-attention-on-xavier"):
        return all(card.compute_capability != "7.2" for card in view.host.gpus)
    if facts.era.name != LLAMA_SERVER:
        return True
    found = (facts.generation(card.compute_capability) for card in view.host.gpus)
    return all(gpu.flash_attention for gpu in found if gpu is not None)


def libraries_of(view: View, facts: Facts) -> frozenset[str]:
    """Return what computes on the GPUs of a View: what it asks for, else by its cards.

    A card that is not known counts as one of CUDA.
    """
    if view.host.metal:
        return frozenset({"metal"})
    if view.acceleration:
        return frozenset({view.acceleration})
    found = [facts.card(gpu.name) for gpu in view.host.gpus]
    known = frozenset(facts.library(card.vendor, card.target) for card in found if card)
    return known or frozenset({"cuda"})


def unpacks(view: View, facts: Facts) -> bool:
    """Return whether buffers of the GPUs have room for a quantised cache as f16."""
    hip = {"cuda", "rocm"}
    return facts.behaves("flash-attention-unpacks-cache") and not libraries_of(view, facts) - hip


def capability_of(view: View) -> float:
    """Return the lowest compute capability of the cards; 0: that of none is known."""
    known = (card.compute_capability for card in view.host.gpus)
    return min((float(text) for text in known if text), default=0.0)


def cache_ram_of(view: View, facts: Facts) -> int:
    """Return what the prompt cache of one model may take of the host's memory.

    Source: LLAMA_ARG_CACHE_RAM of llama-server; -1 has no bound.
    """
    name = "LLAMA_ARG_CACHE_RAM"
    if facts.era.name != LLAMA_SERVER:
        return 0
    found = text(view, name)
    if found.startswith("-") and whole(found[1:]) is not None:
        return UNBOUNDED
    asked = whole(found)
    return (facts.default_number(name) if asked is None else asked) * MIB
