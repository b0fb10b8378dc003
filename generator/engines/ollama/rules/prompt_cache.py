"""HW211: the prompt cache of each runner, in the memory of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.need import heaviest, known_models, kv_at_least, weights
from generator.fit.ask import may_be_loaded, number
from generator.fit.host import computes_on_cpu, memory_limit
from generator.rules.helpers.containers import is_client
from generator.rules.rule import Hit, Rule
from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.errors import Severity
    from generator.view import View


NAME: Final = "LLAMA_ARG_CACHE_RAM"
LEAST: Final = 128  # MiB; below that there is hardly a prompt to keep


@Rule(
    id="HW211",
    severity="warning",
    title="prompt caches beyond the memory",
    why="Each runner keeps the state of earlier prompts in the memory of the host, up to "
    "LLAMA_ARG_CACHE_RAM MiB: 8192 by default, beside weights and KV cache, for every loaded "
    "model, also one on a GPU. It grows with use, so a service that fits at first is killed days "
    "later.",
    bad="MemoryMax=20G\nEnvironment=OLLAMA_MAX_LOADED_MODELS=3",
    good="MemoryMax=20G\nEnvironment=OLLAMA_MAX_LOADED_MODELS=3\n"
    "Environment=LLAMA_ARG_CACHE_RAM=512",
    releases="0.30.0 and later",
    source="ollama#18264, ollama#17351, ollama#18072; llama.cpp common/arg.cpp@4df29be",
)
def caches_beyond_memory(view: View, facts: Facts) -> Iterator[Hit]:
    """Each runner keeps up to 8 GiB of earlier prompts, beside weights and KV cache."""
    each, limit = _cache_mib(view, facts), memory_limit(view)
    if each is None or limit is None or is_client(view):
        return
    have, place = limit
    runners = _runners(view, facts)
    used = _beside(view, facts)
    # Where the rest does not fit by itself, HW207 and HW511 report it.
    if used >= have or (each >= 0 and used + runners * each * MIB <= have):
        return
    variable = view.variable(NAME)
    count = f"{runners} runners" if runners > 1 else "the runner"
    size = f"up to {each} MiB" if each >= 0 else "any amount"
    beside = f", beside {used // MIB} MiB for weights and KV cache" if used else ""
    yield Hit(
        message=f"{count} may keep {size} of earlier prompts{' each' if runners > 1 else ''}"
        f"{beside}; the service has {have // MIB} MiB",
        place=variable.place if variable else place,
        severity=_severity(view, each, have),
        fix=_setting(view, _share(have - used, runners)),
    )


def _cache_mib(view: View, facts: Facts) -> int | None:
    """Return the MiB of one runner's cache; negative: unlimited; None: no cache, or not told."""
    fact, variable = facts.variable(NAME), view.variable(NAME)
    default = fact.default if fact is not None else None
    if default is None:
        return None
    text = variable.value.strip() if variable is not None else default
    digits = text.removeprefix("-")
    return int(text) or None if digits.isascii() and digits.isdigit() else None


def _runners(view: View, facts: Facts) -> int:
    allowed = may_be_loaded(view, facts)
    named = len({used.name for used in view.models})
    return min(allowed, named) if named else allowed


def _beside(view: View, facts: Facts) -> int:
    """Return a lower bound of what is in the same memory: weights and KV cache, on a CPU."""
    if not computes_on_cpu(view):
        return 0
    loaded = heaviest(known_models(view, facts), may_be_loaded(view, facts))
    return sum(weights(model) + kv_at_least(view, facts, model) for model in loaded)


def _severity(view: View, each: int, have: int) -> Severity | None:
    """Return `info` where neither models nor their number are told and one cache would fit."""
    known = bool(view.models) or bool(number(view, "OLLAMA_MAX_LOADED_MODELS"))
    return None if known or each < 0 or each * MIB >= have else "info"


def _share(free: int, runners: int) -> int:
    """Return the MiB for each runner: half of what is free, as a power of two; 0: too little."""
    share = free // 2 // runners // MIB
    return 1 << (share.bit_length() - 1) if share >= LEAST else 0


def _setting(view: View, mib: int) -> str:
    none = "" if mib else ", for no cache"
    if view.phrases.keyed:
        return f'write `prompt_cache = "{mib}MiB"` under [ollama]{none}'
    return f"write `{NAME}={mib}`{none}"
