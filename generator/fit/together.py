"""Several models at once: what a server holds when it keeps them all loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.fit import llama_fit
from generator.fit.layout import Footprint, Need
from generator.fit.schedule import load_of, place
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

    A model that finds too little free GPU memory makes the server unload others first: from 0.30
    on if what it predicts is above 80 % of what is free, before if not all layers fit. The host's
    memory is not looked at, nor any MemoryMax. Source: server/sched.go@v0.32.15:543-571;
    llm/server.go@v0.24.0:1052-1063.
    """
    free = [device.memory for device in host.devices]
    taken, rest = [Need() for _ in free], Need()
    loaded: list[str] = []
    evicting: list[str] = []
    for shape in shapes[: ask.loaded]:
        load = load_of(shape, ask, free)
        footprint = Footprint(shape, load)
        placement = place(footprint, ask, free)
        devices, more = footprint.needs(placement.counts, headless=placement.headless)
        evicts = _evicts(shape, ask, free, load.tokens, load.batch)
        if loaded and free and not ask.on_cpu and (evicts or placement.kind == "partial"):
            evicting.append(shape.name)
            continue
        loaded.append(shape.name)
        rest = rest.plus(more)
        taken = [have.plus(need) for have, need in zip(taken, devices, strict=True)]
        free = [max(0, have - need.total) for have, need in zip(free, devices, strict=True)]
    rooms = rooms_of(host, taken, rest, ask, models=len(loaded))
    return Together(loaded=tuple(loaded), evicting=tuple(evicting), rooms=rooms)


def _evicts(shape: Shape, ask: Ask, free: Sequence[int], tokens: int, batch: int) -> bool:
    if not ask.llama_server or not free:
        return False
    expected = llama_fit.predicted(shape, tokens)
    have = sum(free[device] for device in llama_fit.choose(expected, free, ask))
    return expected + llama_fit.surcharge_of(batch) > have * llama_fit.SHARE // 100
