"""The verdict on a model, or several: what each device and the host then hold, and what more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from generator.fit.ask import UNBOUNDED
from generator.fit.kv import CELLS, PLAIN
from generator.fit.layout import Footprint, Need, fill, only, placed
from generator.fit.load_time import LoadTime, load_time
from generator.fit.measured import Corrected, corrected
from generator.fit.speed import Speed, speed_of
from generator.records import dataclass, replace
from generator.units import gib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.fit.ask import Ask
    from generator.fit.host import Host
    from generator.fit.layout import Placement
    from generator.fit.shape import Load, Shape

Word = Literal["fits", "tight", "does not fit"]
NARROW: Final = 20  # less than a twentieth left is tight
MOST_SLOTS: Final = 256
PROBES: Final = 64
SEVERAL: Final = 2
NOT_HELD: Final = "does not hold it"  # why no speed is known of a model, as its verdict says
FAR_CONTEXT: Final = 1 << 20  # where what the model was trained for is unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A device or the host: what it has (0: unknown), what is in it, and where a limit is from.

    `reserved` is what others than the model server hold of a device. `grows` is what prompt caches
    may grow by, all of which is `taken` at the start by some servers.
    """

    name: str
    total: int
    need: Need
    limit_name: str = ""
    grows: int = 0
    reserved: int = 0
    taken: bool = False

    @property
    def left(self) -> int:
        """What stays free; negative where it is too little."""
        return self.total - self.reserved - self.need.total

    @property
    def word(self) -> Word:
        """Whether it is enough; `tight`: hardly, or not once the prompt cache has grown."""
        if not self.total or self.left >= max(self.grows, self.total // NARROW):
            return "fits"
        enough = self.left >= (self.grows if self.taken else 0)
        return "tight" if enough else "does not fit"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFit:
    """One model on one machine.

    `rooms` are as the scheduler's `placement` fills them, the host last. `word` says whether the
    machine could hold all of it where it computes best, whatever the scheduler does; `why` is a
    sentence. `largest_context` and `most_slots` each leave the other as asked; 0: none fits;
    `context_split`: at the largest context no GPU alone holds all layers, but several do.
    `speed` is that of one request, as the scheduler places the model; None, as `load_time`, where
    nobody asked: `timed` fills them in. `corrected`: `speed` is not the estimate alone, but follows
    from what was measured on the host.
    """

    shape: Shape
    load: Load
    asked_context: int
    placement: Placement
    rooms: tuple[Room, ...]
    word: Word
    why: str
    largest_context: int
    most_slots: int
    context_split: bool = False
    speed: Speed | None = None
    load_time: LoadTime | None = None
    corrected: Corrected | None = None


def judge(shape: Shape, ask: Ask, host: Host, *, search: bool = True) -> ModelFit:
    """Return the verdict on a model that is alone on an idle machine.

    Without `search` the largest context and the most slots are not looked for.
    """
    free = host.free
    ask = ask.granted(shape.name)
    load = ask.load_of(shape, free)
    footprint = Footprint(shape, load)
    placement = ask.place(footprint, free)
    rooms = rooms_of(host, *footprint.of(placement), ask)
    word, why = _word(footprint, ask, host, rooms, placement)
    if word == "fits" and placement.sparse:
        why = "all of it would have room on GPUs, but the server leaves experts to the host"
    elif word == "fits" and host.devices and not ask.on_cpu and placement.on_gpus <= shape.layers:
        left = shape.layers + 1 - placement.on_gpus
        why = f"all layers would have room on GPUs, but the server leaves {left} to the CPU"

    most = 1 if ask.facts.one_slot(shape.name) else MOST_SLOTS

    def slots_fit(slots: int) -> bool:
        return holds(shape, replace(ask, slots=slots), host)

    context = _largest_context(shape, ask, host) if search else 0
    return ModelFit(
        shape=shape,
        load=load,
        asked_context=ask.context,
        placement=placement,
        rooms=rooms,
        word=word,
        why=why,
        largest_context=context,
        context_split=bool(context) and _split(shape, replace(ask, context=context), host),
        most_slots=_largest(slots_fit, most) if search else 0,
    )


def timed(fit: ModelFit, ask: Ask, host: Host) -> ModelFit:
    """Return a verdict with how fast the model answers, and how long it takes to load.

    Of one that memory does not hold no speed is known.
    """
    over = [room.name for room in fit.rooms if room.total and room.left < 0]
    speed = (
        Speed(
            unknown=f"{over[0]} {NOT_HELD}" if over else f"of {ask.product} nobody has measured it"
        )
        if over or not ask.timed
        else speed_of(fit.shape, fit.load, fit.placement, host, ask.facts)
    )
    speed, by = corrected(fit.shape, fit.placement, speed, () if over else host.corrections)
    size = fit.shape.tensor_bytes + fit.shape.projector_bytes
    return replace(fit, speed=speed, load_time=load_time(size, ask.facts, host.disk), corrected=by)


def _filled(footprint: Footprint, counts: Sequence[int], ask: Ask, host: Host) -> tuple[Room, ...]:
    """Return devices and host as so many layers on each fill them."""
    return rooms_of(host, *footprint.of(placed(footprint.shape, counts)), ask)


def rooms_of(
    host: Host, taken: Sequence[Need], rest: Need, ask: Ask, models: int = 1
) -> tuple[Room, ...]:
    """Return the devices with what is `taken` of each, and the host with the `rest`, last.

    A GPU that shares the host's memory takes its part of it.
    """
    pairs = list(zip(host.devices, taken, strict=True))
    devices = [
        Room(name=gpu.name, total=gpu.memory, need=need, reserved=gpu.reserved)
        for gpu, need in pairs
    ]
    shared = sum(need.total for gpu, need in pairs if gpu.unified)
    total, name = host.limit, host.limit_name
    if shared and host.memory:
        total, name = host.memory - shared, "what the GPU leaves"
        if 0 < host.limit < total:
            total, name = host.limit, host.limit_name
    last = Room(
        name="host",
        total=total,
        need=rest,
        limit_name=name,
        grows=ask.cache_ram * models,
        taken=ask.cache_taken,
    )
    return *devices, last


def holds(shape: Shape, ask: Ask, host: Host) -> bool:
    """Return whether the machine has room for a model where it computes best.

    On GPUs that is all layers on one of them or on all together, without any margin; the overhead
    of each is counted.
    """
    free = host.free
    return _held(Footprint(shape, ask.load_of(shape, free)), ask, host)


def hopeless(shape: Shape, ask: Ask, host: Host) -> bool:
    """Return whether the weights alone are more than the memory where a model computes best."""
    if ask.on_cpu or not host.devices:
        return 0 < host.limit < shape.tensor_bytes
    return shape.tensor_bytes - shape.input_bytes > sum(host.free)


def _held(footprint: Footprint, ask: Ask, host: Host) -> bool:
    free = host.free
    if ask.on_cpu or not free:
        return _filled(footprint, (0,) * len(free), ask, host)[-1].left >= 0 or not host.limit
    return any(_has_room(footprint, counts, ask, host) for counts in _whole(footprint, ask, free))


def _has_room(footprint: Footprint, counts: Sequence[int], ask: Ask, host: Host) -> bool:
    rooms = _filled(footprint, counts, ask, host)
    return all(room.left >= 0 or not room.total for room in rooms)


def _split(shape: Shape, ask: Ask, host: Host) -> bool:
    """Return whether a model that fits on GPUs fits on none of several alone."""
    free = host.free
    if ask.on_cpu or len(free) < SEVERAL:
        return False
    footprint = Footprint(shape, ask.load_of(shape, free))
    every = (only(device, shape.layers + 1, len(free)) for device in range(len(free)))
    return not any(_has_room(footprint, counts, ask, host) for counts in every)


def _whole(footprint: Footprint, ask: Ask, free: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the counts with all layers on GPUs that are worth trying, the server's own at last."""
    layers = footprint.shape.layers + 1
    for device in range(len(free)):
        yield only(device, layers, len(free))
    if len(free) > 1:
        every = (fill(footprint, free, range(len(free))), ask.place(footprint, free).counts)
        yield from (counts for counts in every if sum(counts) == layers)


def _word(
    footprint: Footprint, ask: Ask, host: Host, rooms: Sequence[Room], placement: Placement
) -> tuple[Word, str]:
    load = footprint.load
    if not load.flash_attention and load.cache_type not in PLAIN:
        return "does not fit", f"a {load.cache_type} cache needs flash attention, which is off"
    if not _held(footprint, ask, host):
        return "does not fit", _short(footprint.shape, rooms, host, ask, placement)
    narrow = [room for room in rooms if room.word != "fits" and room.need.total]
    if not narrow:
        where = "in memory" if ask.on_cpu or not host.devices else "on GPUs"
        return "fits", f"all layers {where}{_spare(rooms)}"
    return _narrow(narrow[0])


def _narrow(room: Room) -> tuple[Word, str]:
    """Return what there is to say of a room that hardly holds what is in it, or not at all."""
    short = 0 <= room.left < room.grows
    if short and room.taken:
        message = f"{gib(room.grows, 1)} for earlier prompts are taken at the start, and "
        return "does not fit", f"{message}{gib(room.left, 1)} of the host are left"
    if short:
        return "tight", f"prompt caches may grow {growth(room.grows)}, {gib(room.left, 1)} are left"
    if room.left < 0:
        return "tight", f"{room.name} is overfull as the scheduler fills it"
    return "tight", f"{gib(room.left, 1)} of {gib(room.total, 1)} are left on {room.name}"


def growth(size: int) -> str:
    """Return how far prompt caches may grow, in words."""
    return "without bound" if size >= UNBOUNDED else f"by {gib(size, 1)}"


def _spare(rooms: Sequence[Room]) -> str:
    """Return what the fullest room that is known has left, in words."""
    known = [room for room in rooms if room.total and room.need.layers]
    if not known:
        return ""
    room = min(known, key=lambda room: room.left)
    return f"; {gib(room.left, 1)} are left on {room.name}"


def _short(shape: Shape, rooms: Sequence[Room], host: Host, ask: Ask, placement: Placement) -> str:
    over = [room for room in rooms if room.total and room.left < 0]
    if ask.on_cpu or not host.devices:
        room = rooms[-1]
        return f"{gib(-room.left, 1)} above the {gib(room.total, 1)} of {room.limit_name}"
    message = f"{placement.on_gpus} of {shape.layers + 1} layers on GPUs"
    if placement.sparse:
        message += f", the experts of {placement.sparse} of them with the host"
    if placement.on_gpus <= shape.layers:
        message += ", the CPU computes the rest"
    return f"{message}; {over[0].name} is overfull" if over else message


def _largest_context(shape: Shape, ask: Ask, host: Host) -> int:
    """Return the largest context of whole cache blocks that fits, up to the trained one."""
    limit = shape.context or FAR_CONTEXT
    if holds(shape, replace(ask, context=limit), host):
        return limit

    def fits(blocks: int) -> bool:
        return holds(shape, replace(ask, context=blocks * CELLS), host)

    return _largest(fits, limit // CELLS) * CELLS


def _largest(fits: Callable[[int], bool], limit: int) -> int:
    """Return the largest number up to `limit` that fits; 0: not even one does.

    The batch follows the tokens and the room that is left, so that more may fit where less does
    not: the search begins with the largest of some numbers that fits.
    """
    step = max(1, limit // PROBES)
    low = next((number for number in range(limit, 0, -step) if fits(number)), 0)
    high = min(limit, low + step - 1)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


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
    free = host.free
    taken, rest = [Need() for _ in free], Need()
    loaded: list[str] = []
    evicting: list[str] = []
    for shape in shapes[: ask.loaded]:
        footprint = Footprint(shape, ask.load_of(shape, free))
        placement = ask.place(footprint, free)
        if loaded and ask.evicts(footprint, placement, free):
            evicting.append(shape.name)
            continue
        devices, more = footprint.of(placement)
        loaded.append(shape.name)
        rest = rest.plus(more)
        taken = [have.plus(need) for have, need in zip(taken, devices, strict=True)]
        free = [max(0, have - need.total) for have, need in zip(free, devices, strict=True)]
    rooms = rooms_of(host, taken, rest, ask, models=len(loaded))
    return Together(loaded=tuple(loaded), evicting=tuple(evicting), rooms=rooms)
