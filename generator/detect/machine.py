"""Put the facts of one machine together, and what its bounds leave of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.detect import live
from generator.detect.amd import read_amd
from generator.detect.cgroup import read_bounds
from generator.detect.cpu import NODES, cores_of, memory_nodes, read_cpu
from generator.detect.detected import Bounds, Detected, Gpu, Memory, Usable
from generator.detect.disk import read_disk
from generator.detect.nvidia import read_nvidia
from generator.detect.pci import VENDORS, known, read_gpus
from generator.detect.root import meminfo
from generator.detect.system import read_containers, read_ollama, read_product, read_system
from generator.units import cpu_list

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.detect.cpu import Cores
    from generator.detect.pci import Device
    from generator.detect.root import Root

_MEMORY: Final = "/proc/meminfo"
# NVIDIA's GPUs without memory of their own.
_INTEGRATED: Final = ("GB10", "Orin", "Thor", "Xavier")
_SLACK: Final = 0.1  # of a GPU's memory: its driver keeps some
_UNKNOWN: Final = "its id is not known here, and neither is its memory; left out of the profile"


def read_machine(root: Root) -> Detected:
    """Return what `root` holds. Nothing in it is an error: all of it is a warning."""
    cpu, siblings, fast = read_cpu(root)
    memory, bounds = read_memory(root), read_bounds(root)
    devices = list(read_gpus(root))
    there = {vendor: [d for d in devices if d.vendor == vendor] for vendor in VENDORS.values()}
    nvidia, cards = read_nvidia(root, there["nvidia"])
    amd = read_amd(root, there["amd"], cpu.model)
    gpus = (*cards, *amd, *(_intel(root, device) for device in there["intel"]))
    product = read_product(root)
    system = read_system(root, product)
    if system.hypervisor and cpu.cores * 2 == cpu.threads:
        doubt = "a hypervisor reports which CPUs share a core; it need not be true of the hardware"
        root.warn("/sys/devices/system/cpu", doubt)
    gpus = tuple(_whole(gpu, memory) for gpu in gpus)
    memory = _counted_once(root, memory, gpus)
    return Detected(
        cpu=cpu,
        memory=memory,
        bounds=bounds,
        usable=usable(siblings, fast, memory, bounds),
        gpus=gpus,
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
    total = meminfo(text, "MemTotal")
    if total == 0:
        root.warn(_MEMORY, "reports no memory")
    return Memory(total, min(meminfo(text, "MemAvailable"), total), meminfo(text, "SwapTotal"))


def usable(siblings: Cores, fast: frozenset[int], memory: Memory, bounds: Bounds) -> Usable:
    """Return what the bounds leave; the tightest wins over the numbers of the machine."""
    online = frozenset(siblings)
    here = (cpu_list(bounds.cpus) or online) & online or online
    limit = bounds.memory.value if bounds.memory else memory.total
    return Usable(
        cores=cores_of(here, siblings),
        threads=len(here),
        performance_cores=cores_of(here & fast, siblings),
        memory=min(limit, memory.total) if memory.total else limit,
    )


def _intel(root: Root, device: Device) -> Gpu:
    """Return one of Intel's GPUs, whose memory is in no file that all its drivers have."""
    gpu = known(device)
    if device.card is None:
        root.warn(device.bus, f"{device.name}: {_UNKNOWN}")
        return replace(gpu, fault=_UNKNOWN)
    return gpu


def _counted_once(root: Root, memory: Memory, gpus: Iterable[Gpu]) -> Memory:
    """Take the memory of a coherent GPU off the machine's: Grace Hopper has it as a node."""
    nodes = dict(memory_nodes(root))
    for gpu in gpus:
        near = (n for n in nodes if abs(nodes[n] - gpu.memory) <= _SLACK * gpu.memory)
        node = next(near, None) if gpu.vendor == "nvidia" else None
        if node is None or memory.total <= nodes[node]:
            continue
        size = nodes.pop(node)
        what = f"is the memory of the GPU, {gpu.name}, and is not counted as the machine's"
        root.warn(f"{NODES}/{node}", what)
        total = memory.total - size
        memory = replace(memory, total=total, available=min(memory.available, total))
    return memory


def _whole(gpu: Gpu, memory: Memory) -> Gpu:
    """Give a GPU without memory of its own that of the machine: GB10 reports none."""
    integrated = gpu.vendor == "nvidia" and any(name in gpu.name for name in _INTEGRATED)
    if integrated and not gpu.memory:
        return replace(gpu, memory=memory.total, unified=True)
    return gpu
