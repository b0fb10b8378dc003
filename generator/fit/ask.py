"""What a service asks the scheduler for, with the defaults of its release."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from generator.fit.host import computes_on_cpu, host_of
from generator.fit.load import GIB, MIB
from generator.units import Release

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.view import View

# server/routes.go@v0.32.15:2047-2057: an unset context length, from that much GPU memory on.
TIERS: Final = ((47 * GIB, 262144), (23 * GIB, 32768), (0, 4096))
MARGIN: Final = 1024 * MIB  # common/arg.cpp of llama.cpp@4df29be: --fit-target
LLAMA_SERVER: Final = Release(0, 30, 0)
LLAMA_FLASH: Final = Release(0, 13, 4)  # llm/server.go@v0.24.0:228
UNBOUNDED: Final = 1 << 60  # bytes of a prompt cache without a bound
XAVIER_OFF: Final = Release(0, 12, 4)
# fs/ggml/ggml.go@v0.24.0, SupportsKVCacheType
CACHE_TYPES: Final = frozenset({"f16", "q8_0", "q4_0"})
MODELS_PER_GPU: Final = 3  # server/sched.go@v0.32.15:86,286-288
FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The service's settings that memory and placement follow from.

    `flash_attention` is what it sets (None: the release decides), `flash_capable` whether every
    device can. `margin` is what llama.cpp leaves free on each GPU, `overhead` what Ollama up to
    0.24 does; `layers` a forced number of GPU layers (None: as many as fit),
    `engine`, `flash`, `no_flash` and `plain_cache` are architectures (see `by_architecture`),
    `cache_ram` what the prompt cache of one model may grow to (UNBOUNDED: whatever there is).
    """

    release: Release
    context: int
    slots: int
    cache_type: str = "f16"
    flash_attention: bool | None = None
    flash_capable: bool = True
    flash_on_cpu: bool = True
    spread: bool = False
    overhead: int = 0
    margin: int = MARGIN
    loaded: int = 1
    on_cpu: bool = False
    cuda: bool = True
    layers: int | None = None
    cache_ram: int = 0
    logits_per_slot: bool = False
    cache_type_wants_flash: bool = False
    engine: frozenset[str] = frozenset()
    flash: frozenset[str] = frozenset()
    no_flash: frozenset[str] = frozenset()
    plain_cache: frozenset[str] = frozenset()

    @property
    def llama_server(self) -> bool:
        """Whether the release runs llama-server (from 0.30 on)."""
        return self.release >= LLAMA_SERVER


def number(view: View, name: str) -> int | None:
    """Return a variable that is a whole number from 0 on; None: unset, or something else."""
    variable = view.variable(name)
    text = variable.value.strip() if variable is not None else ""
    return int(text) if text.isascii() and text.isdigit() else None


def switch(view: View, name: str) -> bool | None:
    """Return a Boolean as Ollama reads it: what is not false is true; None: unset.

    Source: envconfig/config.go@v0.32.15:177-190.
    """
    variable = view.variable(name)
    text = variable.value.strip() if variable is not None else ""
    return text not in FALSE if text else None


def may_be_loaded(view: View, facts: Facts) -> int:
    """Return how many models the server keeps loaded at once, by its setting or its default."""
    asked = number(view, "OLLAMA_MAX_LOADED_MODELS")
    default = _default(facts, "OLLAMA_MAX_LOADED_MODELS")
    count = asked if asked is not None else default
    return count or MODELS_PER_GPU * max(1, len(view.host.gpus))


def context_of(view: View, facts: Facts) -> int:
    """Return the context of one slot: what the service sets, else the release's default."""
    asked = number(view, "OLLAMA_CONTEXT_LENGTH")
    if asked:
        return asked
    if facts.behaves("context-by-memory"):
        have = host_of(view).gpu_memory
        return next(tokens for floor, tokens in TIERS if have >= floor)
    return _default(facts, "OLLAMA_CONTEXT_LENGTH") or 2048


def slots_of(view: View, facts: Facts) -> int:
    """Return the slots of a model; 0, the automatic choice of old releases, counts as one."""
    default = _default(facts, "OLLAMA_NUM_PARALLEL")
    return number(view, "OLLAMA_NUM_PARALLEL") or default or 1


