"""GPUs: which, by what library, and how many layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama import library
from generator.engines.ollama.spelling import text
from generator.units import MIB

if TYPE_CHECKING:
    from generator.engines.ollama.draft import Draft
    from generator.plan import Devices

VISIBLE: Final = {
    "nvidia": "CUDA_VISIBLE_DEVICES",
    "amd": "ROCR_VISIBLE_DEVICES",
    "dri": "GGML_VK_VISIBLE_DEVICES",
}


def decide(draft: Draft) -> None:
    """Emit the GPU variables."""
    devices = draft.case.devices
    if devices is None:
        _no_gpu(draft)
    else:
        draft.emit_legacy("ollama.acceleration", "0")
        _visible_devices(draft, devices)
    library.decide(draft)
    _vulkan(draft)
    _spread(draft)
    _layers(draft)
    _overhead(draft)


def _no_gpu(draft: Draft) -> None:
    """Hide GPUs that are there from a server that shall compute on the CPU."""
    if draft.profile.host.gpus:
        draft.set(
            "CUDA_VISIBLE_DEVICES",
            "-1",
            where="ollama.acceleration",
            reason="Computes on the CPU although the host has a GPU.",
            group="gpu",
            source="derived",
            replaces=draft.emit_legacy("ollama.acceleration", "1"),
        )
    for key in ("visible_devices", "device_order", "layers"):
        if getattr(draft.profile.gpu, key):
            draft.problem(
                f"gpu.{key}",
                "means nothing without acceleration",
                "set ollama.acceleration, or remove it",
            )


def _visible_devices(draft: Draft, devices: Devices) -> None:
    choice = draft.profile.gpu
    if choice.visible_devices:
        draft.set(
            VISIBLE[devices.vendor],
            ",".join(choice.visible_devices),
            where="gpu.visible_devices",
            reason="Only these GPUs, in this order.",
            group="gpu",
            scope="host" if devices.vendor == "nvidia" else "any",
        )
    if devices.vendor != "nvidia":
        return
    by_index = any(index.isdecimal() for index in choice.visible_devices)
    order = choice.device_order or ("PCI_BUS_ID" if by_index else None)
    if order:
        draft.set(
            "CUDA_DEVICE_ORDER",
            order,
            where="gpu.device_order",
            reason="Indices count as nvidia-smi does; read by the CUDA driver, not by Ollama."
            if order == "PCI_BUS_ID"
            else "Indices count by speed; read by the CUDA driver, not by Ollama.",
            group="gpu",
            source="profile" if choice.device_order else "derived",
        )


def _vulkan(draft: Draft) -> None:
    variable = draft.facts.variable("OLLAMA_VULKAN")
    if draft.acceleration != "vulkan" or variable is None:
        return
    if variable.default not in {"true", "1"}:
        reason = "The Vulkan backend is off by default in this release."
        draft.set(
            "OLLAMA_VULKAN",
            "1",
            where="ollama.acceleration",
            reason=reason,
            group="gpu",
            source="derived",
        )


def _spread(draft: Draft) -> None:
    spread = draft.profile.ollama.sched_spread
    if spread is None:
        return
    reason = (
        "Every model on all GPUs, even one that a single GPU could hold."
        if spread
        else "Models are packed on as few GPUs as hold them."
    )
    draft.set(
        "OLLAMA_SCHED_SPREAD", text(spread), where="ollama.sched_spread", reason=reason, group="gpu"
    )


def _layers(draft: Draft) -> None:
    layers = draft.profile.gpu.layers
    if layers is None or draft.acceleration == "cpu":
        return
    dead = draft.emit_legacy("gpu.layers", "999" if layers == "fit" else str(layers))
    if layers == "fit":
        _layers_that_fit(draft, dead)
        return
    reason = "Layers on the GPU; a fixed number turns the automatic fit off."
    if draft.reads("LLAMA_ARG_N_GPU_LAYERS"):
        draft.set(
            "LLAMA_ARG_N_GPU_LAYERS",
            str(layers),
            where="gpu.layers",
            reason=reason,
            group="gpu",
            replaces=dead,
        )
    else:
        draft.all_models("num_gpu", str(layers), "gpu.layers", reason, dead)


def _layers_that_fit(draft: Draft, dead: tuple[str, ...]) -> None:
    by_itself = "as many layers as fit is what the server does by itself"
    if not draft.legacy_env:
        draft.omit(
            " or ".join(f"{name}=999" for name in dead),
            f"Read by no release; {by_itself}, and a forced number turns that off.",
            "gpu.layers",
            "gpu",
        )
    draft.note("HW105", f"nothing is set: {by_itself}", "gpu.layers")


def _overhead(draft: Draft) -> None:
    """Leave memory free on each GPU: bytes before 0.30, whole MiB for the fit since."""
    overhead = draft.profile.ollama.gpu_overhead
    if overhead is None:
        return
    where, reason = "ollama.gpu_overhead", "Memory left free on every GPU"
    if draft.reads("OLLAMA_GPU_OVERHEAD"):
        draft.set(
            "OLLAMA_GPU_OVERHEAD",
            str(overhead),
            where=where,
            reason=f"{reason}, in bytes.",
            group="gpu",
        )
    else:
        mib = -(-overhead // MIB)
        draft.set(
            "LLAMA_ARG_FIT_TARGET",
            str(mib),
            where=where,
            reason=f"{reason}, in MiB; OLLAMA_GPU_OVERHEAD has no effect since 0.30.",
            group="gpu",
        )
