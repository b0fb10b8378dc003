"""HW207, HW209, HW211, HW216, HW511 and HW512: what models and prompt caches ask of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers import need
from generator.engines.ollama.scheduler.settings import may_be_loaded, number, slots_of
from generator.fit.host import computes_on_cpu, host_of, memory_limit, size_of
from generator.fit.kv import kv_of
from generator.rules.helpers.containers import is_client, is_of_a_fork
from generator.rules.rule import Hit, Hits, Rule
from generator.units import MIB, format_size, gib, whole

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.models import ModelFact
    from generator.fit.ask import Ask
    from generator.view import ModelUse, Place, Variable, View


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
def less_than_the_weights(view: View, facts: Facts) -> Hits:
    limit = memory_limit(view)
    models = need.heaviest(view, facts)
    if limit is None or not models or not computes_on_cpu(view):
        return
    have, place = limit
    largest, total = models[0].weight_bytes, sum(model.weight_bytes for model in models)
    needed = [need.least(view, facts, model).total for model in models]
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


_LEAST_MEMORY: Final = 2**30
"""What the server, a runner and the smallest models that chat take, with cache and buffers."""


@Rule(
    id="HW216",
    title="a memory limit that holds no model",
    why="Weights, KV cache and compute buffer of the smallest models that chat take most of a GiB, "
    "and CUDA's libraries as much on the host. Below that the kernel kills the runner as it loads, "
    "and the request ends with an error. Silent where models are told: HW207 judges those.",
    bad="resources: {limits: {memory: 512Mi}}",
    good="resources: {limits: {memory: 8Gi}}",
    source="`gen models`; llm/llama_server.go@v0.32.15",
)
def holds_no_model(view: View, facts: Facts) -> Hits:
    bound = view.bound("memory_max")
    have = size_of(bound)
    if bound is None or have is None or have >= _LEAST_MEMORY or is_client(view):
        return
    if not need.known_models(view, facts):
        yield Hit(
            message=f"a memory limit of {format_size(have)} holds the server and hardly a model: "
            "the kernel kills the runner as it loads",
            place=bound.place,
            fix="allow the weights of the largest model, and half as much again",
        )


@Rule(
    id="HW209",
    title="locked memory without the limit for it",
    why="Locking the weights needs a limit on locked memory that holds them; the usual one is 8 "
    "MiB. Without it llama-server warns in its log and goes on unlocked. From 0.32.6 on nothing "
    "locks where the CPU alone computes: Ollama passes `--load-mode none` there, which wins.",
    bad="Environment=LLAMA_ARG_MLOCK=1",
    good="Environment=LLAMA_ARG_MLOCK=1\nLimitMEMLOCK=infinity",
    releases="0.30.0 and later",
    source="llama.cpp common/arg.cpp@4df29be; server/sched.go@v0.32.15:1162; systemd.exec(5)",
)
def lock_without_limit(view: View, facts: Facts) -> Hits:
    variable = _locks(view, facts)
    if variable and computes_on_cpu(view) and facts.behaves("load-mode-on-cpu"):
        yield Hit(
            message=f"{variable.name} locks nothing where the CPU alone computes: Ollama passes "
            "`--load-mode none` there, which wins",
            place=variable.place,
            fix="bar swap for the service instead, or turn swap off",
        )
        return
    bound = view.bound("limit_memlock")
    lifted = bound is not None and bound.value is None
    if variable is None or lifted or _may_lock_anyway(view):
        return
    largest = max((m.weight_bytes for m in need.known_models(view, facts)), default=0)
    allowed = size_of(bound)
    if allowed is not None and 0 < largest <= allowed:
        return
    limit = "but the limit on locked memory is not lifted"
    if allowed is not None:
        limit = f"of which {format_size(allowed)} may be locked"
    yield Hit(
        message=f"{variable.name} asks to lock the weights in memory, {limit}: llama-server warns "
        f"and goes on unlocked",
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
        if variable and fact and fact.works and variable.value.strip() in values:
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
    title="prompt caches beyond the memory",
    why="Beside weights and KV cache each runner, on a GPU too, keeps earlier prompts in host "
    "memory: LLAMA_ARG_CACHE_RAM MiB, 8192 by default. That grows, so the kill comes days later.",
    bad="MemoryMax=20G\nEnvironment=OLLAMA_MAX_LOADED_MODELS=3",
    good="MemoryMax=20G\nEnvironment=OLLAMA_MAX_LOADED_MODELS=3\n"
    "Environment=LLAMA_ARG_CACHE_RAM=512",
    releases="0.30.0 and later",
    source="ollama#18264, ollama#17351, ollama#18072; llama.cpp common/arg.cpp@4df29be",
)
def caches_beyond_memory(view: View, facts: Facts) -> Hits:
    each, limit = _cache_mib(view, facts), memory_limit(view)
    if each is None or limit is None or is_client(view) or is_of_a_fork(view):
        return
    have, place = limit
    allowed, named = may_be_loaded(view, facts), len({used.name for used in view.models})
    chat = named - len({used.name for used in view.models if _embeds(used, facts)})
    if named and not chat:
        return
    runners = min(allowed, chat or allowed)
    beside = need.heaviest(view, facts) if computes_on_cpu(view) else []
    used = sum(model.weight_bytes + need.least(view, facts, model).kv for model in beside)
    # Where the rest does not fit by itself, HW207 and HW511 report it.
    if used >= have or (each >= 0 and used + runners * each * MIB <= have):
        return
    variable = view.variable(NAME)
    # Neither models nor their number are told, and one cache would fit.
    guessed = not view.models and not number(view, LOADED) and 0 < each * MIB < have
    count = f"{runners} runners" if runners > 1 else "the runner"
    size = f"up to {each} MiB" if each >= 0 else "any amount"
    rest = f", beside {used // MIB} MiB for weights and KV cache" if used else ""
    yield Hit(
        message=f"{count} may keep {size} of earlier prompts{' each' if runners > 1 else ''}"
        f"{rest}; the service has {have // MIB} MiB",
        place=variable.place if variable else place,
        severity="info" if guessed else None,
        fix=_setting(view, (have - used) // 2 // runners // MIB),
    )


def _embeds(used: ModelUse, facts: Facts) -> bool:
    """Whether a model embeds texts alone: llama-server keeps prompts of completions."""
    model = facts.model(used.base or used.name)
    return model is not None and {*model.use} == {"embedding"}


def _cache_mib(view: View, facts: Facts) -> int | None:
    """Return the MiB of one runner's cache; negative: unlimited; None: no cache, or not told."""
    fact, variable = facts.variable(NAME), view.variable(NAME)
    default = fact.default if fact is not None else None
    if default is None or (variable is None and not view.lacks(NAME)):
        return None
    text = variable.value.strip() if variable is not None else default
    return -1 if text.startswith("-") and whole(text[1:]) else whole(text) or None


