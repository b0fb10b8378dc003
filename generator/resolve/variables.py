"""The `[ollama]` table: typed keys, and `env` for everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from generator.plan import Setting

if TYPE_CHECKING:
    from generator.facts import Variable
    from generator.resolve.draft import Draft


@dataclass(frozen=True, slots=True)
class Typed:
    """A profile key of `[ollama]` and the variable that it becomes."""

    key: str
    variable: str
    reason: str


TYPED: Final = (
    Typed("context_length", "OLLAMA_CONTEXT_LENGTH", "Tokens of context per request slot."),
    Typed(
        "num_parallel", "OLLAMA_NUM_PARALLEL", "Request slots per model; each has its own KV cache."
    ),
    Typed("max_loaded_models", "OLLAMA_MAX_LOADED_MODELS", "Models resident at the same time."),
    Typed("max_queue", "OLLAMA_MAX_QUEUE", "Requests that may wait; one more is answered 503."),
    Typed("keep_alive", "OLLAMA_KEEP_ALIVE", "How long an idle model stays loaded."),
    Typed("load_timeout", "OLLAMA_LOAD_TIMEOUT", "Gives up on a load without progress after this."),
    Typed(
        "origins",
        "OLLAMA_ORIGINS",
        "Further origins that browsers may call from; no access control.",
    ),
    Typed("debug", "OLLAMA_DEBUG", "Verbose log."),
    Typed("noprune", "OLLAMA_NOPRUNE", "Keeps unused blobs at start."),
    Typed("no_cloud", "OLLAMA_NO_CLOUD", "No cloud models, no remote inference."),
)

# Variables that a key of the profile stands for, so that `env` may not say otherwise. The first
# three never reach the server on NixOS: the module writes its own over them.
TYPED_ELSEWHERE: Final = {
    "OLLAMA_HOST": "ollama.host and ollama.port",
    "OLLAMA_MODELS": "ollama.models_dir",
    "HOME": "service.home",
    "OLLAMA_FLASH_ATTENTION": "ollama.flash_attention",
    "OLLAMA_KV_CACHE_TYPE": "ollama.kv_cache_type",
    "OLLAMA_LLM_LIBRARY": "ollama.llm_library",
    "OLLAMA_SCHED_SPREAD": "ollama.sched_spread",
    "OLLAMA_GPU_OVERHEAD": "ollama.gpu_overhead",
    "CUDA_VISIBLE_DEVICES": "gpu.visible_devices",
    "CUDA_DEVICE_ORDER": "gpu.device_order",
    "LLAMA_ARG_THREADS": "threads.count",
    "LLAMA_ARG_N_GPU_LAYERS": "gpu.layers",
} | {typed.variable: f"ollama.{typed.key}" for typed in TYPED}


def decide(draft: Draft) -> None:
    """Emit the variables of `[ollama]` that are not about GPUs or threads."""
    for typed in TYPED:
        value = getattr(draft.profile.ollama, typed.key)
        if value is not None:
            _typed(draft, typed, value)
    _flash_attention(draft)
    _kv_cache_type(draft)
    for name, value in draft.profile.ollama.env.items():
        _verbatim(draft, name, value)


def _typed(draft: Draft, typed: Typed, value: object) -> None:
    where = f"ollama.{typed.key}"
    if typed.key == "context_length" and not draft.reads(typed.variable):
        draft.all_models("num_ctx", str(value), where, typed.reason)
        return
    draft.set(typed.variable, text(value), where=where, reason=typed.reason)


def text(value: object) -> str:
    """Spell a value so that no release misreads it: booleans as 1 and 0, lists by commas."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def _flash_attention(draft: Draft) -> None:
    chosen, kv_type = draft.profile.ollama.flash_attention, draft.profile.ollama.kv_cache_type
    quantised = kv_type not in {None, "f16", "f32", "bf16"}
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
    if on and draft.acceleration == "cpu" and not draft.behaves("flash-attention-on-cpu"):
        draft.note(
            "HW105",
            "info",
            f"flash attention does nothing on a CPU in Ollama {draft.release}; it does since "
            f"{draft.catalogue.behaviour('flash-attention-on-cpu').since}",
            "ollama.flash_attention",
            link=draft.catalogue.behaviour("flash-attention-on-cpu").source,
        )
        return "No effect on a CPU in this release."
    if on:
        return "Smaller compute buffers, and what a quantised KV cache needs."
    draft.note(
        "HW112",
        "info",
        "flash attention is off: compute buffers grow with the context, and a quantised KV cache "
        "is not possible; the kernels that Ollama ships are its own and support this hardware",
        "ollama.flash_attention",
        fix="leave `flash_attention` out, unless this host has shown a fault with it",
        link=draft.catalogue.behaviour("flash-attention-obeyed").source,
    )
    return (
        "Off, as the profile asks; costs compute-buffer memory and rules out a quantised KV cache."
    )


