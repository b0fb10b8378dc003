"""What is known of GPUs, processors and hypervisors: records as those of `records`."""

from __future__ import annotations

from typing import Annotated, Literal

from generator.catalogue.records import BOUND, Bytes, Floor, Span, System, current
from generator.records import dataclass
from generator.units import Release

Capability = Annotated[str, "capability"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Library(Span):
    """The CUDA libraries of some releases; `architectures` in CMake's numbers, like 61.

    `ptx`: it has kernels in the language of a virtual GPU alone, which the driver compiles.
    """

    name: str
    system: System | None = None
    jetson: bool = False
    ptx: bool = False
    architectures: tuple[int, ...]
    source: str

    def serves(self, capability: str, *, jetson: bool) -> bool:
        """Whether it is built for that GPU: the same major and no higher minor version."""
        number = int(capability.replace(".", ""))
        fits = any(number // 10 == a // 10 and number >= a for a in self.architectures)
        return self.jetson == jetson and fits


@dataclass(frozen=True, kw_only=True, eq=False)
class DockerDriver:
    """A driver of Docker for devices, and what can be asked of it in `capabilities`."""

    name: str
    capabilities: tuple[str, ...] = ()
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkspaceFact:
    """What operations of Ollama's own engine take on a library's cards; see `data/gpus.toml`."""

    library: str
    margin: int = 0
    pages: Bytes = 1
    partial: Bytes = 0
    halves: tuple[str, ...]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class GpuGeneration:
    """A generation, as far as one GPU of it is concerned: `capability` and `libraries` are its."""

    at: Annotated[Release, BOUND]
    capability: Annotated[str, BOUND]
    libraries: Annotated[tuple[Library, ...], BOUND]
    name: str
    capabilities: tuple[Capability, ...]
    jetson: bool = False
    driver_floors: tuple[Floor, ...] = ()
    last_driver: int | None = None
    nixpkgs_driver: str = ""
    kernel_modules: Literal["open", "closed", "either"]
    nixpkgs_lacks: tuple[Capability, ...] = ()
    flash_attention_since: Release | None = None
    source: str

    @property
    def cuda_architectures(self) -> tuple[str, ...]:
        """What to build for in nixpkgs, like `61`; empty: its package covers this GPU."""
        lacking = self.capability in self.nixpkgs_lacks
        return (self.capability.replace(".", ""),) if lacking else ()

    def cuda_libraries(self, system: str) -> tuple[str, ...]:
        """The library directories built for this GPU; Ollama prefers the last.

        In 0.9.3-0.11.10 on x86_64 `cuda_v12` has no directory: it lies in lib/ollama itself.
        """
        return tuple(lib.name for lib in self._libraries(system))

    def compiles(self, system: str) -> bool:
        """Whether the driver compiles the kernels for this GPU when they are first used."""
        preferred = self._libraries(system)[-1:]
        return any(lib.ptx for lib in preferred)

    def _libraries(self, system: str) -> list[Library]:
        here = (lib for lib in self.libraries if lib.system in {None, system})
        return [lib for lib in here if lib.covers(self.at)]

    @property
    def driver_floor(self) -> int:
        """The oldest driver branch that works, like 550; 0: none is stated."""
        entry = current(self.driver_floors, self.at)
        return entry.value if entry else 0

    @property
    def flash_attention(self) -> bool:
        """Whether the release turns flash attention on by itself here, whatever the model."""
        return self.flash_attention_since is not None and self.at >= self.flash_attention_since


@dataclass(frozen=True, kw_only=True, eq=False)
class Core:
    """The cores of one implementer, by part number."""

    implementer: int
    name: str
    parts: dict[str, str]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Radeon:
    """AMD GPU targets that are alike for Ollama."""

    targets: tuple[str, ...]
    rocm: bool = False
    integrated: bool = False
    needs_opt_in: bool = False
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Hypervisor:
    """A hypervisor, by how DMI texts start in its guests."""

    name: str
    starts: tuple[str, ...]
    source: str
