"""The machine as a scheduler sees it: what is free of its GPUs, and of the host for the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.host import reserve
from generator.records import dataclass
from generator.units import MIB

if TYPE_CHECKING:
    from generator.fit.measured import Correction
    from generator.host import Gpu
    from generator.view import Bound, Place, View

# CUDA context and libraries, for each GPU. Source: MinimumMemory, discover/gpu.go@v0.9.2:41-42,
# ml/device.go@v0.32.15.
GPU_OVERHEAD: Final = 457 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What models can be put into.

    `memory` is what the host has (0: unknown), `limit` what the service may take of it and
    `limit_name` what says so. `cpu` is the processor's model, `cores` how many of them compute (0:
    unknown), `acceleration` what computes as far as it is said: `cuda`, `rocm`, `vulkan`, `cpu`.
    `disk` is what models are read from: a kind, or bytes per second; empty: unknown. `corrections`
    are what was measured on it, against what is estimated.
    """

    memory: int = 0
    limit: int = 0
    limit_name: str = ""
    devices: tuple[Gpu, ...] = ()
    cpu: str = ""
    cores: int = 0
    acceleration: str = ""
    disk: str | int = ""
    corrections: tuple[Correction, ...] = ()

    @property
    def gpu_memory(self) -> int:
        """The memory of all GPUs."""
        return sum(device.memory for device in self.devices)

    @property
    def free(self) -> list[int]:
        """What each GPU has that nobody holds, in bytes."""
        return [device.free for device in self.devices]


def computes_on_cpu(view: View) -> bool:
    """Return whether nothing but the CPU computes, as far as the View says.

    An Apple GPU computes by Metal, whatever a service of Linux would do with it.
    """
    if view.host.metal:
        return False
    visible = view.variable("CUDA_VISIBLE_DEVICES")
    if view.acceleration:
        return view.acceleration == "cpu"
    if visible is not None and visible.value.strip() == "-1":
        return True
    box = view.container
    return box is not None and not box.gpu_access and box.privileged is None


def size_of(bound: Bound | None) -> int | None:
    """Return the bytes of a limit; None: there is none, it is lifted, or it is no size."""
    return bound.value if bound is not None and isinstance(bound.value, int) else None


def memory_limit(view: View) -> tuple[int, Place] | None:
    """Return the memory that the service has, and where that is said; None: unknown."""
    bound, memory = view.bound("memory_max"), view.host.memory
    limit = size_of(bound)
    if bound is not None and limit is not None and (not memory or limit <= memory):
        return limit, bound.place
    return (memory, view.at("host.memory")) if memory else None


def host_of(view: View) -> Host:
    """Return the machine of a View."""
    found, memory = memory_limit(view), view.host.memory
    limit = found[0] if found else 0
    bounded = size_of(view.bound("memory_max")) == limit and limit > 0
    if not bounded:
        limit = memory - reserve(memory)
    return Host(
        memory=memory,
        limit=limit,
        limit_name="MemoryMax" if bounded else "memory",
        devices=() if computes_on_cpu(view) else view.host.gpus,
        cpu=view.host.cpu,
        cores=view.host.cores,
        acceleration=view.acceleration,
    )
