"""The GPUs that compute: how a service gets at them, and what driver they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from generator.catalogue.cards import maker_of
from generator.errors import Problem
from generator.plan import Acceleration, Devices, Directive, Driver, shell
from generator.rules.registry import every_rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.catalogue.cards import Card
    from generator.catalogue.facts import Facts
    from generator.catalogue.hardware import GpuGeneration
    from generator.errors import Finding
    from generator.host import Host
    from generator.profiles.schema import GpuChoice, HostGpu

# $1 is the node, $2 the seconds. Starting without the GPU is better than not starting, but says so.
WAIT: Final = (
    "i=0; while [ ! -e $1 ] && [ $i -lt $2 ]; do sleep 1; i=$((i+1)); done; "
    "[ -e $1 ] || echo $1 did not appear within $2 seconds: starting without the GPU"
)
VENDORS: Final[dict[str, Literal["nvidia", "amd", "dri"]]] = {
    "cuda": "nvidia",
    "rocm": "amd",
    "vulkan": "dri",
}
MAKERS: Final = {"10de": "nvidia", "1002": "amd", "8086": "intel"}
"""Whose cards a PCI id is of."""
WAIT_NODES: Final = {"nvidia": "/dev/nvidia-uvm", "amd": "/dev/kfd", "dri": "/dev/dri/renderD128"}
NODES: Final = {"nvidia": (), "amd": ("/dev/kfd", "/dev/dri"), "dri": ("/dev/dri",)}
# Names in /proc/devices. systemd looks them up when the unit starts, which is why the module that
# registers `nvidia-uvm` must be there by then.
ALLOW: Final = {
    "nvidia": ("nvidiactl", "nvidia-caps", "nvidia-frontend", "nvidia-uvm", "drm"),
    "amd": ("kfd", "drm"),
    "dri": ("drm",),
}
NAMED_BY: Final = 'add `pci_id = "1002:…"`, as `lspci -nn` prints it, with the revision'
TOLD_BY: Final = 'add `compute_capability = "…"`, as `nvidia-smi --query-gpu=compute_cap` prints it'


def devices_of(choice: GpuChoice, host: Host, facts: Facts, acceleration: str) -> Devices | None:
    """Return the GPUs that compute; None where the CPU does."""
    vendor = VENDORS.get(acceleration)
    if vendor is None:
        return None
    nvidia, node, seconds = vendor == "nvidia", WAIT_NODES[vendor], choice.wait_seconds
    wait = shell(WAIT, node, str(seconds), where="host", seconds=seconds)
    closed = "Of all devices, the server sees the GPUs only; DevicePolicy=auto undoes it."
    return Devices(
        vendor=vendor,
        ids=choice.visible_devices,
        access=(
            Directive(name="DevicePolicy", value="closed", reason=closed),
            *(Directive(name="DeviceAllow", value=f"char-{n} rwm") for n in ALLOW[vendor]),
        ),
        modules=("nvidia_uvm",) if nvidia else (),
        nodes=NODES[vendor],
        wait=wait if seconds else None,
        driver=_driver(facts.generations(host.gpus), host.system) if nvidia else None,
        reason="Waits for the driver: a server that starts before it computes on the CPU.",
    )


def vendor_of(gpu: HostGpu, known: Card | None) -> str:
    """Return whose a card is: as the profile says, or its id, or what is known of it, or a word of
    its name; empty: nobody says.
    """
    told = gpu.vendor or MAKERS.get(gpu.pci_id.partition(":")[0], "")
    if told or gpu.compute_capability:
        return told or "nvidia"
    return known.vendor if known else maker_of(gpu.name)


def library_of(host: Host, facts: Facts) -> Acceleration:
    """Return what computes where the profile does not say: what serves most of the GPU memory.

    A card that nobody knows the maker of is taken for one of NVIDIA's.
    """
    libraries = [facts.library(gpu.vendor or "nvidia", gpu.target) for gpu in host.gpus]
    served: dict[Acceleration, int] = {}
    for library, gpu in zip(libraries, host.gpus, strict=True):
        if library:
            served[library] = served.get(library, 0) + gpu.memory
    return max(served, key=lambda library: served[library], default="cpu")


def faults(choice: GpuChoice, host: Host, facts: Facts, acceleration: str) -> Iterator[Problem]:
    """Yield what no host can do."""
    if acceleration == "cpu":
        return
    gpus = host.gpus
    for index in choice.visible_devices:
        if index.isdecimal() and gpus and int(index) >= len(gpus):
            yield Problem(
                "gpu.visible_devices",
                f"there is no GPU {index}; this host has {len(gpus)}",
                f"name GPUs from 0 to {len(gpus) - 1}",
            )
    closed, opened = _by_modules(facts.generations(host.gpus))
    if acceleration == "cuda" and closed and opened:
        yield Problem(
            "host.gpus",
            f"{closed[0].name} needs closed kernel modules and {opened[0].name} open ones: "
            f"no driver serves both",
            "split the cards over two hosts",
        )


def remarks(host: Host, facts: Facts, acceleration: str) -> Iterator[Finding]:
    """Yield a Finding for each GPU that nothing is known of."""
    for gpu in host.gpus if acceleration == "rocm" else ():
        if gpu.vendor == "amd" and not gpu.target:
            message = f"the target of `{gpu.name}` is not known, so it is taken for one of ROCm's"
            yield every_rule()["HW305"].finding(message, "host.gpus", NAMED_BY)
    for gpu in host.gpus if acceleration == "cuda" else ():
        if gpu.vendor in {"", "nvidia"} and facts.generation(gpu.compute_capability) is None:
            message = (
                f"the compute capability of `{gpu.name}` is not known, so neither driver nor CUDA "
                f"library are chosen for it"
            )
            yield every_rule()["HW305"].finding(message, "host.gpus", TOLD_BY)


def _by_modules(
    generations: Sequence[GpuGeneration],
) -> tuple[list[GpuGeneration], list[GpuGeneration]]:
    closed = [g for g in generations if g.kernel_modules == "closed"]
    return closed, [g for g in generations if g.kernel_modules == "open"]


def _driver(generations: list[GpuGeneration], system: str) -> Driver | None:
    """Return what a NixOS host must build for the oldest card, which decides for all."""
    if not generations:
        return None
    closed, opened = _by_modules(generations)
    decisive = (closed or opened or generations)[0]
    architectures = {arch for g in generations for arch in g.cuda_architectures}
    branch = next((g.nixpkgs_driver for g in generations if g.nixpkgs_driver), "")
    newest = max(generations, key=lambda generation: generation.driver_floor)
    first = newest.driver_floor
    modules = "closed" if decisive.kernel_modules == "closed" else "open"
    last = f"; driver {decisive.last_driver} is the last that knows it" if branch else ""
    return Driver(
        open=not closed,
        branch=branch,
        cuda_architectures=tuple(sorted(architectures, key=int)),
        cuda_major=_cuda_major(generations, system) if architectures else 0,
        required=bool(closed or opened),
        last_driver=min((g.last_driver for g in generations if g.last_driver), default=0),
        first_driver=first,
        first_reason=f"{newest.name} needs driver {first} or a later one." if first else "",
        reason=f"{decisive.name} runs on the {modules} kernel modules{last}.",
    )


def _cuda_major(generations: list[GpuGeneration], system: str) -> int:
    """Return the newest CUDA release with kernels for every card: 12 of `cuda_v12`."""
    served = [set(g.cuda_libraries(system)) for g in generations]
    common = set.intersection(*served)
    majors = [int(name.removeprefix("cuda_v")) for name in common if name.startswith("cuda_v")]
    return max(majors, default=0)