def _setting(view: View, most: int) -> str:
    """Return how to write a power of two of so many MiB at most; 0: that is too little."""
    mib = 1 << (most.bit_length() - 1) if most >= LEAST else 0
    none = "" if mib else ", for no cache"
    if view.phrases.keyed:
        return f'write `prompt_cache = "{mib}MiB"` under [ollama]{none}'
    return f"write `{NAME}={mib}`{none}"


PARALLEL: Final = "OLLAMA_NUM_PARALLEL"
CONTEXT: Final = "OLLAMA_CONTEXT_LENGTH"
LOADED: Final = "OLLAMA_MAX_LOADED_MODELS"
STEP: Final = 1024
LEAST_USEFUL: Final = 2048


@Rule(
    id="HW511",
    title="more context, slots and models than the memory holds",
    why="The KV cache is context times OLLAMA_NUM_PARALLEL, for each model. What a GPU cannot hold "
    "the CPU computes, many times slower; beyond a memory limit the server is killed; models that "
    "do not fit together load in turns. Counted, as a lower bound: weights, KV cache and, from "
    "0.30 on, the compute buffer.",
    bad="# 8 GiB of GPU memory, llama3.1:8b\nOLLAMA_CONTEXT_LENGTH=32768\nOLLAMA_NUM_PARALLEL=4",
    good="OLLAMA_CONTEXT_LENGTH=8192\nOLLAMA_NUM_PARALLEL=2\nOLLAMA_KV_CACHE_TYPE=q8_0",
    source="ollama#9246, ollama#12097, ollama#14116",
)
def beyond_memory(view: View, facts: Facts) -> Hits:
    said = list(_beyond_memory(view, facts))
    yield from said or _not_all_layers(view, facts)


def _not_all_layers(view: View, facts: Facts) -> Hits:
    """Yield the preloaded models that the scheduler does not put on GPUs as a whole."""
    chosen = need.default_context(view, facts) is not None
    for used in (used for used in view.models if used.warmed):
        fit = need.placed(view, facts, used)
        if fit is None or fit.placement.on_gpus > fit.shape.layers:
            continue
        if chosen and fit.shape.tensor_bytes < host_of(view).gpu_memory:
            continue  # HW304 reports it.
        yield Hit(
            message=f"`{used.name}` does not fit: {fit.placement.on_gpus} of "
            f"{fit.shape.layers + 1} layers are on GPUs, and the CPU computes the rest, slowly",
            place=used.place,
            fix="preload a smaller model or quantisation, or less context; `gen fit` tells what "
            "fits",
        )


