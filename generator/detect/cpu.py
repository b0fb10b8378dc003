"""Processors: cores, threads, kinds of core, NUMA nodes and instruction set features."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from generator.catalogue.catalogue import load_catalogue
from generator.detect import live
from generator.detect.detected import Cpu, NumaNode
from generator.detect.root import first_match, meminfo, one_line, pairs, written_list
from generator.units import cpu_list, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.detect.root import Root

    Cores = Mapping[int, frozenset[int]]

_CPUS: Final = "/sys/devices/system/cpu"
NODES: Final = "/sys/devices/system/node"
# What decides how fast a CPU computes; the other flags say nothing about inference.
FEATURES: Final = (
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl",
    "avx512vbmi", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16",
    "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme",
)  # fmt: skip
# Arm reports capacities relative to the fastest core, whose kin differ by a few percent.
_FAST: Final = 0.9
_NOISE: Final = re.compile(r"\((?:R|TM|tm|C)\)|\bCPU\b|\b\d+-Core Processor\b|\bProcessor\b|@.*$")


def read_cpu(root: Root) -> tuple[Cpu, Cores, frozenset[int]]:
    """Return the processors, the core of each CPU that is online, and the CPUs on fast cores.

    Which they are is in sysfs; what that lacks in /proc/cpuinfo.
    """
    parts = re.split(r"\n\s*\n", root.text("/proc/cpuinfo"))
    blocks = [block for part in parts if "processor" in (block := pairs(part, ":"))]
    first = blocks[0] if blocks else {}
    listed = {int(b["processor"]): b for b in blocks if whole(b["processor"]) is not None}
    online = root.cpus(f"{_CPUS}/online") or frozenset(listed)
    siblings = {cpu: _siblings(root, cpu, listed) for cpu in online}
    packages = {_package(root, cpu, listed.get(cpu, {})) for cpu in online}
    if not blocks:
        root.warn("/proc/cpuinfo", "lists no processor")
    fast = _fast(root, online)
    name = next((b["model name"] for b in blocks if b.get("model name")), "")
    cores, threads = live.cpus() if root.live else (0, 0)
    flags = set((first.get("flags") or first.get("Features") or "").split())
    cpu = Cpu(
        model=_core_names(blocks) or clean_model(name),
        architecture=_architecture(root, first),
        sockets=max(1, len(packages)),
        cores=cores or cores_of(online, siblings),
        threads=threads or len(online),
        performance_cores=cores_of(fast, siblings),
        efficiency_cores=cores_of(online - fast, siblings) if fast else 0,
        features=tuple(name for name in FEATURES if name in flags),
        nodes=tuple(_nodes(root)),
    )
    return cpu, siblings, fast


def cores_of(cpus: frozenset[int], siblings: Cores) -> int:
    """Return how many physical cores the CPUs are on."""
    return len({siblings[cpu] for cpu in cpus})


def _siblings(root: Root, cpu: int, listed: dict[int, dict[str, str]]) -> frozenset[int]:
    """Return the CPUs on the same core, by the topology or by the core's id."""
    for name in ("core_cpus_list", "thread_siblings_list"):
        path = f"{_CPUS}/cpu{cpu}/topology/{name}"
        text = root.text(path)
        found = cpu_list(text)
        if found and cpu in found:
            return found
        root.strange(path, text, f"is not a list of CPUs with {cpu} in it")
    places = {other: (b.get("physical id"), b.get("core id")) for other, b in listed.items()}
    place = places.get(cpu, (None, None))
    alike = [other for other, its in places.items() if its == place]
    return frozenset({cpu} if None in place else alike)


def _package(root: Root, cpu: int, block: dict[str, str]) -> int:
    path = f"{_CPUS}/cpu{cpu}/topology/physical_package_id"
    text = root.text(path) or block.get("physical id", "")
    number = whole(text)
    if number is None:
        # On some Arm machines it is -1: there is one socket, or nobody knows.
        root.strange(path, text.replace("-1", ""))
    return number or 0


def _architecture(root: Root, block: dict[str, str]) -> str:
    architecture = root.text("/proc/sys/kernel/arch")
    if architecture in {"x86_64", "aarch64"}:
        return architecture
    root.strange("/proc/sys/kernel/arch", architecture)
    if "CPU implementer" in block:
        return "aarch64"
    return "x86_64" if "vendor_id" in block or "flags" in block else ""


def clean_model(text: str) -> str:
    """Return a processor's name without trade marks and clock: `Intel Xeon E5-2670 v3`."""
    return " ".join(_NOISE.sub(" ", one_line(text)).split())


def _core_names(blocks: list[dict[str, str]]) -> str:
    """Return what cores Arm tells: `10 Cortex-X925, 10 Cortex-A725`; one kind: its name alone."""
    names = Counter(_core_name(block) for block in blocks)
    if "" in names:
        return ""
    if len(names) == 1:
        return next(iter(names))
    # The fast ones have the higher part numbers in their family only, so order by name: X before A.
    ordered = sorted(names.items(), key=lambda item: ("-X" not in item[0], item[0]))
    return ", ".join(f"{count} {name}" for name, count in ordered)


def _core_name(block: dict[str, str]) -> str:
    try:
        implementer = int(block.get("CPU implementer", ""), 16)
        part = int(block.get("CPU part", ""), 16)
    except ValueError:
        return ""
    return load_catalogue().core_name(implementer, part)


def _fast(root: Root, online: frozenset[int]) -> frozenset[int]:
    """Return the CPUs on performance cores; none where all are, or the kernel tells no kinds."""
    intel = root.cpus("/sys/devices/cpu_core/cpus")
    atom = root.cpus("/sys/devices/cpu_atom/cpus")
    if intel and atom:
        fast = intel & online
    else:
        arm = "CPU implementer" in root.text("/proc/cpuinfo")
        paths = {cpu: f"{_CPUS}/cpu{cpu}/cpu_capacity" for cpu in sorted(online) if arm}
        capacity = {cpu: value for cpu, path in paths.items() if (value := root.number(path))}
        most = max(capacity.values(), default=0)
        fast = frozenset(cpu for cpu, value in capacity.items() if value >= most * _FAST)
    return frozenset() if fast == online else fast


def _nodes(root: Root) -> Iterator[NumaNode]:
    """Yield the NUMA nodes that have CPUs; nodes of memory alone bind no threads."""
    for name in root.names(NODES):
        number = first_match(r"(?a)\Anode(\d{1,9})\Z", name)
        if number and (cpus := root.cpus(f"{NODES}/{name}/cpulist")):
            size = meminfo(root.text(f"{NODES}/{name}/meminfo"), "MemTotal")
            yield NumaNode(int(number), written_list(cpus), size)


def memory_nodes(root: Root) -> Iterator[tuple[str, int]]:
    """Yield the NUMA nodes that have memory and no CPU, with their bytes."""
    for name in root.names(NODES):
        empty = name.startswith("node") and not root.text(f"{NODES}/{name}/cpulist")
        size = meminfo(root.text(f"{NODES}/{name}/meminfo"), "MemTotal") if empty else 0
        if size:
            yield name, size
