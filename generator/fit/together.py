"""Several models at once: what a server holds when it keeps them all loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.fit.layout import Footprint, Need
from generator.fit.verdict import rooms_of
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.fit.ask import Ask
    from generator.fit.host import Host
    from generator.fit.shape import Shape
    from generator.fit.verdict import Room, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """The models that stay loaded side by side, and those that make the server unload others."""

    loaded: tuple[str, ...]
    evicting: tuple[str, ...]
    rooms: tuple[Room, ...]

    @property
    def word(self) -> Word:
        """Whether the memory holds those that stay loaded side by side."""
        words = {room.word for room in self.rooms if room.need.total}
        if "does not fit" in words:
            return "does not fit"
        return "tight" if "tight" in words else "fits"


def together(shapes: Sequence[Shape], ask: Ask, host: Host) -> Together:
    """Return what the server holds after it loaded the models one after the other.

    A model that finds too little free GPU memory makes the server unload others first. The host's
    memory is not looked at, nor any MemoryMax.
    """
    free = [device.memory for device in host.devices]
    taken, rest = [Need() for _ in free], Need()
    loaded: list[str] = []
    evicting: list[str] = []
    for shape in shapes[: ask.loaded]:
        footprint = Footprint(shape, ask.load_of(shape, free))
        placement = ask.place(footprint, free)
        if loaded and ask.evicts(footprint, placement, free):
            evicting.append(shape.name)
            continue
        devices, more = footprint.needs(placement.counts, headless=placement.headless)
        loaded.append(shape.name)
        rest = rest.plus(more)
        taken = [have.plus(need) for have, need in zip(taken, devices, strict=True)]
        free = [max(0, have - need.total) for have, need in zip(free, devices, strict=True)]
    rooms = rooms_of(host, taken, rest, ask, models=len(loaded))
    return Together(loaded=tuple(loaded), evicting=tuple(evicting), rooms=rooms)
