"""GPUs: which, by what library, and how many layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama import library
from generator.engines.ollama.decision import (
    commented,
    legacy,
    lever,
    note,
    omission,
    reads,
    setting,
)
from generator.engines.ollama.spelling import text
from generator.errors import Problem
from generator.units import MIB

if TYPE_CHECKING:
    from generator.engines.base import Case
    from generator.engines.ollama.decision import Decisions
    from generator.plan import Devices

VISIBLE: Final = {
    "nvidia": "CUDA_VISIBLE_DEVICES",
    "amd": "ROCR_VISIBLE_DEVICES",
    "dri": "GGML_VK_VISIBLE_DEVICES",
}


def decide(case: Case) -> Decisions:
    """Emit the GPU variables."""
    devices = case.devices
    if devices is None:
        yield from _no_gpu(case)
    else:
        yield from legacy(case, "ollama.acceleration", "0")
        yield from _visible_devices(case, devices)
    yield from library.decide(case)
    yield from _vulkan(case)
    yield from _spread(case)
    yield from _layers(case)
    yield from _overhead(case)


def _no_gpu(case: Case) -> Decisions:
    """Hide GPUs that are there from a server that shall compute on the CPU."""
    where, reason = "ollama.acceleration", "Computes on the CPU although the host has a GPU."
    if case.profile.host.gpus:
        yield from legacy(case, where, "1")
        yield from setting(
            case,
            "CUDA_VISIBLE_DEVICES",
            "-1",
            where=where,
            reason=commented(reason, case.facts.legacy_names(where)),
            group="gpu",
            source="derived",
        )
    for key in ("visible_devices", "device_order", "layers"):
        if getattr(case.profile.gpu, key):
            yield Problem(
                f"gpu.{key}",
                "means nothing without acceleration",
                "set ollama.acceleration, or remove it",
            )


def _visible_devices(case: Case, devices: Devices) -> Decisions:
    choice = case.profile.gpu
    if choice.visible_devices:
        yield from setting(
            case,
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
        yield from setting(
            case,
            "CUDA_DEVICE_ORDER",
            order,
            where="gpu.device_order",
            reason="Indices count as nvidia-smi does; read by the CUDA driver, not by Ollama."
            if order == "PCI_BUS_ID"
            else "Indices count by speed; read by the CUDA driver, not by Ollama.",
            group="gpu",
            source="profile" if choice.device_order else "derived",
        )


def _vulkan(case: Case) -> Decisions:
    variable = case.facts.variable("OLLAMA_VULKAN")
    if case.acceleration != "vulkan" or variable is None or variable.default in {"true", "1"}:
        return
    yield from setting(
        case,
        variable.name,
        "1",
        where="ollama.acceleration",
        reason="The Vulkan backend is off by default in this release.",
        group="gpu",
        source="derived",
    )


def _spread(case: Case) -> Decisions:
    spread = case.profile.ollama.sched_spread
    if spread is None:
        return
    reason = (
        "Every model on all GPUs, even one that a single GPU could hold."
        if spread
        else "Models are packed on as few GPUs as hold them."
    )
    yield from setting(
        case,
        "OLLAMA_SCHED_SPREAD",
        text(spread),
        where="ollama.sched_spread",
        reason=reason,
        group="gpu",
    )


def _layers(case: Case) -> Decisions:
    layers = case.profile.gpu.layers
    if layers is None or case.acceleration == "cpu":
        return
    yield from legacy(case, "gpu.layers", "999" if layers == "fit" else str(layers))
    if layers == "fit":
        yield from _layers_that_fit(case)
        return
    yield from lever(
        case,
        "LLAMA_ARG_N_GPU_LAYERS",
        "num_gpu",
        str(layers),
        where="gpu.layers",
        reason="Layers on the GPU; a fixed number turns the automatic fit off.",
        group="gpu",
    )


def _layers_that_fit(case: Case) -> Decisions:
    dead = case.facts.legacy_names("gpu.layers")
    by_itself = "as many layers as fit is what the server does by itself"
    if not case.legacy_env:
        yield omission(
            " or ".join(f"{name}=999" for name in dead),
            f"Read by no release; {by_itself}, and a forced number turns that off.",
            "gpu.layers",
            "gpu",
        )
    yield note("HW105", f"nothing is set: {by_itself}", "gpu.layers")


def _overhead(case: Case) -> Decisions:
    """Leave memory free on each GPU: bytes before 0.30, whole MiB for the fit since."""
    overhead = case.profile.ollama.gpu_overhead
    if overhead is None:
        return
    name, amount, unit = "OLLAMA_GPU_OVERHEAD", overhead, "in bytes."
    if not reads(case, name):
        unit = f"in MiB; {name} has no effect since 0.30."
        name, amount = "LLAMA_ARG_FIT_TARGET", -(-overhead // MIB)
    yield from setting(
        case,
        name,
        str(amount),
        where="ollama.gpu_overhead",
        reason=f"Memory left free on every GPU, {unit}",
        group="gpu",
    )
