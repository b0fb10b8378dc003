"""What a service asks the scheduler for, with the defaults of its release."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.fit.host import computes_on_cpu, host_of
from generator.records import dataclass
from generator.units import GO_FALSE, MIB, whole

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.units import Release
    from generator.view import View

MARGIN: Final = "LLAMA_ARG_FIT_TARGET"
CACHE_RAM: Final = "LLAMA_ARG_CACHE_RAM"
LLAMA_SERVER: Final = "llama-server"
UNBOUNDED: Final = 1 << 60  # bytes of a prompt cache without a bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The service's settings that memory and placement follow from.

    `flash_attention` is what it sets (None: the release decides), `flash_capable` whether every
    device can. `margin` is what llama.cpp leaves free on each GPU, `overhead` what Ollama up to
    0.24 does; `layers` a forced number of GPU layers (None: as many as fit), `cache_ram` what the
    prompt cache of one model may grow to (UNBOUNDED: whatever there is).
    """

    facts: Facts
    context: int
    slots: int
    cache_type: str = "f16"
    flash_attention: bool | None = None
    flash_capable: bool = True
    spread: bool = False
    overhead: int = 0
    margin: int = 0
    loaded: int = 1
    on_cpu: bool = False
    cuda: bool = True
    layers: int | None = None
    cache_ram: int = 0

    @property
    def release(self) -> Release:
        """The release that the facts are of."""
        return self.facts.at

    @property
    def llama_server(self) -> bool:
        """Whether the release runs llama-server."""
        return self.facts.era.name == LLAMA_SERVER


def number(view: View, name: str) -> int | None:
    """Return a variable that is a whole number from 0 on; None: unset, or something else."""
    return whole(_text(view, name))


def switch(view: View, name: str) -> bool | None:
    """Return a Boolean as Ollama reads it: what is not false is true; None: unset.

    Source: envconfig/config.go@v0.32.15:177-190.
    """
    text = _text(view, name)
    return text not in GO_FALSE if text else None


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


def ask_of(view: View, facts: Facts) -> Ask:
    """Return what the service of a View asks for."""
    return Ask(
        facts=facts,
        context=context_of(view, facts),
        slots=slots_of(view, facts),
        cache_type=_text(view, "OLLAMA_KV_CACHE_TYPE") or "f16",
        flash_attention=switch(view, "OLLAMA_FLASH_ATTENTION"),
        flash_capable=_capable(view, facts),
        spread=switch(view, "OLLAMA_SCHED_SPREAD") or False,
        overhead=number(view, "OLLAMA_GPU_OVERHEAD") or 0,
        margin=(_margin(view) or facts.default_number(MARGIN)) * MIB,
        loaded=may_be_loaded(view, facts),
        on_cpu=computes_on_cpu(view) or not view.host.gpus,
        cuda=view.acceleration in {"", "cuda"},
        layers=number(view, "LLAMA_ARG_N_GPU_LAYERS"),
        cache_ram=_cache_ram(view, facts),
    )


def uses_flash(ask: Ask, architecture: str) -> bool:
    """Return whether a model computes with flash attention.

    Up to 0.24 an explicit value counts where the devices can; unset, a list of architectures
    that grows, and llama.cpp's own choice from 0.13.4 on. From 0.30 on an explicit value is
    obeyed; unset it is on if every device can. Sources: llm/server.go@v0.24.0:195-265,
    llm/llama_server.go@v0.32.15:597-610, ml/device.go@v0.32.15:586-600.
    """
    known = ask.facts.architectures.get(architecture)
    if known and known.never_flash and not ask.llama_server:
        return False
    if ask.on_cpu and not ask.facts.behaves("flash-attention-on-cpu"):
        return False
    able = ask.on_cpu or ask.flash_capable
    if ask.flash_attention is not None:
        return ask.flash_attention and (able or ask.llama_server)
    # Up to 0.24 Ollama's own engine goes by the list alone.
    by_llama_cpp = ask.facts.behaves("flash-attention-by-llama-cpp") and not own_engine(
        ask, architecture
    )
    listed = known is not None and known.flash_by_itself
    return able and (ask.llama_server or by_llama_cpp or listed)


def own_engine(ask: Ask, architecture: str) -> bool:
    """Return whether the release runs it in Ollama's own engine, whatever is set."""
    known = ask.facts.architectures.get(architecture)
    return known is not None and known.own_engine


def cache_type(ask: Ask, architecture: str, *, flash: bool) -> str:
    """Return the element type that the cache gets: up to 0.24 f16 where another is not granted.

    It takes flash attention, which from 0.13.4 on must be asked for where llama.cpp computes, a
    type that Ollama knows, and up to 0.12.3 another model than gpt-oss. Sources:
    llm/server.go@v0.24.0:237-265, fs/ggml/ggml.go@v0.12.3 and @v0.24.0 (SupportsKVCacheType).
    """
    if ask.llama_server:
        return ask.cache_type
    facts, known = ask.facts, ask.facts.architectures.get(architecture)
    by_itself = not facts.behaves("kv-type-asks-for-flash-attention")
    asked = ask.flash_attention or by_itself or own_engine(ask, architecture)
    plain = known is not None and known.plain_cache
    variable = facts.variable("OLLAMA_KV_CACHE_TYPE")
    # The same on every system.
    types = (variable.allowed("x86_64-linux") if variable else None) or ()
    taken = ask.cache_type in types and not plain
    return ask.cache_type if flash and asked and taken else "f16"


def granted(ask: Ask, name: str) -> Ask:
    """Return what the scheduler grants a model of that name: one slot for some architectures."""
    return replace(ask, slots=1) if ask.facts.one_slot(name) else ask


def _text(view: View, name: str) -> str:
    variable = view.variable(name)
    return variable.value.strip() if variable is not None else ""


def _margin(view: View) -> int | None:
    # A list has a margin for each GPU; the first stands for all.
    return whole(_text(view, MARGIN).partition(",")[0].strip())


def _capable(view: View, facts: Facts) -> bool:
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


def _cache_ram(view: View, facts: Facts) -> int:
    """Return what the prompt cache of one model may take of the host's memory.

    Source: LLAMA_ARG_CACHE_RAM of llama-server; -1 has no bound.
    """
    if facts.era.name != LLAMA_SERVER:
        return 0
    text = _text(view, CACHE_RAM)
    if text.startswith("-") and whole(text[1:]) is not None:
        return UNBOUNDED
    asked = whole(text)
    return (facts.default_number(CACHE_RAM) if asked is None else asked) * MIB
