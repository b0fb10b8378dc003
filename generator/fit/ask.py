"""What a service asks of its engine, and what the engine then does with a model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from generator.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from generator.catalogue.facts import Facts
    from generator.fit.host import Host
    from generator.fit.layout import Footprint, Placement
    from generator.fit.shape import Load, Shape
    from generator.live.client import Server

UNBOUNDED: Final = 1 << 60  # bytes of a prompt cache without a bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(ABC):
    """The settings of a service that memory follows from. Each engine has an Ask of its own.

    `product` is what the engine is called. `flash_attention` is what the service sets (None: the
    release decides), `loaded` how many models stay loaded at once, `layers` a forced number of GPU
    layers (None: as many as fit), `cache_ram` what the prompt cache of one model may grow to
    (UNBOUNDED: whatever there is), `cache_taken` whether it takes all of that at its start. Unless
    `context_told`, `context` is the release's default. `free` is the memory of each device, in
    bytes. `of_library`: tags of the library are what it loads; `timed`: how fast it is was measured
    somewhere.
    """

    product: str
    facts: Facts
    context: int
    slots: int
    cache_type: str = "f16"
    flash_attention: bool | None = None
    loaded: int = 1
    on_cpu: bool = False
    layers: int | None = None
    cache_ram: int = 0
    cache_taken: bool = False
    context_told: bool = True
    of_library: bool = True
    timed: bool = True

    def meant(self, name: str) -> str:
        """Return the tag whose shape is that of what is loaded where a model is asked for."""
        return name

    def within(self, host: Host) -> Host:
        """Return what of a host the service may fill."""
        return host

    def granted(self, name: str) -> Self:
        """Return what a model of that name is granted: one slot for some architectures."""
        return replace(self, slots=1) if self.facts.one_slot(name) else self

    @abstractmethod
    def tuned(self, parameters: Mapping[str, str]) -> Self:
        """Return the same for a model with parameters of its own."""

    @abstractmethod
    def load_of(self, shape: Shape, free: Sequence[int]) -> Load:
        """Return how the release loads a model: context, cache, flash attention and batch."""

    @abstractmethod
    def place(self, footprint: Footprint, free: Sequence[int]) -> Placement:
        """Return where the release puts a model: not the same as whether it fits."""

    @abstractmethod
    def evicts(self, footprint: Footprint, placement: Placement, free: Sequence[int]) -> bool:
        """Return whether others are unloaded first, where so much is `free` beside them."""

    @abstractmethod
    def shape_at(self, server: Server, model: str) -> Shape:
        """Return the Shape of a model that a running server has.

        Raises EnvironmentFailure where the server cannot be reached, takes too long or answers
        nonsense, and HostwrightError for a URL that is none or a model that it does not have.
        """

    @abstractmethod
    def loaded_at(self, server: Server) -> tuple[tuple[str, int, int], ...]:
        """Return name, bytes and bytes on GPUs of what a running server has loaded."""
