"""HW207, HW209 and HW211: what the memory of the host leaves to models and prompt caches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.need import heaviest, known_models, least
from generator.fit.ask import may_be_loaded, number
from generator.fit.host import computes_on_cpu, memory_limit, size_of
from generator.rules.helpers.containers import is_client
from generator.rules.rule import Hit, Rule
from generator.units import MIB, format_size, gib, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.errors import Severity
    from generator.view import Variable, View


@Rule(
    id="HW207",
    severity="error",
    title="less memory than the weights of the models",
    why="On a CPU weights are read into memory, not mapped: the kernel cannot take them back, and "
    "kills the server. Weights alone decide; KV cache and compute buffer are in the fix.",
    bad="MemoryMax=4G    # and qwen2.5-coder:7b, 4.4 GiB of weights",
    good="MemoryMax=8G",
    source="llm/server.go@v0.24.0:719-726; server/sched.go@v0.32.15:1159-1164",
)
def less_than_the_weights(view: View, facts: Facts) -> Iterator[Hit]:
    limit = memory_limit(view)
    models = heaviest(view, facts)
    if limit is None or not models or not computes_on_cpu(view):
        return
    have, place = limit
    largest, total = models[0].weight_bytes, sum(model.weight_bytes for model in models)
    needed = [least(view, facts, model).total for model in models]
    if largest >= have:
        yield Hit(
            message=f"the weights of `{models[0].names[0]}` ({models[0].quantisation}) alone take "
            f"{gib(largest)}, the service has {gib(have)}: it cannot be loaded",
            place=place,
            fix=f"allow {gib(needed[0])} at the least, with KV cache and buffers, or serve a "
            "smaller model or quantisation",
        )
    elif total >= have:
        yield Hit(
            message=f"the weights of the {len(models)} models that may be loaded at once take "
            f"{gib(total)}, the service has {gib(have)}",
            place=place,
            severity="warning",
            fix=f"allow {gib(sum(needed))} at the least, with KV cache and buffers, or lower "
            "OLLAMA_MAX_LOADED_MODELS",
        )


@Rule(
    id="HW209",
    severity="warning",
    title="locked memory without the limit for it",
    why="Locking the weights needs a limit on locked memory that holds them; the usual one is 8 "
    "MiB. Without it llama-server warns in its log and goes on unlocked.",
    bad="Environment=LLAMA_ARG_MLOCK=1",
    good="Environment=LLAMA_ARG_MLOCK=1\nLimitMEMLOCK=infinity",
    releases="0.30.0 and later",
    source="llama.cpp common/arg.cpp@4df29be; systemd.exec(5)",
)
def lock_without_limit(view: View, facts: Facts) -> Iterator[Hit]:
    variable = _locks(view, facts)
    bound = view.bound("limit_memlock")
    lifted = bound is not None and bound.value is None
    if variable is None or lifted or _may_lock_anyway(view):
        return
    largest = max((m.weight_bytes for m in known_models(view, facts)), default=0)
    allowed = size_of(bound)
    if allowed is not None and 0 < largest <= allowed:
        return
    yield Hit(
        message=f"{variable.name} asks to lock the weights in memory, "
        + (
            f"of which {format_size(allowed)} may be locked"
            if allowed is not None
            else "but the limit on locked memory is not lifted"
        )
        + ": llama-server warns and goes on unlocked",
        place=variable.place,
        fix=view.phrases.memlock,
    )


def _locks(view: View, facts: Facts) -> Variable | None:
    """Return the variable that asks for locked weights, if the release reads it."""
    wanted = {
        "LLAMA_ARG_MLOCK": {"1", "on", "true", "enabled"},
        "LLAMA_ARG_LOAD_MODE": {"mlock", "mmap+mlock"},
    }
    for name, values in wanted.items():
        variable, fact = view.variable(name), facts.variable(name)
        read = fact is not None and fact.works
        if variable is not None and read and variable.value.strip() in values:
            return variable
    return None


def _may_lock_anyway(view: View) -> bool:
    """Return whether the service has CAP_IPC_LOCK, for which no limit counts, or its own limit."""
    box = view.container
    if box is not None:
        return box.memlock or box.privileged is not None
    said = {line.name: line.value for line in view.lines}
    capable = "CAP_IPC_LOCK" in said.get("AmbientCapabilities", "")
    return capable or said.get("User") == "root"


NAME: Final = "LLAMA_ARG_CACHE_RAM"
LEAST: Final = 128  # MiB; below that there is hardly a prompt to keep


@Rule(
    id="HW211",
    severity="warning",
    title="prompt caches beyond the memory",
    why="Beside weights and KV cache each runner, on a GPU too, keeps earlier prompts in host "
    "memory: LLAMA_ARG_CACHE_RAM MiB, 8192 by default. That grows, so the kill comes days later.",
    bad="MemoryMax=20G\nEnvironment=OLLAMA_MAX_LOADED_MODELS=3",
    good="MemoryMax=20G\nEnvironment=OLLAMA_MAX_LOADED_MODELS=3\n"
    "Environment=LLAMA_ARG_CACHE_RAM=512",
    releases="0.30.0 and later",
    source="ollama#18264, ollama#17351, ollama#18072; llama.cpp common/arg.cpp@4df29be",
)
def caches_beyond_memory(view: View, facts: Facts) -> Iterator[Hit]:
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
    return -1 if text.startswith("-") and whole(text[1:]) else whole(text) or None


def _runners(view: View, facts: Facts) -> int:
    allowed = may_be_loaded(view, facts)
    named = len({used.name for used in view.models})
    return min(allowed, named) if named else allowed


def _beside(view: View, facts: Facts) -> int:
    """Return a lower bound of what is in the same memory: weights and KV cache, on a CPU."""
    if not computes_on_cpu(view):
        return 0
    loaded = heaviest(view, facts)
    return sum(model.weight_bytes + least(view, facts, model).kv for model in loaded)


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
