"""Put the facts of one machine together, and what its bounds leave of it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.detect import live
from generator.detect.amd import read_amd
from generator.detect.cgroup import read_bounds
from generator.detect.containers import read_containers
from generator.detect.cpu import read_cpu
from generator.detect.detected import Bounds, Cpu, Detected, Gpu, Memory, Usable
from generator.detect.disk import read_disk
from generator.detect.nvidia import read_nvidia
from generator.detect.ollama import read_ollama
from generator.detect.pci import read_gpus
from generator.detect.system import read_product, read_system
from generator.units import cpu_list

if TYPE_CHECKING:
    from generator.detect.cpu import Topology
    from generator.detect.pci import Device
    from generator.detect.root import Root

_MEMORY: Final = "/proc/meminfo"
# NVIDIA's GPUs without memory of their own.
_INTEGRATED: Final = ("GB10", "Orin", "Thor", "Xavier")
# Where Intel's integrated graphics are, which nobody expects to compute.
_BESIDE_THE_CPU: Final = "0000:00:02.0"


def read_machine(root: Root) -> Detected:
    """Return what `root` holds. Nothing in it is an error: all of it is a warning."""
    cpu, topology = read_cpu(root)
    memory, bounds = read_memory(root), read_bounds(root)
    devices = tuple(read_gpus(root))
    nvidia, cards = read_nvidia(root, devices)
    amd = read_amd(root, devices, cpu.model)
    gpus = (*cards, *amd, *_intel(root, devices))
    product = read_product(root)
    system = read_system(root, product)
    if system.hypervisor and cpu.cores * 2 == cpu.threads:
        doubt = "a hypervisor reports which CPUs share a core; it need not be true of the hardware"
        root.warn("/sys/devices/system/cpu", doubt)
    return Detected(
        cpu=cpu,
        memory=memory,
        bounds=bounds,
        usable=usable(cpu, topology, memory, bounds),
        gpus=tuple(_whole(gpu, memory) for gpu in gpus),
        nvidia=nvidia,
        product=product,
        system=system,
        containers=read_containers(root),
        ollama=read_ollama(root),
        disk=read_disk(root),
        warnings=tuple(root.warnings),
    )


def read_memory(root: Root) -> Memory:
    """Return what there is, what is free for new work, and the swap."""
    if root.live and (found := live.memory()):
        return found
    text = root.text(_MEMORY)
    total = _bytes(text, "MemTotal")
    if total == 0:
        root.warn(_MEMORY, "reports no memory")
    return Memory(total, min(_bytes(text, "MemAvailable"), total), _bytes(text, "SwapTotal"))


def _bytes(text: str, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d{{1,15}}) kB$", text, re.MULTILINE | re.ASCII)
    return int(found[1]) * 1024 if found else 0


def usable(cpu: Cpu, topology: Topology, memory: Memory, bounds: Bounds) -> Usable:
    """Return what the bounds leave; the tightest wins over the numbers of the machine."""
    allowed = cpu_list(bounds.cpus) or topology.online
    here = allowed & topology.online or topology.online
    limit = bounds.memory.value if bounds.memory else memory.total
    return Usable(
        cores=topology.cores_in(here),
        threads=len(here),
        performance_cores=topology.cores_in(here & topology.fast) if cpu.performance_cores else 0,
        memory=min(limit, memory.total) if memory.total else limit,
    )


def _whole(gpu: Gpu, memory: Memory) -> Gpu:
    """Give a GPU without memory of its own that of the machine: GB10 reports none."""
    integrated = gpu.vendor == "nvidia" and any(name in gpu.name for name in _INTEGRATED)
    if integrated and not gpu.memory:
        return replace(gpu, memory=memory.total, unified=True)
    return gpu


def _intel(root: Root, devices: tuple[Device, ...]) -> tuple[Gpu, ...]:
    """Return Intel's GPUs, whose memory is in no file that all drivers have."""
    found = []
    for device in devices:
        if device.vendor == "intel":
            name = f"Intel GPU {device.device.removeprefix('0x')}".strip()
            fault = "only the Vulkan backend might use it, and its memory is not known"
            found.append(Gpu("intel", name, bus=device.bus, exact=False, fault=fault))
            if device.bus != _BESIDE_THE_CPU:
                root.warn(device.bus, f"{name}: {fault}; left out of the profile")
    return tuple(found)
