"""What was found on a machine: plain, frozen, and the same for a live and a captured one."""

from __future__ import annotations

from typing import Literal

from generator.records import dataclass

Vendor = Literal["nvidia", "amd", "intel"]
Chassis = Literal["", "desktop", "laptop", "server"]
DiskKind = Literal["", "nvme", "ssd", "hdd", "network"]
Installer = Literal["", "script", "package", "nixos", "snap", "other"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something that could not be read or is not certain, and where."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class NumaNode:
    """One NUMA node: its CPUs as the kernel lists them, and its memory in bytes."""

    id: int
    cpus: str
    memory: int


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processors of the machine, whatever a bound leaves of them. 0 is not known.

    `performance_cores` and `efficiency_cores` are 0 where all cores are alike.
    """

    model: str = ""
    architecture: str = ""
    sockets: int = 1
    cores: int = 0
    threads: int = 0
    performance_cores: int = 0
    efficiency_cores: int = 0
    features: tuple[str, ...] = ()
    nodes: tuple[NumaNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in bytes, as the kernel reports it."""

    total: int = 0
    available: int = 0
    swap: int = 0


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit that a control group sets, and the file that says so."""

    value: int
    where: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What control groups leave: memory in bytes, quota in percent of a CPU, a list of CPUs."""

    memory: Bound | None = None
    quota: Bound | None = None
    cpus: str = ""
    cpus_where: str = ""


@dataclass(frozen=True, slots=True)
class Usable:
    """What is left for a server: the machine, within its bounds."""

    cores: int = 0
    threads: int = 0
    performance_cores: int = 0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. `memory` is in bytes, 0: not known; `target` is AMD's, like `gfx1100`.

    `pci` is its id on the bus, like `10de:2684` or `1002:744c:c8`. `fault` says why a server cannot
    compute on it; `exact` is false where the memory is a guess. `kernel` says whether the kernel
    lets it compute, which ROCm needs and Vulkan does not. `held` are bytes of `used` that
    others than a model server hold.
    """

    vendor: Vendor
    name: str
    bus: str = ""
    memory: int = 0
    used: int | None = None
    uuid: str = ""
    compute_capability: str = ""
    target: str = ""
    unified: bool = False
    mig: bool = False
    exact: bool = True
    fault: str = ""
    held: int = 0
    pci: str = ""
    kernel: bool = True


@dataclass(frozen=True, slots=True)
class Nvidia:
    """The NVIDIA driver: its version, the CUDA release it speaks, and its kernel modules."""

    driver: str = ""
    cuda: str = ""
    modules: Literal["", "open", "closed"] = ""


@dataclass(frozen=True, slots=True)
class Product:
    """The machine as its maker names it; `chassis` is a word like `laptop` or `server`."""

    vendor: str = ""
    name: str = ""
    chassis: Chassis = ""


@dataclass(frozen=True, slots=True)
class System:
    """Kernel, distribution, systemd, and what stands between them and the hardware."""

    kernel: str = ""
    distribution: str = ""
    distribution_name: str = ""
    systemd: int = 0
    hypervisor: str = ""
    container: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine, and how it hands GPUs to containers."""

    name: Literal["docker", "podman"]
    version: str = ""
    nvidia_runtime: bool = False


@dataclass(frozen=True, slots=True)
class Containers:
    """The container engines, the NVIDIA toolkit, and the CDI specifications that are there."""

    engines: tuple[Engine, ...] = ()
    toolkit: str = ""
    cdi: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Install:
    """The Ollama that is there: `kind` says who put it there."""

    version: str = ""
    kind: Installer = ""
    binary: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """What is under the models directory: the kind of disk, its name, and the file system."""

    kind: DiskKind = ""
    device: str = ""
    directory: str = ""
    file_system: str = ""


@dataclass(frozen=True, slots=True)
class Detected:
    """All that was found, and what is not certain about it."""

    cpu: Cpu = Cpu()
    memory: Memory = Memory()
    bounds: Bounds = Bounds()
    usable: Usable = Usable()
    gpus: tuple[Gpu, ...] = ()
    nvidia: Nvidia = Nvidia()
    product: Product = Product()
    system: System = System()
    containers: Containers = Containers()
    ollama: Install = Install()
    disk: Disk = Disk()
    warnings: tuple[Doubt, ...] = ()
