"""Derive the tuning of a machine: RULES in the order of the profile's keys.

A rule is a pure function of the Situation. It returns a value with its reason, or why the key is
left out: what `resolve` or the server decides well is not decided twice.

More memory never lowers a value that takes memory. The steps lie below the sizes that are sold: the
kernel shows 31 GiB of 32, a card 23.6 of 24. More cores never give fewer threads; a quota takes one
of them, for the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.detect.root import written_list
from generator.detect.situation import Choice, LeftOut, written_gib
from generator.host import threads_for
from generator.units import GIB, MIB, cpu_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.detect.detected import Gpu
    from generator.detect.situation import Situation

    Answer = Choice | LeftOut | tuple[Choice, ...] | None

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
_DEFAULT_BINARY: Final = "/usr/local/bin/ollama"


def version(at: Situation) -> Choice | LeftOut:
    """The installed release, if the Catalogue has facts about it."""
    if at.asked:
        young = "" if at.facts.known else "; the catalogue does not know it"
        return Choice("ollama.version", at.asked, f"the release that this was asked for{young}.")
    there = at.found.ollama.version
    if there and str(at.facts.release) == there and at.facts.known:
        return Choice("ollama.version", there, "the release that is installed.")
    if there:
        return LeftOut("ollama.version", f"{there} is installed, which is not known; newest known.")
    return LeftOut("ollama.version", "none is installed; the newest known.")


def keep_alive(at: Situation) -> Choice | None:
    """A model on a spinning disk or on another machine takes minutes to load again."""
    slow = {"hdd": "a spinning disk", "network": "a network file system"}
    disk = slow.get(at.found.disk.kind)
    if disk is None:
        return None
    reason = f"models lie on {disk}, from which 8 GB take a minute; the default is 5m"
    return Choice("ollama.keep_alive", "1h", f"{reason}.")


def binary(at: Situation) -> Choice | None:
    """The program, where it is not the official installer's place."""
    there = at.found.ollama
    if there.kind == "nixos" or there.binary in {"", _DEFAULT_BINARY}:
        return None
    return Choice("service.binary", there.binary, "where it is installed.")


def acceleration(at: Situation) -> Choice:
    """The library that serves the GPUs; the CPU where none does."""
    key = "ollama.acceleration"
    if at.on_cpu:
        why = "; ".join(f"{gpu.name}: {_unused(gpu)}" for gpu in at.found.gpus)
        return Choice(key, "cpu", f"no GPU can be used: {why}." if why else "there is no GPU.")
    used = {(gpu.bus, gpu.uuid) for gpu in at.gpus}
    others = [gpu.name for gpu in at.found.gpus if (gpu.bus, gpu.uuid) not in used]
    beside = f" {', '.join(dict.fromkeys(others))}: left alone." if others else ""
    amd = at.acceleration == "vulkan" and any(gpu.vendor == "amd" for gpu in at.gpus)
    why = ", for which ROCm has no kernels" if amd else ""
    one = " CUDA takes one MIG slice, the largest." if any(gpu.mig for gpu in at.gpus) else ""
    told = "" if at.admitted else " It is integrated, and the server is told to take it."
    return Choice(key, at.acceleration, f"for {_names(at)}{why}.{one}{told}{beside}")


def _unused(gpu: Gpu) -> str:
    if gpu.unified and gpu.vendor != "nvidia":
        return gpu.fault or "the processor that it is in computes as fast, or it is not known"
    idle = "nothing in this release computes on it" if gpu.memory else "its memory is not known"
    return gpu.fault or idle


def _names(at: Situation) -> str:
    return ", ".join(dict.fromkeys(gpu.name for gpu in at.gpus))


def visible_devices(at: Situation) -> Choice | LeftOut:
    """Cards that differ, by UUID: their numbers change with a slot, a driver or a BIOS."""
    key = "gpu.visible_devices"
    named = [gpu.uuid for gpu in at.gpus if gpu.uuid]
    sliced = any(gpu.mig for gpu in at.gpus)
    alike = len({(gpu.name, gpu.memory) for gpu in at.gpus}) == 1 and not sliced
    if alike and len(at.gpus) > 1:
        return LeftOut(key, f"all {len(at.gpus)}, also one that replaces another: they are alike.")
    needed = len(at.gpus) > 1 or sliced
    if at.acceleration in {"cuda", "rocm"} and needed and len(named) == len(at.gpus):
        why = "by UUID, which no slot and no BIOS changes"
        new = "the slice has another once it is made anew" if sliced else "a new card has another"
        return Choice(key, named, f"{_names(at)}: {why}. Write it here then: {new}.")
    if at.on_cpu:
        return LeftOut(key, "no GPU computes.")
    if len(at.found.gpus) > len(at.gpus):
        return LeftOut(key, f"the server takes {_names(at)} by itself, and none beside.")
    return LeftOut(key, "all that there are.")