def ask_of(view: View, facts: Facts) -> Ask:
    """Return what the service of a View asks for."""
    cache = view.variable("OLLAMA_KV_CACHE_TYPE")
    return Ask(
        release=facts.at,
        context=context_of(view, facts),
        slots=slots_of(view, facts),
        cache_type=cache.value.strip() if cache and cache.value.strip() else "f16",
        flash_attention=switch(view, "OLLAMA_FLASH_ATTENTION"),
        flash_capable=_capable(view, facts),
        flash_on_cpu=facts.behaves("flash-attention-on-cpu"),
        spread=switch(view, "OLLAMA_SCHED_SPREAD") or False,
        overhead=number(view, "OLLAMA_GPU_OVERHEAD") or 0,
        margin=(_first(view, "LLAMA_ARG_FIT_TARGET") or MARGIN // MIB) * MIB,
        loaded=may_be_loaded(view, facts),
        on_cpu=computes_on_cpu(view) or not view.host.gpus,
        cuda=view.acceleration in {"", "cuda"},
        layers=number(view, "LLAMA_ARG_N_GPU_LAYERS"),
        cache_ram=_cache_ram(view, facts.at),
        cache_type_wants_flash=facts.behaves("kv-type-asks-for-flash-attention"),
        logits_per_slot=facts.behaves("logits-per-slot"),
        **by_architecture(facts),
    )


def by_architecture(facts: Facts) -> dict[str, frozenset[str]]:
    """Return which architectures the release treats apart, by the names that an Ask has for it.

    `engine`: it runs them in Ollama's own engine whatever is set. `flash`: it turns flash
    attention on for them by itself; `no_flash`: not even when asked. `plain_cache`: f16 whatever
    is asked.
    """
    every, release = facts.architectures, facts.at
    return {
        "engine": frozenset(e.name for e in every if e.engine and e.engine <= release),
        "flash": frozenset(e.name for e in every if e.flash and e.flash <= release),
        "no_flash": frozenset(
            e.name for e in every if e.no_flash and e.no_flash <= release < LLAMA_SERVER
        ),
        "plain_cache": frozenset(e.name for e in every if e.quantised and release < e.quantised),
    }


def uses_flash(ask: Ask, architecture: str) -> bool:
    """Return whether a model computes with flash attention.

    Up to 0.24 an explicit value counts where the devices can; unset, a list of architectures
    that grows, and llama.cpp's own choice from 0.13.4 on. From 0.30 on an explicit value is
    obeyed; unset it is on if every device can. Sources: llm/server.go@v0.24.0:195-265,
    llm/llama_server.go@v0.32.15:597-610, ml/device.go@v0.32.15:586-600.
    """
    if architecture in ask.no_flash or (ask.on_cpu and not ask.flash_on_cpu):
        return False
    able = ask.on_cpu or ask.flash_capable
    if ask.flash_attention is not None:
        return ask.flash_attention and (able or ask.llama_server)
    # Up to 0.24 Ollama's own engine goes by the list alone.
    listed_only = architecture in ask.engine and not ask.llama_server
    by_itself = ask.release >= LLAMA_FLASH and not listed_only
    return able and (by_itself or architecture in ask.flash)


def cache_type(ask: Ask, architecture: str, *, flash: bool) -> str:
    """Return the element type that the cache gets: up to 0.24 f16 where another is not granted.

    It takes flash attention, which from 0.13.4 on must be asked for where llama.cpp computes, a
    type that Ollama knows, and up to 0.12.3 another model than gpt-oss. Sources:
    llm/server.go@v0.24.0:237-265, fs/ggml/ggml.go@v0.12.3 and @v0.24.0 (SupportsKVCacheType).
    """
    if ask.llama_server:
        return ask.cache_type
    asked = ask.flash_attention or not ask.cache_type_wants_flash or architecture in ask.engine
    taken = ask.cache_type in CACHE_TYPES and architecture not in ask.plain_cache
    return ask.cache_type if flash and asked and taken else "f16"


def with_slots(ask: Ask, slots: int) -> Ask:
    """Return the same with another number of slots."""
    return replace(ask, slots=slots)


def _default(facts: Facts, name: str) -> int:
    variable = facts.variable(name)
    text = variable and variable.default
    return int(text) if text and text.isdigit() else 0


def _first(view: View, name: str) -> int | None:
    """Return the first number of a list with commas."""
    variable = view.variable(name)
    text = variable.value.split(",")[0].strip() if variable is not None else ""
    return int(text) if text.isascii() and text.isdigit() else None


def _capable(view: View, facts: Facts) -> bool:
    """Return whether the release turns flash attention on for every card; unknown ones can.

    Up to 0.24 any card does whose driver is that of CUDA 7 or later, which all in use are, but
    from 0.12.4 on not one of capability 7.2. Sources: discover/types.go@v0.12.3:173-180,
    discover/types.go@v0.12.4:177, ml/device.go@v0.24.0:485-490.
    """
    if facts.at < XAVIER_OFF:
        return True
    if facts.at < LLAMA_SERVER:
        return all(card.compute_capability != "7.2" for card in view.host.gpus)
    found = (facts.generation(card.compute_capability) for card in view.host.gpus)
    return all(gpu.flash_attention for gpu in found if gpu is not None)


def _cache_ram(view: View, release: Release) -> int:
    """Return what the prompt cache of one model may take of the host's memory.

    Source: LLAMA_ARG_CACHE_RAM of llama-server, 8192 MiB for each runner; -1 has no bound.
    """
    if release < LLAMA_SERVER:
        return 0
    variable = view.variable("LLAMA_ARG_CACHE_RAM")
    text = variable.value.strip() if variable is not None else ""
    if text.startswith("-") and text[1:].isascii() and text[1:].isdigit():
        return UNBOUNDED
    asked = number(view, "LLAMA_ARG_CACHE_RAM")
    return (8192 if asked is None else asked) * MIB
