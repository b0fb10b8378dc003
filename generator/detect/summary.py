"""The facts of a machine as rows for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.detect.situation import written_gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.detected import Detected, Gpu

Row = tuple[str, str]


def rows(found: Detected) -> list[Row]:
    """Return name and value of each fact that is known, GPUs one by one."""
    facts = (
        *_machine(found),
        *_bounds(found),
        *(("GPU", _gpu(gpu)) for gpu in found.gpus),
        *_software(found),
    )
    return [(name, value) for name, value in facts if value]


def _machine(found: Detected) -> Iterator[Row]:
    cpu, product, system = found.cpu, found.product, found.system
    yield "machine", _joined(f"{product.vendor} {product.name}".strip(), product.chassis)
    yield "processor", _joined(cpu.model, cpu.architecture)
    kinds = f"{cpu.performance_cores} fast, {cpu.efficiency_cores} efficient"
    cores = _joined(
        f"{cpu.cores} physical" if cpu.cores else "",
        kinds if cpu.performance_cores else "",
        f"{cpu.threads} threads" if cpu.threads else "",
        f"{cpu.sockets} sockets" if cpu.sockets > 1 else "",
        f"{len(cpu.nodes)} NUMA nodes" if len(cpu.nodes) > 1 else "",
    )
    yield "cores", cores
    yield "features", " ".join(cpu.features)
    memory = found.memory
    available = f"{written_gib(memory.available)} available" if memory.available else ""
    swap = f"{written_gib(memory.swap)} swap" if memory.swap else ""
    total = written_gib(memory.total) if memory.total else ""
    yield "memory", _joined(total, available, swap)
    container = system.container and f"{system.container} container"
    guest = system.hypervisor and f"virtual machine ({system.hypervisor})"
    yield "inside", _joined(container, guest)


def _bounds(found: Detected) -> Iterator[Row]:
    bounds, usable = found.bounds, found.usable
    if bounds.memory:
        yield "memory bound", f"{written_gib(bounds.memory.value)} by {bounds.memory.where}"
    if bounds.quota:
        yield "CPU bound", f"{bounds.quota.value}% by {bounds.quota.where}"
    if usable.threads < found.cpu.threads:
        yield "CPUs", f"{bounds.cpus} ({usable.cores} cores) by {bounds.cpus_where}"


def _gpu(gpu: Gpu) -> str:
    size = written_gib(gpu.memory) if gpu.memory else "memory not known"
    shared = f"{size} shared" if gpu.unified else size
    return _joined(gpu.name, shared, gpu.target or gpu.compute_capability, gpu.bus, gpu.fault)


def _software(found: Detected) -> Iterator[Row]:
    nvidia, system, boxes = found.nvidia, found.system, found.containers
    driver = f"{nvidia.driver} ({nvidia.modules} modules)" if nvidia.modules else nvidia.driver
    yield "NVIDIA driver", _joined(driver, f"CUDA {nvidia.cuda}" if nvidia.cuda else "")
    systemd = f"systemd {system.systemd}" if system.systemd else ""
    kernel = f"Linux {system.kernel}" if system.kernel else ""
    yield "system", _joined(system.distribution_name, kernel, systemd)
    for engine in boxes.engines:
        runtime = "NVIDIA runtime" if engine.nvidia_runtime else ""
        yield engine.name, _joined(engine.version or "installed", runtime)
    yield "NVIDIA toolkit", boxes.toolkit
    yield "CDI", ", ".join(boxes.cdi)
    yield "Ollama", _joined(found.ollama.version, found.ollama.kind, found.ollama.binary)
    disk = found.disk
    yield "models' disk", _joined(disk.kind, disk.device, disk.file_system, disk.directory)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
