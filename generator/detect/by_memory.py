"""Rules about memory. More memory never lowers a value that takes memory.

The steps lie below the sizes that are sold: the kernel shows 31 GiB of 32, a card 23.6 of 24.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.detect.situation import Choice, LeftOut
from generator.units import GIB, MIB, written_size

if TYPE_CHECKING:
    from generator.detect.situation import Situation

# (GiB from which on, tokens per slot). A token of an 8B model takes 128 KiB of f16 KV cache, so
# that 8192 take 1 GiB; beside the weights that is all that 8 GiB of host memory leave to a service.
# The CPU reads long prompts too slowly for more than 16384.
GPU_CONTEXT: Final = ((7.5, 8192), (15, 16384), (22, 32768), (160, 65536))
CPU_CONTEXT: Final = ((7.5, 4096), (9, 8192), (60, 16384))
# (GiB of GPU memory from which on, slots). Each slot has the whole context.
SLOTS: Final = ((46, 2), (90, 4))
# (GiB of host memory from which on, models at once), on a CPU; three is the server's own default.
MODELS: Final = ((0, 1), (15, 2), (30, 3))
DEFAULT_MODELS: Final = 3
ONE_8B: Final = 7.5  # GiB of host memory that an 8B model wants
DEFAULT_CACHE_MIB: Final = 8192
LEAST_CACHE_MIB: Final = 128
# (GiB of host memory from which on, MiB for each runner), on a CPU: an eighth at most over all of
# MODELS. Two 8B models and two such caches must fit into the 13 GiB that 15 leave, so that the
# step to 1024 comes after the second model. From 48 GiB on the default takes half at most.
CPU_CACHE: Final = ((1, 128), (2, 256), (4, 512), (18, 1024), (48, DEFAULT_CACHE_MIB))
SMALL_GPU: Final = 12 * GIB
_TENSOR_CORES: Final = 7.5


def step(steps: tuple[tuple[float, int], ...], size: int, below: int) -> int:
    """Return the value of the highest step that `size` bytes reach; `below`: none."""
    return max((value for least, value in steps if size >= least * GIB), default=below)


def context_length(at: Situation) -> Choice | LeftOut:
    """Enough for work with documents or code, at a KV cache that leaves room for the weights."""
    size = at.memory if at.on_cpu else at.gpu_memory
    tokens = step(CPU_CONTEXT if at.on_cpu else GPU_CONTEXT, size, 0)
    own = at.facts.context_by_memory(at.gpu_memory)  # since 0.15.5
    if own is None:
        own = at.facts.default_number("OLLAMA_CONTEXT_LENGTH")
    if tokens in {0, own}:
        why = f"the server's own {own} tokens per slot suit this memory"
        return LeftOut("ollama.context_length", f"{why}." if own else "the model decides.")
    what = f"{written_gib(size)} {'of memory' if at.on_cpu else 'of GPU memory'}"
    return Choice(
        "ollama.context_length",
        tokens,
        f"tokens per slot, for {what}: {tokens * 128 // 1024} MiB of f16 KV cache for an 8B "
        f"model; the server alone would take {own}.",
    )


def num_parallel(at: Situation) -> Choice | LeftOut:
    """Several slots where a GPU has the memory for their contexts; a CPU gains nothing by them."""
    slots = step(SLOTS, at.gpu_memory, 1)
    if at.on_cpu or slots == 1:
        why = (
            "slots share the CPU, so that more of them answer later"
            if at.on_cpu
            else "each further slot takes the memory of a whole context"
        )
        return LeftOut("ollama.num_parallel", f"one request at a time: {why}.")
    why = f"requests at once: a GPU computes them together, and {written_gib(at.gpu_memory)} hold"
    return Choice("ollama.num_parallel", slots, f"{why} their contexts beside the weights.")


def max_loaded_models(at: Situation) -> Choice | LeftOut:
    """On a CPU the server does not see the memory limit, so that the number must keep to it."""
    models = step(MODELS, at.memory, 1)
    if not at.on_cpu or models == DEFAULT_MODELS or not at.memory:
        return LeftOut("ollama.max_loaded_models", "three per GPU, or three on a CPU, by default.")
    one = "one 8B model" if at.memory >= ONE_8B * GIB else "one small model"
    room = one if models == 1 else f"{models} models of 8B"
    why = f"{written_gib(at.memory)} hold {room} beside the system; the server does not see the"
    return Choice("ollama.max_loaded_models", models, f"{why} memory limit and would load 3.")


def kv_cache_type(at: Situation) -> Choice | LeftOut:
    """Half the KV cache on a small GPU that has the kernels for it."""
    known = [g for g in at.generations if g is not None]
    fit = at.acceleration == "cuda" and len(known) == len(at.gpus)
    modern = fit and all(g.flash_attention and float(g.capability) >= _TENSOR_CORES for g in known)
    if modern and at.gpu_memory < SMALL_GPU:
        why = "half the KV memory of f16 at a loss that is hardly measured"
        return Choice("ollama.kv_cache_type", "q8_0", f"{why}; remove it for a model that fails.")
    return LeftOut("ollama.kv_cache_type", "f16, the default, loses nothing.")


def prompt_cache(at: Situation) -> Choice | LeftOut:
    """Keep the prompt caches of all runners together within an eighth of the memory."""
    key = "ollama.prompt_cache"
    variable = at.facts.variable("LLAMA_ARG_CACHE_RAM")
    if variable is None or not variable.known:
        return LeftOut(key, "this release has no such cache.")
    runners = step(MODELS, at.memory, 1) if at.on_cpu else DEFAULT_MODELS * len(at.gpus)
    mib = step(CPU_CACHE, at.memory, 0) if at.on_cpu else _share(at.memory, runners)
    if not at.memory or mib == DEFAULT_CACHE_MIB:
        return LeftOut(key, "8 GiB for each runner, the default, leave room enough.")
    who = f"each of {runners} runners" if runners > 1 else "the runner"
    why = f"for the earlier prompts that {who} may keep in host memory"
    return Choice(key, f"{mib}MiB" if mib else 0, f"{why}; the default, 8 GiB, may outgrow it.")


def _share(memory: int, runners: int) -> int:
    """Return the MiB of each runner beside GPUs, whose number does not follow from `memory`."""
    if runners * DEFAULT_CACHE_MIB * MIB <= memory // 2:
        return DEFAULT_CACHE_MIB
    share = memory // 8 // runners // MIB
    return 1 << (share.bit_length() - 1) if share >= LEAST_CACHE_MIB else 0


def memory_max(at: Situation) -> LeftOut:
    """What is derived anyway: all but an eighth."""
    bound = at.found.bounds.memory
    also = f"; {bound.where} bounds it, too" if bound else ""
    return LeftOut("resources.memory_max", f"derived: all but an eighth, 2 GiB at least{also}.")


def swap(at: Situation) -> Choice | None:
    """Keep models out of swap, where there is some."""
    # In a container the engine decides about swap, and what is read is the host's.
    if not at.on_cpu or not at.found.memory.swap or at.found.system.container:
        return None
    why = "this host has swap, and a model that is swapped out answers in minutes"
    return Choice("resources.memory_swap_max", 0, f"{why}.")


def written_gib(size: int) -> str:
    """Return a size for prose, in whole GiB where there is at least one."""
    return written_size(size // GIB * GIB if size >= GIB else size // MIB * MIB)
