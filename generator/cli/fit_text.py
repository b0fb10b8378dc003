"""How `gen fit` prints its verdicts: tables within 80 columns, and a bar for each device."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import click

from generator.cli.talk import table, width
from generator.errors import shortened
from generator.fit.verdict import growth
from generator.units import GIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.fit.ask import Ask
    from generator.fit.choose import Candidate
    from generator.fit.host import Host
    from generator.fit.load_time import LoadTime, Seconds
    from generator.fit.shape import Load
    from generator.fit.speed import Rate, Speed
    from generator.fit.verdict import ModelFit, Room, Together
    from generator.fit.ways import Way

BAR: Final = 40
NAME: Final = 18
CARD: Final = 24
LONG: Final = 8192
"""A context with which most people talk."""
MOST: Final = 10
"""Rows of models that fit."""
PARTS: Final = (("weights", "#"), ("kv", "="), ("compute", "+"), ("other", "-"), ("reserved", "x"))
COLOURS: Final = {"fits": "green", "tight": "yellow", "does not fit": "red"}
SMALL: Final = 1000
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


def model_text(fit: ModelFit, ask: Ask, host: Host) -> str:
    """Return what there is to say about one model."""
    lines = [_title(fit, ask), _loaded(fit), "", _rooms(fit.rooms), ""]
    lines += [bar(room) for room in fit.rooms if room.need.layers or room.total]
    lines += _reserved(fit.rooms)
    lines += ["", f"{_word(fit.word)}: {fit.why}", *_scheduler(fit, ask)]
    lines += [*_times(fit), *_reach(fit)]
    if window := fit.shape.window_unknown:
        message = (
            f"Some layers may keep {window} tokens only: which ones is not known of "
            f"{fit.shape.architecture}, so the KV cache is an upper bound."
        )
        lines += textwrap.wrap(message, width())
    for remark in fit.shape.remarks:
        lines += textwrap.wrap(remark, width())
    if not host.memory and host.devices:
        lines.append("The profile does not say what memory the host has.")
    return "\n".join(lines)


def together_text(found: Together) -> str:
    """Return what several models need side by side."""
    lines: list[str] = []
    if len(found.loaded) > 1:
        title = f"Loaded side by side: {', '.join(found.loaded)}"
        lines += [*textwrap.wrap(title, width()), "", _rooms(found.rooms), ""]
        lines += [bar(room) for room in found.rooms if room.total]
        lines += _reserved(found.rooms)
        lines += ["", f"{_word(found.word)}: {_sum(found)}"]
    if found.evicting:
        message = f"Not beside {', '.join(found.loaded)}: {', '.join(found.evicting)}. "
        lines += textwrap.wrap(f"{message}The server unloads one to load the other.", width())
    return "\n".join(lines)


def loaded_text(found: Sequence[tuple[str, int, int]]) -> str:
    """Return what a server has loaded at this moment, from `/api/ps`."""
    if not found:
        return "The server has nothing loaded."
    rows = [
        (name, _size(size), f"{on_gpus * 100 // size if size else 0} %")
        for name, size, on_gpus in found
    ]
    return "Loaded on the server now:\n\n" + table(("model", "GiB", "on GPUs"), rows)


def choices_text(found: Sequence[Candidate], most: int = MOST) -> str:
    """Return the models of the Catalogue that fit, one line each at its best quantisation."""
    marked = (one for one in found if one.best)
    best = sorted(marked, key=lambda one: (not one.recommended, not one.current))
    roomy = [choice for choice in best if choice.roomy]
    narrow = [choice for choice in best if not choice.roomy]
    parts = []
    if roomy:
        parts.append(
            f"Models that leave a tenth of the memory, each at the best quantisation that\n"
            f"does:\n\n{_choices(roomy[:most])}{_more(roomy, most)}"
        )
        parts += [_recommended(choice) for choice in roomy if choice.recommended]
    if narrow and (not roomy or most > len(roomy)):
        head = "Also" if roomy else "Nothing has room to spare. Still"
        message = f"{head} fits, but with less than a tenth left or partly on the CPU:"
        parts.append(f"{message}\n\n{_choices(narrow[:most])}{_more(narrow, most)}")
    return "\n\n".join(parts) or "No model of the Catalogue fits."


def _more(found: Sequence[Candidate], most: int) -> str:
    return f"\n\n  and {len(found) - most} more: --all" if len(found) > most else ""


def context_text(ask: Ask) -> str:
    """Return what decides as much as the model, where nobody has said it."""
    slots = f"each of {ask.slots} slots" if ask.slots > 1 else "the one slot"
    message = (
        f"Nothing sets a context: {ask.product} {ask.facts.at} takes {ask.context} tokens for "
        f"{slots} here{_shorter(ask)}."
    )
    return "\n".join(textwrap.wrap(message, width()))


def _shorter(ask: Ask) -> str:
    more = ask.context > LONG
    return ", and a shorter --context leaves room for larger models" if more else ""


def quantisations_text(found: Sequence[Candidate]) -> str:
    """Return a model at every quantisation, one line each; `*` marks the best that has room."""
    rows = [
        (
            f"{'*' if one.best else ' '} {one.fit.shape.name}",
            one.fit.shape.quantisation,
            _size(one.fit.shape.tensor_bytes),
            f"+{one.loss:.2g}" if one.told else "?",
            _verdict(one.fit),
            str(one.fit.largest_context or "-"),
            _likely(one.fit),
            _cold(one.fit),
        )
        for one in found
    ]
    head = ("  model", "quantisation", "GiB", "loss", "verdict", "context", "tokens/s", "load")
    notes = (
        "loss: perplexity over that of f16, for Llama 3 8B; of a smaller model it is more. "
        "context: the most tokens for each slot. load: from the disk, cold."
    )
    marked = next((one for one in found if one.best), None)
    best = f"* {marked.name} {marked.fit.shape.quantisation}: {marked.advice}" if marked else ""
    lines = [*textwrap.wrap(notes, width()), *textwrap.wrap(best, width())]
    return "\n".join((table(head, rows), "", *lines))


def _cold(fit: ModelFit) -> str:
    cold = fit.load_time.cold if fit.load_time else ()
    return f"{_number(cold[0].time.likely)} s" if cold else "?"


def ways_text(found: Sequence[Way]) -> str:
    """Return what would make a model fit, one line each."""
    rows = [
        (
            f"  {_change(way)}",
            _size(sum(room.need.total for room in way.fit.rooms)),
            str(way.fit.load.context),
            _likely(way.fit),
            _verdict(way.fit),
        )
        for way in found
    ]
    return "What would do:\n\n" + table(("  change", "GiB", "context", "tokens/s", "verdict"), rows)


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


def _choices(found: Sequence[Candidate]) -> str:
    rows = [
        (
            f"{'*' if choice.recommended else ' '} {choice.name}",
            choice.fit.shape.quantisation,
            _size(sum(room.need.total for room in choice.fit.rooms)),
            _likely(choice.fit),
            _verdict(choice.fit),
        )
        for choice in found
    ]
    return table(("  model", "quantisation", "GiB", "tokens/s", "verdict"), rows)


def _likely(fit: ModelFit) -> str:
    rate = fit.speed.decode if fit.speed else None
    return _number(rate.likely) if rate else "?"


def _verdict(fit: ModelFit) -> str:
    if fit.placement.kind in {"partial", "experts"}:
        return "partly on the CPU"
    rest = fit.rooms[-1]
    if fit.word == "tight" and 0 <= rest.left < rest.grows:
        return "tight: prompt cache"
    return fit.word


def _recommended(choice: Candidate) -> str:
    message = f"* recommended: {choice.name} {choice.fit.shape.quantisation}, {choice.why}."
    return "\n".join(textwrap.wrap(f"{message} {choice.advice}", width()))


def bar(room: Room) -> str:
    """Return a device as a bar: weights #, cache =, compute +, other -, reserved x, free dots."""
    name = shortened(room.name, NAME).ljust(NAME)
    if not room.total:
        return f"{name} ?  {_size(room.need.total)} GiB of what the profile does not say"
    cells, reach = "", 0
    for part, mark in PARTS:
        reach += room.reserved if part == "reserved" else getattr(room.need, part)
        cells += mark * (min(BAR, (reach * BAR + room.total // 2) // room.total) - len(cells))
    share = reach * 100 // room.total
    over = ">" if room.left < 0 else "]"
    shown = click.style(cells, fg=COLOURS[room.word])
    dots = "." * (BAR - len(cells))
    return f"{name} [{shown}{dots}{over} {share:3} % of {room.total / GIB:.4g} GiB"


def _title(fit: ModelFit, ask: Ask) -> str:
    parts = (fit.shape.name, fit.shape.quantisation, f"{ask.product} {ask.facts.at}")
    return " · ".join(part for part in parts if part)


def _loaded(fit: ModelFit) -> str:
    load = fit.load
    slots = f"{load.slots} slots × {load.context}" if load.slots > 1 else f"{load.context}"
    flash = "with" if load.flash_attention else "without"
    text = f"{slots} tokens, {load.cache_type} cache, {flash} flash attention, batch {load.batch}"
    if fit.asked_context <= load.context:
        return text
    message = f"The model was trained for {load.context} tokens: the server caps the "
    return "\n".join([text, *textwrap.wrap(f"{message}{fit.asked_context} asked for.", width())])


def _rooms(rooms: Sequence[Room]) -> str:
    head = ("GiB", "layers", "weights", "KV", "compute", "other", "total", "of", "left")
    rows = [head, *(_row(room) for room in rooms if room.need.total)]
    sizes = [max(len(row[i]) for row in rows) for i in range(len(head))]
    sizes[0] = max(NAME, sizes[0])
    return "\n".join(
        "  ".join(
            cell.ljust(size) if i == 0 else cell.rjust(size)
            for i, (cell, size) in enumerate(zip(row, sizes, strict=True))
        )
        for row in rows
    )


def _reserved(rooms: Sequence[Room]) -> list[str]:
    """Return what others hold of devices, in words."""
    held = [f"{_size(room.reserved)} GiB of {room.name}" for room in rooms if room.reserved]
    text = f"Held by a display or other programs (x): {', '.join(held)}."
    return textwrap.wrap(text, width()) if held else []


def _row(room: Room) -> tuple[str, ...]:
    need = room.need
    parts = [_size(size) for size in (need.weights, need.kv, need.compute, need.other, need.total)]
    have = _size(room.total) if room.total else "?"
    left = _size(room.left) if room.total else "?"
    return (shortened(room.name, NAME), str(need.layers), *parts, have, left)


def _scheduler(fit: ModelFit, ask: Ask) -> list[str]:
    counts = ""
    if fit.placement.on_gpus:
        dealt = " + ".join(str(count) for count in fit.placement.counts)
        counts = f" ({dealt} of {fit.shape.layers + 1} layers)"
    kind = KINDS[fit.placement.kind]
    text = f"{ask.product} {ask.facts.at} {kind}{counts}: {fit.placement.reason}."
    return textwrap.wrap(text, width())


def _times(fit: ModelFit) -> list[str]:
    lines = _speed(fit.speed, fit.load) if fit.speed else []
    return [*lines, *(_loads_in(fit.load_time) if fit.load_time else [])]


def _speed(speed: Speed, load: Load) -> list[str]:
    """Return how fast the model answers, with the error bar, or why nobody can tell."""
    if speed.unknown:
        return textwrap.wrap(f"Speed is not known: {speed.unknown}.", width())
    parts = []
    if speed.decode and speed.full:
        full = f", {_number(speed.full.likely)} once {load.context} tokens are in the cache"
        parts.append(f"generates {_rate(speed.decode)}{full}")
    if speed.prompt:
        parts.append(f"reads prompts at {_rate(speed.prompt)}")
    return textwrap.wrap(f"Expected: {'; '.join(parts)}.", width()) if parts else []


def _rate(rate: Rate) -> str:
    low, likely, high = (_number(value) for value in (rate.low, rate.likely, rate.high))
    return f"{likely} tokens/s ({low} to {high})"


def _number(value: float) -> str:
    """Return a number to two digits, without an exponent."""
    return f"{float(f'{value:.2g}'):g}" if value < SMALL else f"{int(float(f'{value:.2g}'))}"


def _loads_in(time: LoadTime) -> list[str]:
    """Return how long loading takes: with the error bar where the disk is known."""
    told = len(time.cold) == 1
    cold = [f"{_seconds(each.time, told=told)} {DISKS[each.disk]}" for each in time.cold]
    warm = _seconds(time.warm, told=told)
    text = f"Loads in about {', '.join(cold)}; {warm} where the file is cached."
    return textwrap.wrap(text, width())


def _seconds(time: Seconds, *, told: bool) -> str:
    bar = f" ({_number(time.low)} to {_number(time.high)})" if told else ""
    return f"{_number(time.likely)} s{bar}"


def _reach(fit: ModelFit) -> list[str]:
    slots = f"{fit.load.slots} slots" if fit.load.slots > 1 else "one slot"
    if not fit.largest_context:
        return [f"No context fits with {slots}."]
    text = f"Largest context that fits with {slots}: {fit.largest_context}"
    if fit.largest_context == fit.shape.context:
        text += ", as trained"
    most = f"most slots with {fit.load.context} tokens: {fit.most_slots}"
    return textwrap.wrap(f"{text}; {most}.", width())


def _sum(found: Together) -> str:
    room = found.rooms[-1]
    over = [room for room in found.rooms if room.total and room.left < 0]
    if over:
        return f"{_size(-over[0].left)} GiB above the {_size(over[0].total)} GiB of " + (
            over[0].limit_name or over[0].name
        )
    if 0 <= room.left < room.grows:
        return f"prompt caches may grow {growth(room.grows)}, {_size(room.left)} GiB are left"
    return "all of them together"


def _word(text: str) -> str:
    return click.style(text, fg=COLOURS[text], bold=True)


def _size(size: int) -> str:
    return f"{size / GIB:.2f}"
