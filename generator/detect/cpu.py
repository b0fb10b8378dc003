"""Processors: cores, threads, kinds of core, NUMA nodes and instruction set features."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from generator.catalogue.catalogue import load_catalogue
from generator.detect import live
from generator.detect.detected import Cpu, NumaNode
from generator.detect.root import one_line, pairs, whole, written_list
from generator.records import dataclass
from generator.units import cpu_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.detect.root import Root

_CPUS: Final = "/sys/devices/system/cpu"
_NODES: Final = "/sys/devices/system/node"
# What decides how fast a CPU computes; the other flags say nothing about inference.
FEATURES: Final = (
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512vl",
    "avx512vbmi", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16",
    "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme",
)  # fmt: skip
# Arm reports capacities relative to the fastest core, whose kin differ by a few percent.
_FAST: Final = 0.9
_NOISE: Final = re.compile(r"\((?:R|TM|tm|C)\)|\bCPU\b|\b\d+-Core Processor\b|\bProcessor\b|@.*$")


def read_cpu(root: Root) -> tuple[Cpu, Topology]:
    """Return the processors, and which CPU is on which core."""
    blocks = _blocks(root.text("/proc/cpuinfo"))
    topology = Topology.read(root, blocks)
    first = blocks[0] if blocks else {}
    if not blocks:
        root.warn("/proc/cpuinfo", "lists no processor")
    fast = _fast(root, topology)
    slow = topology.cores_in(topology.online - fast) if fast else 0
    cores, threads = live.cpus() if root.live else (0, 0)
    flags = set((first.get("flags") or first.get("Features") or "").split())
    return Cpu(
        model=_model(blocks),
        architecture=_architecture(root, first),
        sockets=max(1, len(set(topology.package.values()))),
        cores=cores or topology.cores_in(topology.online),
        threads=threads or len(topology.online),
        performance_cores=topology.cores_in(fast) if slow else 0,
        efficiency_cores=slow,
        features=tuple(name for name in FEATURES if name in flags),
        nodes=_nodes(root),
    ), replace(topology, fast=fast if slow else frozenset())


@dataclass(frozen=True)
class Topology:
    """Which CPUs are online, which share a core and a socket, and which are the fast ones."""

    online: frozenset[int] = frozenset()
    core: Mapping[int, frozenset[int]] = field(default_factory=dict)
    package: Mapping[int, int] = field(default_factory=dict)
    fast: frozenset[int] = frozenset()

    @classmethod
    def read(cls, root: Root, blocks: list[dict[str, str]]) -> Topology:
        """Read it from sysfs; what that lacks from /proc/cpuinfo."""
        listed = {int(b["processor"]): b for b in blocks if whole(b.get("processor", ""))}
        online = root.cpus(f"{_CPUS}/online") or frozenset(listed)
        core = {cpu: _siblings(root, cpu, listed.get(cpu, {}), listed) for cpu in online}
        package = {cpu: _package(root, cpu, listed.get(cpu, {})) for cpu in online}
        return cls(online, core, package)

    def cores_in(self, cpus: frozenset[int]) -> int:
        """Return how many physical cores the CPUs of a list are on."""
        return len({self.core[cpu] for cpu in cpus & self.online})


def _siblings(
    root: Root, cpu: int, block: dict[str, str], listed: dict[int, dict[str, str]]
) -> frozenset[int]:
    """Return the CPUs on the same core, by the topology or by the core's id."""
    for name in ("core_cpus_list", "thread_siblings_list"):
        path = f"{_CPUS}/cpu{cpu}/topology/{name}"
        text = root.text(path)
        found = cpu_list(text)
        if found and cpu in found:
            return found
        if text:
            root.warn(path, f"`{one_line(text, 40)}` is not a list of CPUs with {cpu} in it")
    place = (block.get("physical id"), block.get("core id"))
    if None in place:
        return frozenset({cpu})
    return frozenset(
        other for other, b in listed.items() if (b.get("physical id"), b.get("core id")) == place
    )


def _package(root: Root, cpu: int, block: dict[str, str]) -> int:
    path = f"{_CPUS}/cpu{cpu}/topology/physical_package_id"
    text = root.text(path) or block.get("physical id", "")
    if not whole(text):
        # On some Arm machines it is -1: there is one socket, or nobody knows.
        root.strange(path, text.replace("-1", ""))
    return int(text) if whole(text) else 0


def _blocks(text: str) -> list[dict[str, str]]:
    """Return /proc/cpuinfo as one dictionary for each processor."""
    blocks = [pairs(part, ":") for part in re.split(r"\n\s*\n", text)]
    return [block for block in blocks if "processor" in block]


def _architecture(root: Root, block: dict[str, str]) -> str:
    architecture = root.text("/proc/sys/kernel/arch")
    if architecture in {"x86_64", "aarch64"}:
        return architecture
    root.strange("/proc/sys/kernel/arch", architecture)
    if "CPU implementer" in block:
        return "aarch64"
    return "x86_64" if "vendor_id" in block or "flags" in block else ""


def _model(blocks: list[dict[str, str]]) -> str:
    """Return the name without trade marks and clock: `Intel Xeon E5-2670 v3`."""
    name = next((b["model name"] for b in blocks if b.get("model name")), "")
    if "CPU implementer" not in (blocks[0] if blocks else {}):
        return clean_model(name)
    return _core_names(blocks) or clean_model(name)


def clean_model(text: str) -> str:
    """Return a processor's name without trade marks, clock and filler."""
    return " ".join(_NOISE.sub(" ", one_line(text)).split())


def _core_names(blocks: list[dict[str, str]]) -> str:
    """Return what cores there are: `10 Cortex-X925, 10 Cortex-A725`; one kind: its name alone."""
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


def _fast(root: Root, topology: Topology) -> frozenset[int]:
    """Return the CPUs on performance cores; none where the kernel does not distinguish kinds."""
    intel = root.cpus("/sys/devices/cpu_core/cpus")
    atom = root.cpus("/sys/devices/cpu_atom/cpus")
    if intel and atom:
        return intel & topology.online
    if not root.text("/proc/cpuinfo").count("CPU implementer"):
        return frozenset()
    reported = {
        cpu: root.number(f"{_CPUS}/cpu{cpu}/cpu_capacity") for cpu in sorted(topology.online)
    }
    capacity = {cpu: value for cpu, value in reported.items() if value}
    most = max(capacity.values(), default=0)
    return frozenset(cpu for cpu, value in capacity.items() if value >= most * _FAST)


def _nodes(root: Root) -> tuple[NumaNode, ...]:
    """Return the NUMA nodes that have CPUs; nodes of memory alone bind no threads."""
    nodes = []
    for name in root.names(_NODES):
        if not (name.startswith("node") and whole(name[4:])):
            continue
        cpus = root.cpus(f"{_NODES}/{name}/cpulist")
        if cpus:
            memory = re.search(r"MemTotal:\s+(\d{1,15}) kB", root.text(f"{_NODES}/{name}/meminfo"))
            size = int(memory[1]) * 1024 if memory else 0
            nodes.append(NumaNode(id=int(name[4:]), cpus=written_list(cpus), memory=size))
    return tuple(nodes)