def flash_attention(at: Situation) -> LeftOut:
    """Leave it to the release, which knows its kernels."""
    key = "ollama.flash_attention"
    known = at.generations
    if at.acceleration == "cuda" and known and all(g.flash_attention for g in known):
        names = ", ".join(dict.fromkeys(g.name for g in known))
        return LeftOut(key, f"Ollama {at.facts.release} turns it on for {names} by itself.")
    return LeftOut(key, f"Ollama {at.facts.release} decides by device and model.")


def resume_fix(at: Situation) -> Choice | LeftOut | None:
    """Desktops and laptops sleep, and lose an NVIDIA GPU by it; servers and guests do not."""
    key, system, chassis = "service.resume_fix", at.found.system, at.found.product.chassis
    if at.acceleration != "cuda" or system.container or any(gpu.unified for gpu in at.gpus):
        return None
    if system.hypervisor or chassis == "server":
        what = "a virtual machine" if system.hypervisor else "a server"
        return Choice(key, False, f"{what} does not sleep.")
    if chassis:
        reason = f"a {chassis} sleeps, and after that the server would compute on the CPU"
        return Choice(key, True, f"{reason}.")
    return LeftOut(key, "what kind of machine this is is not told; set it to true if it sleeps.")


def threads(at: Situation) -> Choice | LeftOut:
    """One per physical core, the fast ones where there are two kinds, within the quota."""
    key, quota, every = "threads.count", at.quota, at.found.cpu.cores
    fast = at.found.usable.performance_cores if at.on_cpu else 0
    cores = fast or at.found.usable.cores
    count = threads_for(cores, at.found.usable.threads, quota)
    if not at.on_cpu and 0 < count < every:
        reason = f"the bounds here leave {count} of {every} cores, which llama-server does not see"
        return Choice(key, count, f"{reason}: it would start one per core.")
    if not at.on_cpu:
        return LeftOut(key, "with the model on the GPU its threads have little to do.")
    if count < cores:
        return Choice(key, count, f"what the quota of {quota}% holds beside the server itself.")
    if fast:
        reason = f"the {fast} performance cores: a slow core makes the others wait at every layer"
        return Choice(key, count, f"{reason}. Measure again with more if in doubt.")
    return LeftOut(key, "one thread per physical core of the host.")


def cpu_quota(at: Situation) -> Choice | LeftOut:
    """The quota that a control group sets; otherwise none is tighter than the threads need."""
    key, quota, bound = "resources.cpu_quota", at.quota, at.found.bounds.quota
    if quota is None or not bound:
        return LeftOut(key, "derived: one CPU above the threads, or no bound at all.")
    if quota <= 100:  # noqa: PLR2004 -- percent of one CPU
        return LeftOut(key, f"{bound.where} allows {quota}%: one thread alone would use that up.")
    reason = f"{bound.where} allows no more"
    return Choice(key, f"{quota}%", f"{reason}; threads beyond it would stall.")


def numa(at: Situation) -> tuple[Choice, ...]:
    """Spread the weights over the memory of all nodes that the threads run on."""
    allowed = cpu_list(at.found.bounds.cpus) or frozenset()
    nodes = [
        node.id
        for node in at.found.cpu.nodes
        if node.memory and (not allowed or (cpu_list(node.cpus) or frozenset()) & allowed)
    ]
    if not at.on_cpu or len(nodes) < 2:  # noqa: PLR2004 -- one node has nothing to spread over
        return ()
    reason = (
        f"weights over the memory of all {len(nodes)} nodes: loaded by one thread they would lie "
        f"on one, and the other sockets read them over the link between. Threads bound to one "
        f"node can be faster for small models: measure both."
    )
    return (
        Choice("resources.numa_policy", "interleave", reason),
        Choice("resources.numa_mask", written_list(nodes), "the nodes that have CPUs and memory."),
    )


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
    why = f"tokens per slot, for {what}: {tokens * 128 // 1024} MiB of f16 KV cache for an 8B model"
    return Choice("ollama.context_length", tokens, f"{why}; the server alone would take {own}.")


def num_parallel(at: Situation) -> Choice | LeftOut:
    """Several slots where a GPU has the memory for their contexts; a CPU gains nothing by them."""
    slots = step(SLOTS, at.gpu_memory, 1)
    if at.on_cpu or slots == 1:
        shared = "slots share the CPU, so that more of them answer later"
        why = shared if at.on_cpu else "each further slot takes the memory of a whole context"
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
    known = at.generations
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


RULES: Final[tuple[Callable[[Situation], Answer], ...]] = (
    version,
    acceleration,
    context_length,
    num_parallel,
    max_loaded_models,
    kv_cache_type,
    flash_attention,
    keep_alive,
    prompt_cache,
    cpu_quota,
    memory_max,
    swap,
    numa,
    threads,
    visible_devices,
    binary,
    resume_fix,
)


def derive(at: Situation) -> tuple[Choice | LeftOut, ...]:
    """Return what each rule has to say, in order."""
    answers: list[Choice | LeftOut] = []
    for rule in RULES:
        found = rule(at) or ()
        answers += found if isinstance(found, tuple) else (found,)
    return tuple(answers)
