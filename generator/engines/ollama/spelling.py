"""Which key of the profile is which variable, and how values are spelled."""

from __future__ import annotations

from typing import Final

from generator.records import dataclass


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
    "LLAMA_ARG_CACHE_RAM": "ollama.prompt_cache",
} | {typed.variable: f"ollama.{typed.key}" for typed in TYPED}


def text(value: object) -> str:
    """Spell a value so that no release misreads it: booleans as 1 and 0, lists by commas."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)
