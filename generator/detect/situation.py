"""What the rules of derivation look at, and what they return."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from generator.detect.pci import card_of
from generator.host import quota_acts, shared_memory
from generator.records import dataclass
from generator.units import GIB, MIB, written_size

if TYPE_CHECKING:
    from generator.catalogue.catalogue import Catalogue
    from generator.catalogue.facts import Facts
    from generator.catalogue.hardware import GpuGeneration
    from generator.detect.detected import Detected, Gpu

_SMALL: Final = 2.5  # TFLOPS; eight cores have one, and share the memory with the GPU
MOST: Final = 2**60  # bytes; what reports more does not mean memory
Acceleration = Literal["cpu", "cuda", "rocm", "vulkan"]
_LIBRARIES: Final[tuple[Acceleration, ...]] = ("cuda", "rocm", "vulkan")


@dataclass(frozen=True, slots=True)
class Choice:
    """A value for a key of the profile, like `ollama.context_length`, and why it is that."""

    key: str
    value: str | int | bool | list[str]
    reason: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A key that is left out on purpose, and who decides it better."""

    key: str
    reason: str


@dataclass(frozen=True)
class Situation:
    """A machine, the release to write for, and the GPUs that it can use, in bus order."""

    found: Detected
    facts: Facts
    acceleration: Acceleration
    gpus: tuple[Gpu, ...]
    asked: str = ""
    """The release that somebody asked for; empty: nobody did."""

    @property
    def memory(self) -> int:
        """The bytes that the service may have of the host."""
        return self.found.usable.memory

    @property
    def gpu_memory(self) -> int:
        """The bytes of all its GPUs together."""
        return sum(gpu.memory for gpu in self.gpus)

    @property
    def quota(self) -> int | None:
        """The percent of a CPU that bounds this machine; None: nothing does."""
        bound = self.found.bounds.quota
        return bound.value if bound and quota_acts(bound.value, self.found.usable.threads) else None

    @property
    def on_cpu(self) -> bool:
        """Whether nothing but the CPU computes."""
        return self.acceleration == "cpu"

    @property
    def admitted(self) -> bool:
        """Whether the server takes its GPUs without being told to."""
        return all(_admitted(gpu, self.facts) for gpu in self.gpus)

    @property
    def generations(self) -> list[GpuGeneration]:
        """What is known of its NVIDIA GPUs, by their compute capability."""
        found = (self.facts.generation(gpu.compute_capability) for gpu in self.gpus)
        return [generation for generation in found if generation is not None]


def situation_of(found: Detected, catalogue: Catalogue, release: str | None = None) -> Situation:
    """Return what to derive from. Raises ValueError for a release that there is not."""
    # An installed release that is younger than the facts is judged by the youngest known.
    installed = found.ollama.version
    asked = release or (installed if catalogue.knows_text(installed) else None)
    facts = catalogue.at(catalogue.engine, catalogue.release(asked))
    known = [_completed(gpu, found, facts) for gpu in found.gpus if not gpu.fault]
    usable = [gpu for gpu in known if MIB <= gpu.memory < MOST]
    by_itself = [gpu for gpu in usable if _admitted(gpu, facts)]
    for gpus, acceleration in ((g, a) for g in (by_itself, usable) for a in _LIBRARIES):
        able = [gpu for gpu in gpus if _by(gpu, facts) == acceleration]
        if together := _together(able):
            return Situation(found, facts, acceleration, together, release or "")
    return Situation(found, facts, "cpu", (), release or "")


def _completed(gpu: Gpu, found: Detected, facts: Facts) -> Gpu:
    """Fill in what the Catalogue knows of a card by its id or its name."""
    card = card_of(gpu.pci) or facts.card(gpu.name)
    if card is None:
        return gpu
    memory = gpu.memory or (0 if gpu.mig else card.memory)
    if not memory and gpu.unified:
        memory = shared_memory(found.usable.memory, metal=False)
    capability = gpu.compute_capability or card.compute_capability
    exact = gpu.exact and bool(gpu.memory)
    return replace(gpu, memory=memory, compute_capability=capability, exact=exact)


def _together(gpus: list[Gpu]) -> tuple[Gpu, ...]:
    """Return those that one server can use: CUDA shows it whole GPUs, or one MIG slice.

    Source: docs.nvidia.com, Multi-Instance GPU user guide, CUDA device enumeration.
    """
    whole = [gpu for gpu in gpus if not gpu.mig]
    return tuple(whole or sorted(gpus, key=lambda gpu: -gpu.memory)[:1])


def _by(gpu: Gpu, facts: Facts) -> str:
    """Return the library of the release that computes on a GPU; empty: none does, or too slowly."""
    unknown = gpu.vendor == "amd" and not gpu.target
    library = "" if unknown else facts.library(gpu.vendor, gpu.target)
    if library == "rocm" and not gpu.kernel:
        library = facts.library("intel")  # which is Vulkan or nothing
    return "" if library == "vulkan" and gpu.unified and not _worth(gpu) else library


def _admitted(gpu: Gpu, facts: Facts) -> bool:
    """Whether the server takes the GPU without being told to."""
    return not gpu.unified or facts.admits_integrated(_by(gpu, facts), gpu.target)


def _worth(gpu: Gpu) -> bool:
    """Whether an integrated GPU is known to compute faster than the processor that it is in."""
    card = card_of(gpu.pci)
    return card is not None and card.fp32 >= _SMALL


def written_gib(size: int) -> str:
    """Return a size for prose, in whole GiB where there is at least one."""
    return written_size(size // GIB * GIB if size >= GIB else size // MIB * MIB)
