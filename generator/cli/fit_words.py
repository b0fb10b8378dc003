"""What `gen fit` says of verdicts, in sentences and rows: its text and its page print the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import shortened
from generator.fit.speed import Rate
from generator.fit.verdict import NOT_HELD, growth
from generator.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.fit.ask import Ask
    from generator.fit.choose import Candidate
    from generator.fit.host import Host
    from generator.fit.load_time import LoadTime, Seconds
    from generator.fit.measured import Measured
    from generator.fit.shape import Load
    from generator.fit.speed import Speed
    from generator.fit.verdict import ModelFit, Room, Together
    from generator.fit.ways import Way

CARD: Final = 24
LONG: Final = 8192
"""A context with which most people talk."""
SMALL: Final = 1000
ROOMS: Final = ("GiB", "layers", "weights", "KV", "compute", "other", "total", "of", "left")
CHOICES: Final = ("model", "quantisation", "GiB", "tokens/s", "verdict")
QUANTISATIONS: Final = (
    "model", "quantisation", "GiB", "loss", "verdict", "context", "tokens/s", "load",
)  # fmt: skip
QUANTISATION_NOTES: Final = (
    "loss: perplexity over that of f16, for Llama 3 8B; of a smaller model it is more. "
    "context: the most tokens for each slot. load: from the disk, cold."
)
WAYS: Final = ("change", "GiB", "context", "tokens/s", "verdict")
LOADED: Final = ("model", "GiB", "on GPUs")
DISKS: Final = {
    "nvme": "from NVMe",
    "ssd": "from a SATA SSD",
    "hdd": "from a hard disk",
    "network": "over the network",
    "disk": "from that disk",
}
KINDS: Final = {
    "cpu": "computes on the CPU",
    "one": "puts all layers on one GPU",
    "split": "splits the layers over GPUs",
    "experts": "puts all layers on GPUs, but not all of their experts",
    "partial": "puts part of the layers on GPUs, the CPU computes the rest",
}


def title(fit: ModelFit, ask: Ask) -> str:
    """Return what is judged: the model, its quantisation, the release."""
    parts = (fit.shape.name, fit.shape.quantisation, f"{ask.product} {ask.facts.at}")
    return " · ".join(part for part in parts if part)


def loaded_as(fit: ModelFit) -> list[str]:
    """Return how the server loads it, and that it caps the context, where it does."""
    load = fit.load
    slots = f"{load.slots} slots × {load.context}" if load.slots > 1 else f"{load.context}"
    flash = "with" if load.flash_attention else "without"
    text = f"{slots} tokens, {load.cache_type} cache, {flash} flash attention, batch {load.batch}"
    if fit.asked_context <= load.context:
        return [text]
    message = f"The model was trained for {load.context} tokens: the server caps the "
    return [text, f"{message}{fit.asked_context} asked for."]


def reserved(rooms: Sequence[Room]) -> list[str]:
    """Return what others hold of devices, in words."""
    held = [f"{size(room.reserved)} GiB of {room.name}" for room in rooms if room.reserved]
    return [f"Held by a display or other programs (x): {', '.join(held)}."] if held else []


def sentences(fit: ModelFit, ask: Ask, host: Host) -> Iterator[str]:
    """Yield what the scheduler does, how fast that is, how far it reaches, and what is unsure."""
    yield _scheduler(fit, ask)
    yield from _speed(fit.speed, fit.load) if fit.speed else ()
    yield from corrected_by(fit)
    yield from _memory_measured(fit)
    if fit.load_time:
        yield _loads_in(fit.load_time)
    yield _reach(fit)
    if window := fit.shape.window_unknown:
        yield (
            f"Some layers may keep {window} tokens only: which ones is not known of "
            f"{fit.shape.architecture}, so the KV cache is an upper bound."
        )
    yield from fit.shape.remarks
    if not host.memory and host.devices:
        yield "The profile does not say what memory the host has."


def room_row(room: Room) -> tuple[str, ...]:
    """Return a device as a row under ROOMS."""
    need = room.need
    parts = [size(each) for each in (need.weights, need.kv, need.compute, need.other, need.total)]
    have = size(room.total) if room.total else "?"
    left = size(room.left) if room.total else "?"
    return (room.name, str(need.layers), *parts, have, left)


def of_all(needed: int, memory: int) -> str:
    """Return what all servers of a host hold of its memory."""
    text = f"All servers together hold {size(needed)} GiB of the memory of the host"
    if not memory:
        return f"{text}, of which the profile does not say how much there is."
    if needed > memory:
        return f"{text}, and it has {size(memory)}: that does not fit."
    return f"{text}, which has {size(memory)}."


def together_sum(found: Together) -> str:
    """Return why several models fit side by side, or do not."""
    room = found.rooms[-1]
    over = [room for room in found.rooms if room.total and room.left < 0]
    if over:
        return f"{size(-over[0].left)} GiB above the {size(over[0].total)} GiB of " + (
            over[0].limit_name or over[0].name
        )
    if 0 <= room.left < room.grows:
        return f"prompt caches may grow {growth(room.grows)}, {size(room.left)} GiB are left"
    return "these together" if found.evicting else "all of them together"


def evicting(found: Together) -> list[str]:
    """Return which models do not stay loaded beside the others."""
    message = f"Not beside {', '.join(found.loaded)}: {', '.join(found.evicting)}. "
    return [f"{message}The server unloads one to load the other."] if found.evicting else []


def loaded_rows(found: Sequence[tuple[str, int, int]]) -> list[tuple[str, ...]]:
    """Return what a server has loaded as rows under LOADED."""
    return [
        (name, size(total), f"{on_gpus * 100 // total if total else 0} %")
        for name, total, on_gpus in found
    ]


def best_of(found: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Return the models that leave a tenth of the memory, and others.

    The recommended one is the first, and those that another of the same shape stands for the last.
    """
    best = sorted((one for one in found if one.best), key=_rank)
    return [one for one in best if one.roomy], [one for one in best if not one.roomy]