def _beyond_memory(view: View, facts: Facts) -> Hits:
    limit = memory_limit(view) if computes_on_cpu(view) else None
    have = limit[0] if limit else host_of(view).gpu_memory
    known = need.known_models(view, facts)
    if not have or not known:
        return
    models = sorted(known, key=lambda m: (-need.least(view, facts, m).total, m.names))
    largest = models[0]
    loaded = models[: may_be_loaded(view, facts)]
    if largest.weight_bytes >= have:
        # Nothing that these settings could mend; on a CPU HW207 reports it.
        return
    if need.least(view, facts, largest).total > have:
        # Where the release chose the context, HW304 reports it.
        if need.default_context(view, facts) is None:
            yield _too_large(view, facts, largest, have)
    elif sum(need.least(view, facts, model).total for model in loaded) > have:
        yield from _too_many(view, facts, loaded, have)


def _too_large(view: View, facts: Facts, model: ModelFact, have: int) -> Hit:
    ask = need.asked(view, facts, model)
    tokens = min(ask.context, model.context)
    each = f"{ask.slots} slots of {tokens}" if ask.slots > 1 else f"a context of {tokens}"
    cpu, size = computes_on_cpu(view), need.least(view, facts, model).total
    return Hit(
        message=f"`{model.names[0]}` with {each} tokens takes {gib(size)} at the least, "
        f"{'the service has' if cpu else 'the GPUs together have'} {gib(have)}: "
        + ("it cannot be loaded, or is killed" if cpu else "the CPU computes the rest, slowly"),
        place=_place(view, PARALLEL if ask.slots > 1 else CONTEXT),
        fix=_fitting(model, ask, have),
    )


def _fitting(model: ModelFact, ask: Ask, have: int) -> str:
    """Return the context that leaves a tenth of the memory to buffers, or other ways out."""
    room = have * 9 // 10 - model.weight_bytes
    fits = room // kv_of(model, ask.slots, ask.cache_type) // STEP * STEP
    if fits >= LEAST_USEFUL:
        return f"write {CONTEXT}={fits}, or fewer slots"
    return "serve a smaller model or quantisation, or fewer slots"


def _too_many(view: View, facts: Facts, models: list[ModelFact], have: int) -> Hits:
    cpu, limit = computes_on_cpu(view), view.bound("memory_max")
    if cpu and sum(model.weight_bytes for model in models) >= have:
        return  # HW207 reports it.
    # The scheduler looks at the memory of the machine, not at the limit of the service.
    killed = cpu and limit is not None and limit.value == have
    if not killed and view.variable(LOADED) is None:
        return  # Nobody asked for all of them at once.
    total = sum(need.least(view, facts, model).total for model in models)
    effect = "they cannot all stay loaded, and each load evicts another"
    if killed:
        effect = "the kernel kills the server when all are"
    yield Hit(
        message=f"the {len(models)} models that may be loaded at once take {gib(total)} with "
        f"their context, of {gib(have)}: {effect}",
        place=_place(view, LOADED),
        severity=None if killed else "info",
        fix="lower OLLAMA_MAX_LOADED_MODELS, the slots or the context",
    )


def _place(view: View, name: str) -> Place:
    variable = view.variable(name)
    return variable.place if variable else view.at(f"ollama.{name.removeprefix('OLLAMA_').lower()}")


@Rule(
    id="HW512",
    title="parallel requests to a model that gets one slot",
    why="For some architectures, and for all embedding models, the scheduler sets the slots to one "
    "with a line in its log at most; `ollama ps` does not show it. Requests wait for each other "
    "however high OLLAMA_NUM_PARALLEL is.",
    bad="OLLAMA_NUM_PARALLEL=4    # and qwen3.5:27b",
    good="OLLAMA_NUM_PARALLEL=1    # or another instance beside it",
    source="server/sched.go@v0.32.15:499-509; ollama#17556",
)
def one_slot_only(view: View, facts: Facts) -> Hits:
    slots = slots_of(view, facts)
    if slots == 1:
        return
    for used in view.models:
        entry = facts.one_slot(used.base or used.name)
        if entry is None:
            continue
        why = f"its architecture, {entry.architecture}, is not served in parallel"
        fix = "count on one request at a time, or run another instance of the server"
        if embeds := entry.architecture == "embedding":
            why = "embedding models always do"
            fix = "nothing to mend: one request after the other is quick"
        yield Hit(
            message=f"`{used.name}` gets one slot, not {slots}: {why}",
            place=used.place,
            severity="info" if embeds else None,
            fix=fix,
            link=entry.source,
        )