def _kv_cache_type(draft: Draft) -> None:
    kv_type = draft.profile.ollama.kv_cache_type
    if kv_type is None:
        return
    where = "ollama.kv_cache_type"
    quantised = kv_type not in {"f16", "f32", "bf16"}
    if quantised and draft.profile.ollama.flash_attention is False:
        _kv_without_flash_attention(draft, kv_type)
        return
    reason = _KV_REASONS.get(kv_type, "Element type of the KV cache.")
    if quantised and draft.acceleration == "cpu" and not draft.behaves("flash-attention-on-cpu"):
        reason = "No effect on a CPU in this release, which keeps f16."
        draft.note("HW105", "info", f"Ollama {draft.release} keeps an f16 KV cache on a CPU", where)
    draft.set("OLLAMA_KV_CACHE_TYPE", kv_type, where=where, reason=reason)


_KV_REASONS: Final = {
    "q8_0": "About half the KV memory of f16; needs flash attention.",
    "q4_0": "About a quarter of the KV memory of f16, at some quality; needs flash attention.",
}


def _kv_without_flash_attention(draft: Draft, kv_type: str) -> None:
    where = "ollama.kv_cache_type"
    link = draft.catalogue.behaviour("kv-type-load-error").source
    if draft.behaves("kv-type-load-error"):
        draft.problem(
            where,
            f"`{kv_type}` needs flash attention, which this profile turns off: "
            f"every load would fail on Ollama {draft.release}",
            "remove `flash_attention = false`, or write `f16`",
        )
        return
    draft.omit(
        f"OLLAMA_KV_CACHE_TYPE={kv_type}",
        "It needs flash attention, which the profile turns off; the cache is f16.",
    )
    draft.note(
        "HW107",
        "warning",
        f"`{kv_type}` needs flash attention, which this profile turns off; Ollama {draft.release} "
        f"would warn and use f16, so it is left out",
        where,
        fix="remove `flash_attention = false`",
        link=link,
    )


def _verbatim(draft: Draft, name: str, value: str) -> None:
    where = f"ollama.env.{name}"
    if name in TYPED_ELSEWHERE:
        draft.problem(where, f"`{name}` has a key of its own", f"write {TYPED_ELSEWHERE[name]}")
        return
    variable = draft.catalogue.variable(name)
    if variable is not None and not _harmless(draft, variable, value, where):
        return
    draft.emit(
        Setting(
            name=name,
            value=value,
            reason=_verbatim_reason(draft, name, variable),
            source="profile",
            group="environment",
        )
    )


def _harmless(draft: Draft, variable: Variable, value: str, where: str) -> bool:
    """Refuse what breaks the server: llama-server exits on a malformed LLAMA_ARG_*."""
    if not variable.known_in(draft.known) or variable.on_invalid != "load-fail":
        return True
    if variable.dangerous:
        draft.problem(
            where, f"`{variable.name}` breaks every model: {variable.effect}", "remove it"
        )
        return False
    number = variable.kind in {"int", "uint"} and not value.lstrip("-").isdecimal()
    if not value.strip() or number:
        what = "is empty" if not value.strip() else f"`{value}` is not a whole number"
        draft.problem(
            where, f"{what}: llama-server exits on it, and no model loads", "mend or remove it"
        )
        return False
    return True


def _verbatim_reason(draft: Draft, name: str, variable: Variable | None) -> str:
    where = f"ollama.env.{name}"
    dead = draft.catalogue.dead(name)
    if dead is not None:
        use = dead.replacement_in(draft.known)
        draft.note(
            "HW101",
            "warning",
            f"no release of Ollama reads `{name}`",
            where,
            fix=f"use {use}" if use else "remove it",
            link=dead.source,
        )
        return "Read by no release of Ollama; as the profile has it."
    if variable is None:
        return "As the profile has it; not a variable this catalogue knows."
    if variable.known_in(draft.known):
        return variable.effect
    removed = variable.removed is not None and draft.known >= variable.removed
    rule, what = (
        ("HW102", f"was removed in {variable.removed}")
        if removed
        else ("HW103", f"is read since {variable.since}")
    )
    use = variable.replacement_in(draft.known)
    draft.note(
        rule,
        "warning",
        f"`{name}` {what}; Ollama {draft.release} ignores it",
        where,
        fix=f"use {use}" if use else "remove it",
        link=variable.source,
    )
    return f"Not read by Ollama {draft.release}: {what}; as the profile has it."
