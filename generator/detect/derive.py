"""Derive the tuning of a machine: RULES in the order of the profile's keys.

A rule is a pure function of the Situation. It returns a value with its reason, or why the key is
left out: what `resolve` or the server decides well is not decided twice.

More cores never give fewer threads; a quota takes one of them, for the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.detect import by_memory
from generator.detect.root import written_list
from generator.detect.situation import Choice, LeftOut
from generator.host import threads_for
from generator.units import cpu_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.detect.detected import Gpu
    from generator.detect.situation import Situation

    Answer = Choice | LeftOut | tuple[Choice, ...] | None

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
    """A model on a spinning disk takes minutes to load again."""
    if at.found.disk.kind != "hdd":
        return None
    reason = "models lie on a spinning disk, from which 8 GB take a minute; the default is 5m"
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
    why = ", for which ROCm has no kernels" if at.acceleration == "vulkan" else ""
    one = " CUDA takes one MIG slice, the largest." if any(gpu.mig for gpu in at.gpus) else ""
    return Choice(key, at.acceleration, f"for {_names(at)}{why}.{one}{beside}")


def _unused(gpu: Gpu) -> str:
    idle = "Ollama does not use it by itself" if gpu.memory else "its memory is not known"
    return gpu.fault or idle


def _names(at: Situation) -> str:
    return ", ".join(dict.fromkeys(gpu.name for gpu in at.gpus))


def visible_devices(at: Situation) -> Choice | LeftOut:
    """Several cards by UUID: their numbers change with a slot, a driver or a BIOS."""
    key = "gpu.visible_devices"
    named = [gpu.uuid for gpu in at.gpus if gpu.uuid]
    needed = len(at.gpus) > 1 or any(gpu.mig for gpu in at.gpus)
    if at.acceleration in {"cuda", "rocm"} and needed and len(named) == len(at.gpus):
        return Choice(key, named, f"{_names(at)}: by UUID, which no slot and no BIOS changes.")
    if at.on_cpu:
        return LeftOut(key, "no GPU computes.")
    if len(at.found.gpus) > len(at.gpus):
        return LeftOut(key, f"the server takes {_names(at)} by itself, and none beside.")
    return LeftOut(key, "all that there are.")


def flash_attention(at: Situation) -> LeftOut:
    """Leave it to the release, which knows its kernels."""
    key = "ollama.flash_attention"
    known = [g for g in at.generations if g is not None]
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
    key, quota = "threads.count", at.quota
    fast = at.found.usable.performance_cores if at.on_cpu else 0
    cores = fast or at.found.usable.cores
    count = threads_for(cores, at.found.usable.threads, quota)
    if not at.on_cpu:
        return _beside_gpu(at, count)
    if count < cores:
        return Choice(key, count, f"what the quota of {quota}% holds beside the server itself.")
    if fast:
        reason = f"the {fast} performance cores: a slow core makes the others wait at every layer"
        return Choice(key, count, f"{reason}. Measure again with more if in doubt.")
    return LeftOut(key, "one thread per physical core of the host.")


def _beside_gpu(at: Situation, count: int) -> Choice | LeftOut:
    cores = at.found.cpu.cores
    if 0 < count < cores:
        reason = f"the bounds here leave {count} of {cores} cores, which llama-server does not see"
        return Choice("threads.count", count, f"{reason}: it would start one per core.")
    return LeftOut("threads.count", "with the model on the GPU its threads have little to do.")


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


RULES: Final[tuple[Callable[[Situation], Answer], ...]] = (
    version,
    acceleration,
    by_memory.context_length,
    by_memory.num_parallel,
    by_memory.max_loaded_models,
    by_memory.kv_cache_type,
    flash_attention,
    keep_alive,
    by_memory.prompt_cache,
    cpu_quota,
    by_memory.memory_max,
    by_memory.swap,
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
