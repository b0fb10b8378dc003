"""HW511 and HW512: what slots, context and models together ask of memory and scheduler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.need import (
    asked,
    default_context,
    known_models,
    least,
)
from generator.fit.ask import may_be_loaded, slots_of
from generator.fit.host import computes_on_cpu, host_of, memory_limit
from generator.fit.kv import kv_of
from generator.rules.rule import Hit, Rule
from generator.units import gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.models import ModelFact
    from generator.fit.ask import Ask
    from generator.view import Place, View


PARALLEL: Final = "OLLAMA_NUM_PARALLEL"
CONTEXT: Final = "OLLAMA_CONTEXT_LENGTH"
LOADED: Final = "OLLAMA_MAX_LOADED_MODELS"
STEP: Final = 1024
LEAST_USEFUL: Final = 2048


@Rule(
    id="HW511",
    severity="warning",
    title="more context, slots and models than the memory holds",
    why="The KV cache is context times OLLAMA_NUM_PARALLEL, for each model. What a GPU cannot hold "
    "the CPU computes, many times slower; beyond a memory limit the server is killed; models that "
    "do not fit together load in turns. Counted, as a lower bound: weights, KV cache and, from "
    "0.30 on, the compute buffer.",
    bad="# 8 GiB of GPU memory, llama3.1:8b\nOLLAMA_CONTEXT_LENGTH=32768\nOLLAMA_NUM_PARALLEL=4",
    good="OLLAMA_CONTEXT_LENGTH=8192\nOLLAMA_NUM_PARALLEL=2\nOLLAMA_KV_CACHE_TYPE=q8_0",
    source="ollama#9246, ollama#12097, ollama#14116",
)
def beyond_memory(view: View, facts: Facts) -> Iterator[Hit]:
    have, models = _memory(view), known_models(view, facts)
    if not have or not models:
        return
    models.sort(key=lambda model: (-least(view, facts, model).total, model.names))
    largest = models[0]
    loaded = models[: may_be_loaded(view, facts)]
    if largest.weight_bytes >= have:
        # Nothing that these settings could mend; on a CPU HW207 reports it.
        return
    if least(view, facts, largest).total > have:
        # Where the release chose the context, HW304 reports it.
        if default_context(view, facts) is None:
            yield _too_large(view, facts, largest, have)
    elif sum(least(view, facts, model).total for model in loaded) > have:
        yield from _too_many(view, facts, loaded, have)


def _memory(view: View) -> int:
    if not computes_on_cpu(view):
        return host_of(view).gpu_memory
    limit = memory_limit(view)
    return limit[0] if limit else 0


def _too_large(view: View, facts: Facts, model: ModelFact, have: int) -> Hit:
    ask = asked(view, facts, model)
    tokens = min(ask.context, model.context)
    each = f"{ask.slots} slots of {tokens}" if ask.slots > 1 else f"a context of {tokens}"
    cpu, need = computes_on_cpu(view), least(view, facts, model).total
    return Hit(
        message=f"`{model.names[0]}` with {each} tokens takes {gib(need)} at the least, "
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


def _too_many(view: View, facts: Facts, models: list[ModelFact], have: int) -> Iterator[Hit]:
    cpu, limit = computes_on_cpu(view), view.bound("memory_max")
    if cpu and sum(model.weight_bytes for model in models) >= have:
        return  # HW207 reports it.
    # The scheduler looks at the memory of the machine, not at the limit of the service.
    killed = cpu and limit is not None and limit.value == have
    if not killed and view.variable(LOADED) is None:
        return  # Nobody asked for all of them at once.
    total = sum(least(view, facts, model).total for model in models)
    yield Hit(
        message=f"the {len(models)} models that may be loaded at once take {gib(total)} with "
        f"their context, of {gib(have)}: "
        + (
            "the kernel kills the server when all are"
            if killed
            else "they cannot all stay loaded, and each load evicts another"
        ),
        place=_place(view, LOADED),
        severity=None if killed else "info",
        fix="lower OLLAMA_MAX_LOADED_MODELS, the slots or the context",
    )


def _place(view: View, name: str) -> Place:
    variable = view.variable(name)
    return variable.place if variable else view.at(f"ollama.{name.removeprefix('OLLAMA_').lower()}")


@Rule(
    id="HW512",
    severity="warning",
    title="parallel requests to a model that gets one slot",
    why="For some architectures, and for all embedding models, the scheduler sets the slots to one "
    "with a line in its log at most; `ollama ps` does not show it. Requests wait for each other "
    "however high OLLAMA_NUM_PARALLEL is.",
    bad="OLLAMA_NUM_PARALLEL=4    # and qwen3.5:27b",
    good="OLLAMA_NUM_PARALLEL=1    # or another instance beside it",
    source="server/sched.go@v0.32.15:499-509; ollama#17556",
)
def one_slot_only(view: View, facts: Facts) -> Iterator[Hit]:
    slots = slots_of(view, facts)
    if slots == 1:
        return
    for used in view.models:
        entry = facts.one_slot(used.base or used.name)
        if entry is None:
            continue
        embeds = entry.architecture == "embedding"
        kind = "embedding models always do" if embeds else f"its architecture, {entry.architecture}"
        yield Hit(
            message=f"`{used.name}` gets one slot, not {slots}: "
            + (kind if embeds else f"{kind}, is not served in parallel"),
            place=used.place,
            severity="info" if embeds else None,
            fix="nothing to mend: one request after the other is quick"
            if embeds
            else "count on one request at a time, or run another instance of the server",
            link=entry.source,
        )