def _rank(one: Candidate) -> tuple[bool, ...]:
    return not one.recommended, bool(one.twin), not one.current, bool(one.superseded)


def narrow_head(*, roomy: bool) -> str:
    """Return what is said of models with less room, beside others or alone."""
    head = "Also" if roomy else "Nothing has room to spare. Still"
    return f"{head} fits, but with less than a tenth left or partly on the CPU:"


def choice_row(choice: Candidate) -> tuple[str, ...]:
    """Return a model that fits as a row under CHOICES; `*`: it is recommended."""
    return (
        f"{'*' if choice.recommended else ' '} {choice.name}",
        choice.fit.shape.quantisation,
        needed(choice.fit),
        likely(choice.fit),
        verdict(choice.fit),
    )


def recommended(choice: Candidate) -> str:
    """Return which model to take, and why."""
    message = f"recommended: {choice.name} {choice.fit.shape.quantisation}, {choice.why}."
    return f"* {message} {choice.advice}"


def speed_notes(found: Sequence[Candidate]) -> str:
    """Return why a speed is `?`, and that some are corrected by what was measured; empty: neither.

    Where the memory is too small its row says so.
    """
    every = (choice.fit.speed.unknown for choice in found if choice.fit.speed)
    why = next((why for why in every if why and not why.endswith(NOT_HELD)), "")
    unknown = [f"?: {why}."] if why else []
    fixed = any(choice.fit.corrected for choice in found)
    told = "tokens/s: corrected by what was measured here; --json has the estimates alone."
    return " ".join([*unknown, told] if fixed else unknown)


def context_told(ask: Ask) -> str:
    """Return what decides as much as the model, where nobody has said it."""
    slots = f"each of {ask.slots} slots" if ask.slots > 1 else "the one slot"
    more = ask.context > LONG
    shorter = ", and a shorter --context leaves room for larger models" if more else ""
    taken = f"{ask.product} {ask.facts.at} takes {ask.context} tokens"
    return f"Nothing sets a context: {taken} for {slots} here{shorter}."


def quantisation_row(one: Candidate) -> tuple[str, ...]:
    """Return a quantisation as a row under QUANTISATIONS; `*`: the best that has room."""
    return (
        f"{'*' if one.best else ' '} {one.fit.shape.name}",
        one.fit.shape.quantisation,
        size(one.fit.shape.tensor_bytes),
        f"+{one.loss:.2g}" if one.told else "?",
        verdict(one.fit),
        str(one.fit.largest_context or "-"),
        likely(one.fit),
        _cold(one.fit),
    )


def quantisation_notes(found: Sequence[Candidate]) -> list[str]:
    """Return what is said below a table under QUANTISATIONS."""
    notes = (QUANTISATION_NOTES, speed_notes(found), quantisation_best(found))
    return [text for text in notes if text]


def quantisation_best(found: Sequence[Candidate]) -> str:
    """Return which quantisation is marked; empty: none is."""
    marked = next((one for one in found if one.best), None)
    return f"* {marked.name} {marked.fit.shape.quantisation}: {marked.advice}" if marked else ""


def way_row(way: Way) -> tuple[str, ...]:
    """Return what would do as a row under WAYS."""
    context = str(way.fit.load.context)
    return (_change(way), needed(way.fit), context, likely(way.fit), verdict(way.fit))


def needed(fit: ModelFit) -> str:
    """Return what a model takes of all devices and the host, in GiB."""
    return size(sum(room.need.total for room in fit.rooms))


def verdict(fit: ModelFit) -> str:
    """Return the verdict in a word or some."""
    if fit.placement.kind in {"partial", "experts"}:
        return "partly on the CPU"
    rest = fit.rooms[-1]
    if fit.word == "tight" and 0 <= rest.left < rest.grows:
        return "tight: prompt cache"
    return fit.word


def likely(fit: ModelFit) -> str:
    """Return how many tokens a second are expected."""
    rate = fit.speed.decode if fit.speed else None
    return _number(rate.likely) if rate else "?"


def size(count: int) -> str:
    """Return bytes in GiB."""
    return f"{count / GIB:.2f}"


def _cold(fit: ModelFit) -> str:
    cold = fit.load_time.cold if fit.load_time else ()
    return f"{_number(cold[0].time.likely)} s" if cold else "?"


