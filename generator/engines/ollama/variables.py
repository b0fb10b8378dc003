"""What the profile says of the server: typed keys, `env` for everything else, and its address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.api import METRICS
from generator.engines.ollama.decision import legacy, lever, note, omission, plain, reads, setting
from generator.engines.ollama.jobs import warms
from generator.engines.ollama.rules.helpers.names import name_fault
from generator.engines.ollama.rules.helpers.values import value_fault
from generator.errors import Problem
from generator.fit.kv import PLAIN
from generator.plan import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.base import Case
    from generator.engines.ollama.decision import Decisions
    from generator.errors import Finding
    from generator.plan import Group, Source


# A profile key of `[ollama]`: the variable that it becomes, and why it is set.
TYPED: Final = {
    "context_length": ("OLLAMA_CONTEXT_LENGTH", "Tokens of context per request slot."),
    "num_parallel": ("OLLAMA_NUM_PARALLEL", "Request slots per model; each has its own KV cache."),
    "max_loaded_models": ("OLLAMA_MAX_LOADED_MODELS", "Models resident at the same time."),
    "max_queue": (
        "OLLAMA_MAX_QUEUE",
        "Requests that may wait for a model to be loaded; one more is answered 503.",
    ),
    "keep_alive": ("OLLAMA_KEEP_ALIVE", "How long an idle model stays loaded."),
    "load_timeout": ("OLLAMA_LOAD_TIMEOUT", "Gives up on a load without progress after this."),
    "origins": (
        "OLLAMA_ORIGINS",
        "Further origins that browsers may call from; no access control.",
    ),
    "debug": ("OLLAMA_DEBUG", "Verbose log."),
    "noprune": ("OLLAMA_NOPRUNE", "Keeps unused blobs at start."),
    "no_cloud": ("OLLAMA_NO_CLOUD", "No cloud models, no remote inference."),
}

# The keys of the profile that stand for a variable, so that `env` may not say otherwise, and in
# which `gen import` puts what a file sets. The first three never reach the server on NixOS: the
# module writes its own over them.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "OLLAMA_HOST": ("ollama.host", "ollama.port"),
    "OLLAMA_MODELS": ("ollama.models_dir",),
    "HOME": ("service.home",),
    "OLLAMA_FLASH_ATTENTION": ("ollama.flash_attention",),
    "OLLAMA_KV_CACHE_TYPE": ("ollama.kv_cache_type",),
    "OLLAMA_LLM_LIBRARY": ("ollama.llm_library",),
    "OLLAMA_SCHED_SPREAD": ("ollama.sched_spread",),
    "OLLAMA_GPU_OVERHEAD": ("ollama.gpu_overhead",),
    "CUDA_VISIBLE_DEVICES": ("gpu.visible_devices",),
    "CUDA_DEVICE_ORDER": ("gpu.device_order",),
    "LLAMA_ARG_THREADS": ("threads.count",),
    "LLAMA_ARG_N_GPU_LAYERS": ("gpu.layers",),
    "LLAMA_ARG_CACHE_RAM": ("ollama.prompt_cache",),
} | {variable: (f"ollama.{key}",) for key, (variable, _) in TYPED.items()}


def text(value: object) -> str:
    """Spell a value so that no release misreads it: booleans as 1 and 0, lists by commas."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def decide(case: Case) -> Decisions:
    """Emit the variables of `[ollama]` that are not about GPUs or threads."""
    for key, (name, reason) in TYPED.items():
        value, where = getattr(case.profile.ollama, key), f"ollama.{key}"
        if value is not None and key == "context_length":
            yield from lever(case, name, "num_ctx", text(value), where=where, reason=reason)
        elif value is not None:
            yield from setting(case, name, text(value), where=where, reason=reason)
    yield from _flash_attention(case)
    yield from _kv_cache_type(case)
    yield from _prompt_cache(case)
    yield from _metrics(case)
    yield from _env(case)
    yield from _warmup(case)


def _metrics(case: Case) -> Decisions:
    """Have the program of each model tell its tokens, where they are watched and it can."""
    watched = case.profile.monitor.enable and case.profile.monitor.runner_metrics
    if watched and reads(case, METRICS) and METRICS not in case.profile.ollama.env:
        reason = "Tokens are told on the loopback port of each model; `monitor` reads them there."
        yield plain(METRICS, "1", reason, "monitor.runner_metrics", "derived")


def _warmup(case: Case) -> Decisions:
    """Say that the warm-up is a job, to whoever switches it on and may look for the variable."""
    if not warms(case.profile):
        return
    yield from legacy(case, "warmup.enable", "true")
    names = case.facts.legacy_names("warmup.enable")
    if names and case.profile.warmup.enable and not case.legacy_env:
        message = "No release reads it; the warm-up is a job of its own."
        yield omission(f"{names[0]}=true", message, "warmup.enable")


