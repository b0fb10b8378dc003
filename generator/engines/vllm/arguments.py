"""What the server is told: context, slots, its share of the cards, cache and tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines.vllm.decision import argument, note
from generator.engines.vllm.scheduler.ask import CONTEXT
from generator.engines.vllm.scheduler.share import USUAL, share_of
from generator.errors import Problem
from generator.units import GIB, gib

if TYPE_CHECKING:
    from generator.engines.base import Case
    from generator.engines.vllm.decision import Decisions
    from generator.plan import Source

CACHES = {"f16": "", "bf16": "", "q8_0": "fp8"}
"""Element types of a cache, and what has as many bits; empty: what it takes by itself."""


def arguments(case: Case) -> Decisions:
    """Yield the arguments behind the model."""
    yield from _lengths(case)
    yield from _cards(case)
    yield from _cache(case)
    yield from _moved(case)
    yield from _rest(case)


def _lengths(case: Case) -> Decisions:
    table = case.profile.ollama
    told = [one.parameters.get("num_ctx") for one in case.profile.models]
    context = next((n for n in told if isinstance(n, int) and n > 0), table.context_length)
    where = "ollama.context_length" if context == table.context_length else "models.0.parameters"
    if not context:
        yield from _length(case)
    else:
        why = "Tokens of one request, prompt and answer together; none gets more."
        yield argument(case, "--max-model-len", str(context), where=where, reason=why)
    if table.num_parallel:
        why = "Requests that are computed together; more wait. They share one cache, in blocks."
        number, where = str(table.num_parallel), "ollama.num_parallel"
        yield argument(case, "--max-num-seqs", number, where=where, reason=why)


def _length(case: Case) -> Decisions:
    """Yield a length where nobody says one: by itself it is that of the training, or it ends."""
    known = case.facts.model(case.profile.models[0].name) if case.profile.models else None
    if known is not None and known.context > CONTEXT and case.profile.models[0].hf:
        why = f"Nobody says one. Left out, it is {known.context}, and without room for one such "
        why += "request the server ends at its start."
        where = "ollama.context_length"
        yield argument(
            case, "--max-model-len", str(CONTEXT), where=where, reason=why, source="derived"
        )


def _cards(case: Case) -> Decisions:
    if not case.gpus:
        return
    table = case.profile.vllm
    overhead = case.profile.ollama.gpu_overhead or 0
    share, where, why = share_of(table.gpu_memory_utilization, overhead, case.gpus)
    if share != USUAL:
        source: Source = "profile" if where.startswith("vllm") else "derived"
        yield argument(
            case, "--gpu-memory-utilization", f"{share:g}", where=where, reason=why, source=source
        )
    count, where = parallel(case)
    if count > 1:
        why = "Each layer is split over the cards, which have to be alike."
        yield argument(case, "--tensor-parallel-size", str(count), where=where, reason=why)
    used = len(case.devices.ids) if case.devices and case.devices.ids else len(case.gpus)
    if count < used:
        message = f"{count} of {used} cards computes"
        fix = f"write vllm.tensor_parallel = {used}, or [[instances]] with a card each"
        yield note("HW672", message, "vllm.tensor_parallel", fix)
    if count > used:
        message = f"{count} cards are asked for, and there are {used}"
        yield Problem("vllm.tensor_parallel", message, f"write at most {used}")


def parallel(case: Case) -> tuple[int, str]:
    """Return over how many cards each layer is split, and the key that says so."""
    profile = case.profile
    if profile.vllm.tensor_parallel:
        return profile.vllm.tensor_parallel, "vllm.tensor_parallel"
    named = case.devices.ids if case.devices else ()
    every = len(named) or len(case.gpus)
    return (every if profile.ollama.sched_spread else 1), "ollama.sched_spread"


def _cache(case: Case) -> Decisions:
    kind = case.profile.ollama.kv_cache_type
    if kind is None:
        return
    word = CACHES.get(kind)
    if word is None:
        message = f"vLLM has no cache of {kind}; it is that of the weights"
        yield note("HW670", message, "ollama.kv_cache_type", "write q8_0, which becomes fp8")
    elif word:
        why = f"As {kind}: half the memory for each token, and rounded in another way."
        where = "ollama.kv_cache_type"
        yield argument(case, "--kv-cache-dtype", word, where=where, reason=why)


def moved(case: Case) -> int:
    """Return the bytes of host memory for what has no room on the cards; 0: none."""
    size = case.profile.ollama.prompt_cache
    apart = case.gpus and not any(gpu.unified for gpu in case.gpus)
    return size if isinstance(size, int) and apart and case.acceleration == "cuda" else 0


def _moved(case: Case) -> Decisions:
    """Yield where blocks of earlier prompts go that have no room on the cards."""
    size, where = case.profile.ollama.prompt_cache, "ollama.prompt_cache"
    if size and not moved(case):
        why = "the cache of prompts is in the memory of the host already, and has no second place"
        fix = "leave it out, or keep it for Ollama"
        if size == "infinity":
            why, fix = "host memory for earlier prompts has a bound", "write one, like 16GiB"
        yield note("HW670", f"with vLLM {why}", where, fix)
    elif size:
        why = "Blocks of earlier prompts that have no room on the cards go to shared memory of the "
        why += "host, all of it taken at the start; read from there, they are not computed again."
        number = f"{moved(case) / GIB:g}"
        yield argument(case, "--kv-offloading-size", number, where=where, reason=why)
        if 0 < case.host.memory <= moved(case):
            message = f"{gib(moved(case), 0)} for earlier prompts are taken at the start, and the "
            message += f"host has {gib(case.host.memory, 0)}"
            yield Problem(where, message, "write less")


def _rest(case: Case) -> Decisions:
    table, listen = case.profile.vllm, case.listen
    if table.revision:
        why = "So that a new commit of the repository changes nothing here."
        yield argument(case, "--revision", table.revision, where="vllm.revision", reason=why)
    if table.tool_parser and any(one.role == "embedding" for one in case.profile.models):
        message = "a model that embeds text calls no tools"
        yield note("HW670", message, "vllm.tool_parser", "leave it out")
    elif table.tool_parser:
        where, why = "vllm.tool_parser", "Calls of tools are read from answers."
        yield argument(case, "--enable-auto-tool-choice", where=where, reason=why)
        yield argument(case, "--tool-call-parser", table.tool_parser, where=where, reason="")
    why = "Where it listens."
    yield argument(
        case, "--host", listen.host, where="ollama.host", reason=why, scope="host", source="derived"
    )
    port = str(listen.port)
    yield argument(
        case, "--port", port, where="ollama.port", reason="", scope="host", source="derived"
    )