def _change(way: Way) -> str:
    parts = []
    if way.quantisation:
        name = way.fit.shape.name.removesuffix(f":{way.quantisation}")
        parts.append(f"--model {name}:{way.quantisation}")
    if way.cache_type:
        parts.append(f"--kv-cache-type {way.cache_type}")
    if way.slots:
        parts.append(f"--parallel {way.slots}")
    if way.context:
        parts.append(f"--context {way.context}")
    if way.gpu:
        parts.append(f"{'one more: ' if way.beside else 'a card: '}{shortened(way.gpu, CARD)}")
    if way.memory:
        parts.append(f"{way.memory // GIB} GiB of memory")
    return " ".join(parts)


def _scheduler(fit: ModelFit, ask: Ask) -> str:
    counts = ""
    if fit.placement.on_gpus:
        dealt = " + ".join(str(count) for count in fit.placement.counts)
        counts = f" ({dealt} of {fit.shape.layers + 1} layers)"
    kind = KINDS[fit.placement.kind]
    return f"{ask.product} {ask.facts.at} {kind}{counts}: {fit.placement.reason}."


def _speed(speed: Speed, load: Load) -> list[str]:
    """Return how fast the model answers, with the error bar, or why nobody can tell."""
    if speed.unknown:
        return [f"Speed is not known: {speed.unknown}."]
    parts = []
    if speed.decode:
        filled = f"once {load.context} tokens are in the cache"
        full = f", {_number(speed.full.likely)} {filled}" if speed.full else ""
        parts.append(f"generates {_rate(speed.decode)}{full}")
    if speed.prompt:
        parts.append(f"reads prompts at {_rate(speed.prompt)}")
    return [f"Expected: {'; '.join(parts)}."] if parts else []


def corrected_by(fit: ModelFit) -> Iterator[str]:
    """Yield what the speed was corrected by, and the estimate without that; nothing: it was not."""
    if fit.corrected is None:
        return
    estimate = fit.corrected.estimate.decode
    alone = f"; the estimate alone is {_rate(estimate)}" if estimate else ""
    told = [_measured(each) for each in fit.corrected.by]
    if fit.corrected.own:
        yield f"Measured here: {told[0]}{alone}."
    else:
        others = ", ".join(told)
        yield f"Corrected by what was measured here of others placed alike: {others}{alone}."


def _measured(found: Measured) -> str:
    rate = Rate(low=found.low, likely=found.decode, high=found.high)
    return f"{found.model} {_exact(rate)} on {found.date} with {found.release or 'no release told'}"


def _exact(rate: Rate) -> str:
    rates = (rate.low, rate.likely, rate.high)
    low, likely, high = (f"{each:.3g}" if each < SMALL else f"{each:.0f}" for each in rates)
    return f"{likely} tokens/s ({low} to {high})"


def _memory_measured(fit: ModelFit) -> Iterator[str]:
    """Yield what the server said it held of a model, where it had loaded it as it is asked for."""
    found = fit.corrected.by[0] if fit.corrected and fit.corrected.own else None
    if found is None or not found.size:
        return
    load = fit.load
    if (found.slots, found.context, found.cache_type) == (
        load.slots,
        load.context,
        load.cache_type,
    ):
        on_gpus = f", {size(found.on_gpus)} of them on GPUs" if found.on_gpus else ""
        yield f"Measured in memory: {size(found.size)} GiB{on_gpus}; the estimate is {needed(fit)}."
    else:
        then = f"{found.slots} × {found.context} tokens, {found.cache_type} cache"
        yield f"Measured in memory, but loaded otherwise ({then}): {size(found.size)} GiB."


def _rate(rate: Rate) -> str:
    low, likely, high = (_number(value) for value in (rate.low, rate.likely, rate.high))
    return f"{likely} tokens/s ({low} to {high})"


def _number(value: float) -> str:
    """Return a number to two digits, without an exponent."""
    return f"{float(f'{value:.2g}'):g}" if value < SMALL else f"{int(float(f'{value:.2g}'))}"


def _loads_in(time: LoadTime) -> str:
    """Return how long loading takes: with the error bar where the disk is known."""
    told = len(time.cold) == 1
    cold = [f"{_seconds(each.time, told=told)} {DISKS[each.disk]}" for each in time.cold]
    warm = _seconds(time.warm, told=told)
    return f"Loads in about {', '.join(cold)}; {warm} where the file is cached."


def _seconds(time: Seconds, *, told: bool) -> str:
    bar = f" ({_number(time.low)} to {_number(time.high)})" if told else ""
    return f"{_number(time.likely)} s{bar}"


def _reach(fit: ModelFit) -> str:
    slots = f"{fit.load.slots} slots" if fit.load.slots > 1 else "one slot"
    if not fit.largest_context:
        return f"No context fits with {slots}."
    text = f"Largest context that fits with {slots}: {fit.largest_context}"
    if fit.largest_context == fit.shape.context:
        text += ", as trained"
    if fit.context_split:
        text += ", with its layers split over several GPUs"
    return f"{text}; most slots with {fit.load.context} tokens: {fit.most_slots}."
