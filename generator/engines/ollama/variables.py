"""The `[ollama]` table: typed keys, and `env` for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama import env
from generator.engines.ollama.jobs import warms
from generator.engines.ollama.spelling import TYPED, text
from generator.fit.kv import PLAIN

if TYPE_CHECKING:
    from generator.engines.ollama.draft import Draft
    from generator.engines.ollama.spelling import Typed


def decide(draft: Draft) -> None:
    """Emit the variables of `[ollama]` that are not about GPUs or threads."""
    for typed in TYPED:
        value = getattr(draft.profile.ollama, typed.key)
        if value is not None:
            _typed(draft, typed, value)
    _flash_attention(draft)
    _kv_cache_type(draft)
    _prompt_cache(draft)
    env.decide(draft)
    _warmup(draft)


def _warmup(draft: Draft) -> None:
    """Say that the warm-up is a job, where names that look like a switch for it are known."""
    if not warms(draft.profile):
        return
    names = draft.emit_legacy("warmup.enable", "true")
    if names and not draft.legacy_env:
        told = "No release reads it; the warm-up is a job of its own."
        draft.omit(f"{names[0]}=true", told, "warmup.enable")


def _typed(draft: Draft, typed: Typed, value: object) -> None:
    where = f"ollama.{typed.key}"
    if typed.key == "context_length" and not draft.reads(typed.variable):
        draft.all_models("num_ctx", str(value), where, typed.reason)
        return
    draft.set(typed.variable, text(value), where=where, reason=typed.reason)


def _flash_attention(draft: Draft) -> None:
    chosen, kv_type = draft.profile.ollama.flash_attention, draft.profile.ollama.kv_cache_type
    quantised = kv_type is not None and kv_type not in PLAIN
    if chosen is None and quantised:
        draft.set(
            "OLLAMA_FLASH_ATTENTION",
            "1",
            where="ollama.kv_cache_type",
            reason=f"The {kv_type} KV cache needs it; left alone, the server may do without.",
            source="derived",
        )
    elif chosen is not None:
        reason = _flash_attention_reason(draft, on=chosen)
        draft.set(
            "OLLAMA_FLASH_ATTENTION", text(chosen), where="ollama.flash_attention", reason=reason
        )


def _flash_attention_reason(draft: Draft, *, on: bool) -> str:
    if on and draft.acceleration == "cpu" and not draft.facts.behaves("flash-attention-on-cpu"):
        draft.note(
            "HW105",
            f"flash attention does nothing on a CPU in Ollama {draft.facts.release}; it does since "
            f"{draft.facts.behaviour('flash-attention-on-cpu').since}",
            "ollama.flash_attention",
            link=draft.facts.behaviour("flash-attention-on-cpu").source,
        )
        return "No effect on a CPU in this release."
    if on:
        return "Smaller compute buffers, and what a quantised KV cache needs."
    draft.note(
        "HW112",
        "flash attention is off: compute buffers grow with the context, and a quantised KV cache "
        "is not possible; the kernels that Ollama ships are its own and support this hardware",
        "ollama.flash_attention",
        fix="leave `flash_attention` out, unless this host has shown a fault with it",
        link=draft.facts.behaviour("flash-attention-obeyed").source,
    )
    return (
        "Off, as the profile asks; costs compute-buffer memory and rules out a quantised KV cache."
    )


def _kv_cache_type(draft: Draft) -> None:
    kv_type = draft.profile.ollama.kv_cache_type
    if kv_type is None:
        return
    where = "ollama.kv_cache_type"
    quantised = kv_type not in PLAIN
    if quantised and draft.profile.ollama.flash_attention is False:
        _kv_without_flash_attention(draft, kv_type)
        return
    reason = _KV_REASONS.get(kv_type, "Element type of the KV cache.")
    if (
        quantised
        and draft.acceleration == "cpu"
        and not draft.facts.behaves("flash-attention-on-cpu")
    ):
        reason = "No effect on a CPU in this release, which keeps f16."
        draft.note("HW105", f"Ollama {draft.facts.release} keeps an f16 KV cache on a CPU", where)
    draft.set("OLLAMA_KV_CACHE_TYPE", kv_type, where=where, reason=reason)


def _prompt_cache(draft: Draft) -> None:
    size, name = draft.profile.ollama.prompt_cache, "LLAMA_ARG_CACHE_RAM"
    if size is None:
        return
    value = "-1" if size == "infinity" else str(size // 2**20)
    if not draft.reads(name):
        told = "Before llama-server there was no prompt cache to bound."
        draft.omit(f"{name}={value}", told, "ollama.prompt_cache")
        return
    reason = "MiB of host memory for earlier prompts, per loaded model; 8192 if left alone."
    draft.set(name, value, where="ollama.prompt_cache", reason=reason)


_KV_REASONS: Final = {
    "q8_0": "About half the KV memory of f16; needs flash attention.",
    "q4_0": "About a quarter of the KV memory of f16, at some quality; needs flash attention.",
}


def _kv_without_flash_attention(draft: Draft, kv_type: str) -> None:
    where = "ollama.kv_cache_type"
    link = draft.facts.behaviour("kv-type-load-error").source
    if draft.facts.behaves("kv-type-load-error"):
        draft.problem(
            where,
            f"`{kv_type}` needs flash attention, which this profile turns off: "
            f"every load would fail on Ollama {draft.facts.release}",
            "remove `flash_attention = false`, or write `f16`",
        )
        return
    draft.omit(
        f"OLLAMA_KV_CACHE_TYPE={kv_type}",
        "It needs flash attention, which the profile turns off; the cache is f16.",
        where,
    )
    draft.note(
        "HW107",
        f"`{kv_type}` needs flash attention, which this profile turns off; Ollama "
        f"{draft.facts.release} would warn and use f16, so it is left out",
        where,
        fix="remove `flash_attention = false`",
        link=link,
    )
