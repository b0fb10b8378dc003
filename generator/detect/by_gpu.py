"""Rules about GPUs: what computes, which cards, and what they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.detect.situation import Choice, LeftOut

if TYPE_CHECKING:
    from generator.detect.detected import Gpu
    from generator.detect.situation import Situation


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
    if gpu.fault:
        return gpu.fault
    return "Ollama does not use it by itself" if gpu.memory else "its memory is not known"


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