def _flash_attention(case: Case) -> Decisions:
    """Set it as the profile chooses, or for the KV cache that needs it."""
    chosen, kv_type = case.profile.ollama.flash_attention, case.profile.ollama.kv_cache_type
    where = "ollama.flash_attention"
    source: Source = "profile"
    reason = "Smaller compute buffers, and what a quantised KV cache needs."
    if chosen is None:
        if kv_type is None or kv_type in PLAIN:
            return
        where, source = "ollama.kv_cache_type", "derived"
        reason = f"The {kv_type} KV cache needs it; left alone, the server may do without."
    elif not chosen:
        yield _off(case, where)
        reason = "Off, as the profile asks; costs compute-buffer memory and rules out a quantised "
        reason += "KV cache."
    elif _idle_on_cpu(case):
        fact, release = case.facts.behaviours["flash-attention-on-cpu"], case.facts.release
        message = f"flash attention does nothing on a CPU in Ollama {release}; it does since"
        yield note("HW105", f"{message} {fact.since}", where, link=fact.source)
        reason = "No effect on a CPU in this release."
    value = text(chosen is not False)
    yield from setting(
        case, "OLLAMA_FLASH_ATTENTION", value, where=where, reason=reason, source=source
    )


def _idle_on_cpu(case: Case) -> bool:
    return case.acceleration == "cpu" and not case.facts.behaves("flash-attention-on-cpu")


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
    where, release = "ollama.kv_cache_type", case.facts.release
    message = f"`{kv_type}` needs flash attention, which this profile turns off"
    if case.facts.behaves("kv-type-load-error"):
        message += f": every load would fail on Ollama {release}"
        yield Problem(where, message, "remove `flash_attention = false`, or write `f16`")
        return
    reason = "It needs flash attention, which the profile turns off; the cache is f16."
    yield omission(f"OLLAMA_KV_CACHE_TYPE={kv_type}", reason, where)
    message += f"; Ollama {release} would warn and use f16, so it is left out"
    link = case.facts.behaviours["kv-type-load-error"].source
    yield note("HW107", message, where, fix="remove `flash_attention = false`", link=link)


def _env(case: Case) -> Decisions:
    """Emit them; refuse those with a key of their own and those that stop every load."""
    for name, value in case.profile.ollama.env.items():
        where = f"ollama.env.{name}"
        if name in KEYS:
            message = f"`{name}` has a key of its own"
            yield Problem(where, message, f"write {' and '.join(KEYS[name])}")
        elif fault := _misread(case, name, value):
            yield Problem(where, fault, "mend or remove it")
        else:
            yield plain(name, value, _comment(case, name), where)


def _misread(case: Case, name: str, value: str) -> str:
    """Return why llama-server would exit on this value, or read another: it parses each first."""
    if fault := value_fault(name, value, case.facts):
        return fault.what + (", and no model would load" if fault.breaks else "")
    variable = case.facts.variable(name)
    if variable is None or not variable.known:
        return ""
    if variable.dangerous:
        return f"breaks every model ({variable.effect.rstrip('.')})"
    flash_attention = case.profile.ollama.flash_attention
    if name in _KV_ARGUMENTS and value not in PLAIN and flash_attention is False:
        message = f"`{value}` needs flash attention, which this profile turns off"
        return f"{message}, and no model would load"
    return ""


_KV_ARGUMENTS: Final = ("LLAMA_ARG_CACHE_TYPE_K", "LLAMA_ARG_CACHE_TYPE_V")


def _comment(case: Case, name: str) -> str:
    """Return the comment of a variable that is emitted as written; rules say what is wrong."""
    fault = name_fault(name, case.facts)
    variable = case.facts.variable(name)
    if fault is not None and fault.rule != "HW104":
        return f"Not read by Ollama {case.facts.release}: {fault.what}; as the profile has it."
    if variable is not None:
        return variable.effect
    if case.facts.runner_reads(name):
        return "Read by llama-server, for every model; as the profile has it."
    return "As the profile has it; not a variable this catalogue knows."


def connection(case: Case) -> Iterator[Setting]:
    """Yield them; a container expresses them by ports and mounts."""
    table, listen = case.profile.ollama, case.listen
    source: Source = "profile" if table.model_fields_set & {"host", "port"} else "default"
    keys, stored = "Where the server keeps its keys.", "Where models are stored."
    found: tuple[tuple[str, str | None, str, str, Group, Source], ...] = (
        ("HOME", case.home, keys, "service.home", "service", "profile"),
        (listen.variable, listen.address, listen.reason, "ollama.host", "server", source),
        ("OLLAMA_MODELS", table.models_dir, stored, "ollama.models_dir", "server", "profile"),
    )
    for name, value, why, key, group, by in found:
        if value:
            yield Setting(
                name=name, value=value, reason=why, source=by, group=group, key=key, scope="host"
            )
