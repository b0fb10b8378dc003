"""The `[ollama]` table: typed keys, and `env` for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama import env
from generator.engines.ollama.decision import legacy, lever, note, omission, reads, setting
from generator.engines.ollama.jobs import warms
from generator.engines.ollama.spelling import TYPED, text
from generator.errors import Problem
from generator.fit.kv import PLAIN

if TYPE_CHECKING:
    from generator.engines.base import Case
    from generator.engines.ollama.decision import Decisions
    from generator.engines.ollama.spelling import Typed
    from generator.errors import Finding


def decide(case: Case) -> Decisions:
    """Emit the variables of `[ollama]` that are not about GPUs or threads."""
    for typed in TYPED:
        value = getattr(case.profile.ollama, typed.key)
        if value is not None:
            yield from _typed(case, typed, value)
    yield from _flash_attention(case)
    yield from _kv_cache_type(case)
    yield from _prompt_cache(case)
    yield from env.decide(case)
    yield from _warmup(case)


def _warmup(case: Case) -> Decisions:
    """Say that the warm-up is a job, where names that look like a switch for it are known."""
    if not warms(case.profile):
        return
    yield from legacy(case, "warmup.enable", "true")
    names = case.facts.legacy_names("warmup.enable")
    if names and not case.legacy_env:
        message = "No release reads it; the warm-up is a job of its own."
        yield omission(f"{names[0]}=true", message, "warmup.enable")


def _typed(case: Case, typed: Typed, value: object) -> Decisions:
    where = f"ollama.{typed.key}"
    name, written, reason = typed.variable, text(value), typed.reason
    if typed.key == "context_length":
        yield from lever(case, name, "num_ctx", written, where=where, reason=reason)
    else:
        yield from setting(case, name, written, where=where, reason=reason)


def _flash_attention(case: Case) -> Decisions:
    """Set it as the profile chooses, or for the KV cache that needs it."""
    chosen, kv_type = case.profile.ollama.flash_attention, case.profile.ollama.kv_cache_type
    name, where = "OLLAMA_FLASH_ATTENTION", "ollama.flash_attention"
    if chosen is None and kv_type is not None and kv_type not in PLAIN:
        reason = f"The {kv_type} KV cache needs it; left alone, the server may do without."
        key = "ollama.kv_cache_type"
        yield from setting(case, name, "1", where=key, reason=reason, source="derived")
    elif chosen is False:
        yield _off(case, where)
        reason = (
            "Off, as the profile asks; costs compute-buffer memory and rules out a quantised KV "
            "cache."
        )
        yield from setting(case, name, "0", where=where, reason=reason)
    elif chosen and _idle_on_cpu(case):
        yield _idle(case, where)
        reason = "No effect on a CPU in this release."
        yield from setting(case, name, "1", where=where, reason=reason)
    elif chosen:
        reason = "Smaller compute buffers, and what a quantised KV cache needs."
        yield from setting(case, name, "1", where=where, reason=reason)


def _idle_on_cpu(case: Case) -> bool:
    return case.acceleration == "cpu" and not case.facts.behaves("flash-attention-on-cpu")


def _idle(case: Case, where: str) -> Finding:
    fact = case.facts.behaviours["flash-attention-on-cpu"]
    message = f"flash attention does nothing on a CPU in Ollama {case.facts.release}; it does since"
    return note("HW105", f"{message} {fact.since}", where, link=fact.source)


def _off(case: Case, where: str) -> Finding:
    return note(
        "HW112",
        "flash attention is off: compute buffers grow with the context, and a quantised KV cache "
        "is not possible; the kernels that Ollama ships are its own and support this hardware",
        where,
        fix="leave `flash_attention` out, unless this host has shown a fault with it",
        link=case.facts.behaviours["flash-attention-obeyed"].source,
    )


_KV_REASONS: Final = {
    "q8_0": "About half the KV memory of f16; needs flash attention.",
    "q4_0": "About a quarter of the KV memory of f16, at some quality; needs flash attention.",
}


def _kv_cache_type(case: Case) -> Decisions:
    kv_type = case.profile.ollama.kv_cache_type
    if kv_type is None:
        return
    where = "ollama.kv_cache_type"
    quantised = kv_type not in PLAIN
    if quantised and case.profile.ollama.flash_attention is False:
        yield from _kv_without_flash_attention(case, kv_type)
        return
    reason = _KV_REASONS.get(kv_type, "Element type of the KV cache.")
    if quantised and _idle_on_cpu(case):
        reason = "No effect on a CPU in this release, which keeps f16."
        yield note("HW105", f"Ollama {case.facts.release} keeps an f16 KV cache on a CPU", where)
    yield from setting(case, "OLLAMA_KV_CACHE_TYPE", kv_type, where=where, reason=reason)


def _prompt_cache(case: Case) -> Decisions:
    size, name = case.profile.ollama.prompt_cache, "LLAMA_ARG_CACHE_RAM"
    if size is None:
        return
    value = "-1" if size == "infinity" else str(size // 2**20)
    if not reads(case, name):
        message = "Before llama-server there was no prompt cache to bound."
        yield omission(f"{name}={value}", message, "ollama.prompt_cache")
        return
    reason = "MiB of host memory for earlier prompts, per loaded model; 8192 if left alone."
    yield from setting(case, name, value, where="ollama.prompt_cache", reason=reason)


def _kv_without_flash_attention(case: Case, kv_type: str) -> Decisions:
    where = "ollama.kv_cache_type"
    link = case.facts.behaviours["kv-type-load-error"].source
    if case.facts.behaves("kv-type-load-error"):
        yield Problem(
            where,
            f"`{kv_type}` needs flash attention, which this profile turns off: "
            f"every load would fail on Ollama {case.facts.release}",
            "remove `flash_attention = false`, or write `f16`",
        )
        return
    yield omission(
        f"OLLAMA_KV_CACHE_TYPE={kv_type}",
        "It needs flash attention, which the profile turns off; the cache is f16.",
        where,
    )
    yield note(
        "HW107",
        f"`{kv_type}` needs flash attention, which this profile turns off; Ollama "
        f"{case.facts.release} would warn and use f16, so it is left out",
        where,
        fix="remove `flash_attention = false`",
        link=link,
    )
