"""GPUs: which, by what library, with which driver, and how many layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from generator.plan import Devices, Directive, Driver, Step
from generator.resolve import library
from generator.resolve.library import known_generations
from generator.resolve.spelling import text
from generator.units import MIB

if TYPE_CHECKING:
    from generator.catalogue.hardware import GpuGeneration
    from generator.resolve.draft import Draft

# $0 is the node, $1 the seconds. Starting without the GPU is better than not starting, but says so.
WAIT: Final = (
    "i=0; while [ ! -e $0 ] && [ $i -lt $1 ]; do sleep 1; i=$((i+1)); done; "
    "[ -e $0 ] || echo $0 did not appear within $1 seconds: starting without the GPU"
)
VENDORS: Final[dict[str, Literal["nvidia", "amd", "dri"]]] = {
    "cuda": "nvidia",
    "rocm": "amd",
    "vulkan": "dri",
}
WAIT_NODES: Final = {"nvidia": "/dev/nvidia-uvm", "amd": "/dev/kfd", "dri": "/dev/dri/renderD128"}
NODES: Final = {"nvidia": (), "amd": ("/dev/kfd", "/dev/dri"), "dri": ("/dev/dri",)}
# Names in /proc/devices. systemd looks them up when the unit starts, which is why the module that
# registers `nvidia-uvm` must be there by then.
ALLOW: Final = {
    "nvidia": ("nvidiactl", "nvidia-caps", "nvidia-frontend", "nvidia-uvm", "drm"),
    "amd": ("kfd", "drm"),
    "dri": ("drm",),
}
VISIBLE: Final = {
    "nvidia": "CUDA_VISIBLE_DEVICES",
    "amd": "ROCR_VISIBLE_DEVICES",
    "dri": "GGML_VK_VISIBLE_DEVICES",
}
TOLD_BY: Final = 'add `compute_capability = "…"`, as `nvidia-smi --query-gpu=compute_cap` prints it'


def decide(draft: Draft) -> None:
    """Decide devices and emit the GPU variables."""
    if draft.acceleration == "cpu":
        _no_gpu(draft)
    else:
        draft.emit_legacy("ollama.acceleration", "0")
        draft.devices = _devices(draft)
        _visible_devices(draft, draft.devices)
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


def _devices(draft: Draft) -> Devices:
    vendor = VENDORS[draft.acceleration]
    choice = draft.profile.gpu
    _check_capabilities(draft)
    _check_indices(draft)
    nvidia = vendor == "nvidia"
    return Devices(
        vendor=vendor,
        ids=choice.visible_devices,
        access=_access(ALLOW[vendor]),
        modules=("nvidia_uvm",) if nvidia else (),
        nodes=NODES[vendor],
        wait=_wait(WAIT_NODES[vendor], choice.wait_seconds) if choice.wait_seconds else None,
        driver=_driver(draft) if nvidia else None,
        reason="Waits for the driver: a server that starts before it computes on the CPU.",
    )


def _access(classes: tuple[str, ...]) -> tuple[Directive, ...]:
    closed = "Of all devices, the server sees the GPUs only."
    allowed = (Directive(name="DeviceAllow", value=f"char-{name} rwm") for name in classes)
    return (Directive(name="DevicePolicy", value="closed", reason=closed), *allowed)


def _wait(node: str, seconds: int) -> Step:
    argv = ("/bin/sh", "-c", WAIT, node, str(seconds))
    return Step(argv=argv, where="host", seconds=seconds)


def _check_capabilities(draft: Draft) -> None:
    for gpu in draft.host.gpus if draft.acceleration == "cuda" else ():
        if draft.facts.generation(gpu.compute_capability) is None:
            draft.note(
                "HW305",
                f"the compute capability of `{gpu.name}` is not known, so neither driver nor CUDA "
                f"library are chosen for it",
                "host.gpus",
                fix=TOLD_BY,
            )


def _check_indices(draft: Draft) -> None:
    gpus = draft.host.gpus
    for index in draft.profile.gpu.visible_devices:
        if index.isdecimal() and gpus and int(index) >= len(gpus):
            draft.problem(
                "gpu.visible_devices",
                f"there is no GPU {index}; this host has {len(gpus)}",
                f"name GPUs from 0 to {len(gpus) - 1}",
            )


def _driver(draft: Draft) -> Driver | None:
    """Return what a NixOS host must build for the oldest card, which decides for all."""
    generations = known_generations(draft, draft.host.gpus)
    if not generations:
        return None
    closed = [g for g in generations if g.kernel_modules == "closed"]
    opened = [g for g in generations if g.kernel_modules == "open"]
    if closed and opened:
        draft.problem(
            "host.gpus",
            f"{closed[0].name} needs closed kernel modules and {opened[0].name} open ones: "
            f"no driver serves both",
            "split the cards over two hosts",
        )
    decisive = (closed or opened or generations)[0]
    architectures = {arch for g in generations for arch in g.cuda_architectures}
    branch = next((g.nixpkgs_driver for g in generations if g.nixpkgs_driver), "")
    return Driver(
        open=not closed,
        branch=branch,
        cuda_architectures=tuple(sorted(architectures, key=int)),
        cuda_major=_cuda_major(draft, generations) if architectures else 0,
        reason=_driver_reason(decisive, branch),
    )


def _cuda_major(draft: Draft, generations: list[GpuGeneration]) -> int:
    """Return the newest CUDA release with kernels for every card: 12 of `cuda_v12`."""
    system = draft.profile.host.system
    served = [set(g.cuda_libraries(system)) for g in generations]
    common = set.intersection(*served)
    majors = [int(name.removeprefix("cuda_v")) for name in common if name.startswith("cuda_v")]
    return max(majors, default=0)


def _driver_reason(generation: GpuGeneration, branch: str) -> str:
    modules = "closed" if generation.kernel_modules == "closed" else "open"
    last = f"; driver {generation.last_driver} is the last that knows it" if branch else ""
    return f"{generation.name} runs on the {modules} kernel modules{last}."


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
