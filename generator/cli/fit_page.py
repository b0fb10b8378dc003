"""What `gen fit` says as a page: what each device holds, and the plane of context and slots."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from generator.cli import fit_words as words
from generator.cli.fit_text import MOST
from generator.fit.plane import plane_of
from generator.fit.verdict import judge, timed
from generator.formats.page import page
from generator.units import gib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.fit.ask import Ask
    from generator.fit.assess import Assessment
    from generator.fit.choose import Candidate
    from generator.fit.host import Host
    from generator.fit.plane import Plane
    from generator.fit.verdict import ModelFit, Room, Together
    from generator.fit.ways import Way

MOST_PLANES: Final = 4
"""Models that get a plane: a page stays small enough to be sent."""
COLOURS: Final = {"fits": "good", "tight": "warning", "does not fit": "error"}
KEY: Final = (
    ("weights", "weights"),
    ("kv", "KV cache"),
    ("compute", "compute"),
    ("other", "other"),
    ("reserved", "held by others"),
    ("free", "free"),
)
# What a cell of the plane says: class of its colour, mark behind its number, words.
CELLS: Final = {
    "fits": ("good", "", "fits"),
    "tight": ("warning", "~", "tight"),
    "partly": ("info", "/", "partly on the CPU"),
    "does not fit": ("error", "×", "does not fit"),
}
WIDTH: Final = 1000  # of a stack, in units of its own
LEFT, TOP, WIDE, HIGH, RIGHT = 72, 24, 72, 28, 120


def as_page(found: Assessment, *, every: bool = False) -> str:
    """Return the HTML: each model, all side by side, and which others fit; all with `every`.

    Where no model was asked about and none is the service's own, it shows the recommended one.
    """
    return page(
        "fit",
        title="gen fit",
        lead=_lead(found),
        warnings=found.warnings,
        models=[*_models(found)],
        together=_together(found.together),
        quantisations=[words.quantisation_row(one) for one in found.quantisations],
        quantisation_notes=words.quantisation_notes(found.quantisations),
        choices=[] if found.choices is None else [*_choices(found.choices, every=every)],
        context=""
        if found.choices is None or found.ask.context_told
        else words.context_told(found.ask),
        loaded=None if found.loaded is None else words.loaded_rows(found.loaded),
        stack_key=KEY,
        room_head=words.ROOMS,
        way_head=words.WAYS,
        choice_head=words.CHOICES,
        quantisation_head=words.QUANTISATIONS,
        loaded_head=words.LOADED,
    )


def _lead(found: Assessment) -> str:
    """Return what is asked: the release, and the machine."""
    host = found.host
    cards = Counter((gpu.name, gpu.memory) for gpu in host.devices)
    told = [
        f"{f'{count} × ' if count > 1 else ''}{name} ({gib(memory) if memory else '?'})"
        for (name, memory), count in cards.items()
    ]
    if host.limit:
        told.append(f"{gib(host.limit, 1)} of memory for the service")
    return f"{found.ask.product} {found.ask.facts.at} on {', '.join(told)}"


def _models(found: Assessment) -> Iterator[dict[str, Any]]:
    several = zip(found.fits, found.asks, found.ways, strict=True)
    for number, (fit, ask, ways) in enumerate(several):
        yield _model(fit, ask, found.host, ways, drawn=number < MOST_PLANES)
    first = next((one for one in found.choices or () if one.recommended), None)
    if first is not None and not found.fits:
        fit = timed(judge(first.fit.shape, found.ask, found.host), found.ask, found.host)
        yield _model(fit, found.ask, found.host, (), drawn=True)


def _model(
    fit: ModelFit, ask: Ask, host: Host, ways: Sequence[Way], *, drawn: bool
) -> dict[str, Any]:
    return {
        "title": words.title(fit, ask),
        "word": fit.word,
        "colour": COLOURS[fit.word],
        "why": fit.why,
        "loaded": words.loaded_as(fit),
        "devices": _devices(fit.rooms),
        "rows": _rows(fit.rooms),
        "sentences": [*words.sentences(fit, ask, host)],
        "ways": [words.way_row(way) for way in ways],
        "plane": _plane(plane_of(fit, ask, host), fit) if drawn else None,
    }


def _together(found: Together | None) -> dict[str, Any] | None:
    if found is None or (len(found.loaded) < 2 and not found.evicting):  # noqa: PLR2004 -- a pair
        return None
    alone = len(found.loaded) == 1
    return {
        "title": "Not side by side" if alone else f"Loaded side by side: {', '.join(found.loaded)}",
        "alone": alone,
        "word": found.word,
        "colour": COLOURS[found.word],
        "why": words.together_sum(found),
        "devices": _devices(found.rooms),
        "rows": _rows(found.rooms),
        "sentences": words.evicting(found),
    }


def _choices(
    found: Sequence[Candidate], *, every: bool
) -> Iterator[tuple[str, list[tuple[str, ...]], list[str]]]:
    """Yield tables of models that fit: what is in it, its rows, what is said below."""
    most = len(found) if every else MOST
    roomy, narrow = words.best_of(found)
    if roomy:
        unknown = words.speed_notes(roomy[:most])
        notes = [unknown] if unknown else []
        notes += [words.recommended(one) for one in roomy if one.recommended]
        head = "Models that leave a tenth of the memory"
        yield head, [words.choice_row(one) for one in roomy[:most]], [*_more(roomy, most), *notes]
    if narrow and (not roomy or most > len(roomy)):
        head = words.narrow_head(roomy=bool(roomy)).removesuffix(":")
        yield head, [words.choice_row(one) for one in narrow[:most]], _more(narrow, most)


def _more(found: Sequence[Candidate], most: int) -> list[str]:
    return [f"And {len(found) - most} more: --all."] if len(found) > most else []


def _rows(rooms: Sequence[Room]) -> list[tuple[str, ...]]:
    return [words.room_row(room) for room in rooms if room.need.total]


def _devices(rooms: Sequence[Room]) -> list[dict[str, Any]]:
    return [_device(room) for room in rooms if room.need.total or room.total]


def _device(room: Room) -> dict[str, Any]:
    """Return a device as a stack; where more is in it than it has, a line shows where it ends."""
    used = room.need.total + room.reserved
    scale = max(room.total, used, 1)
    parts, at = [], 0
    for colour, told in KEY:
        size = _part(room, colour)
        if size:
            text = f"{told}: {words.size(size)} GiB ({size} bytes)"
            parts.append((colour, at * WIDTH // scale, max(1, size * WIDTH // scale), text))
        at += size
    over = 0 < room.total < used
    end = room.total * WIDTH // scale if over else 0
    return {"name": room.name, "note": _note(room), "parts": parts, "end": end}


def _part(room: Room, part: str) -> int:
    if part == "free":
        return max(0, room.left) if room.total else 0
    return room.reserved if part == "reserved" else int(getattr(room.need, part))


def _note(room: Room) -> str:
    if not room.total:
        return f"{words.size(room.need.total)} GiB of what the profile does not say"
    left = f"{words.size(room.left)} left" if room.left >= 0 else f"{words.size(-room.left)} short"
    held = f", {words.size(room.reserved)} held by others" if room.reserved else ""
    return f"{words.size(room.need.total)} of {words.size(room.total)} GiB{held}, {left}"


def _plane(found: Plane, fit: ModelFit) -> dict[str, Any]:
    """Return the plane as cells at their places, and the line between what fits and what not."""
    right = LEFT + WIDE * len(found.contexts)
    bottom = TOP + HIGH * len(found.slots)
    kinds = {_kind(each) for row in found.rows for each in row}
    return {
        "title": f"{fit.shape.name}: what fits of context and slots",
        "width": right + RIGHT,
        "height": bottom + 4,
        "right": right + 8,
        "contexts": [
            (LEFT + WIDE * n + WIDE // 2, context) for n, context in enumerate(found.contexts)
        ],
        "rows": [*_plane_rows(found, fit)],
        "line": _line(found),
        "key": [
            (f"cell {colour}", f"{mark} {told}".strip())
            for kind, (colour, mark, told) in CELLS.items()
            if kind in kinds
        ],
    }


def _plane_rows(found: Plane, fit: ModelFit) -> Iterator[dict[str, Any]]:
    rows = zip(found.slots, found.rows, found.edges, strict=True)
    for number, (slots, row, edge) in enumerate(rows):
        y = TOP + HIGH * number
        told = f"{slots} slot{'s' if slots > 1 else ''}"
        yield {
            "y": y,
            "high": HIGH - 2,
            "text": y + 18,
            "label": told,
            "edge": f"up to {edge}" if edge else "none fits",
            "cells": [
                _cell(each, n, context, told, asked=_asked(fit, context, slots))
                for n, (each, context) in enumerate(zip(row, found.contexts, strict=True))
            ],
        }


def _asked(fit: ModelFit, context: int, slots: int) -> bool:
    return (fit.load.context, fit.load.slots) == (context, slots)


def _cell(fit: ModelFit, number: int, context: int, slots: str, *, asked: bool) -> dict[str, Any]:
    colour, mark, told = CELLS[_kind(fit)]
    total = sum(room.need.total for room in fit.rooms)
    x = LEFT + WIDE * number
    return {
        "x": x,
        "wide": WIDE - 2,
        "middle": x + WIDE // 2,
        "colour": colour,
        "size": f"{float(words.size(total)):.1f}{mark}",
        "told": f"{slots} × {context} tokens: {told}, {words.size(total)} GiB",
        "asked": asked,
    }


def _kind(fit: ModelFit) -> str:
    """Return which of CELLS a verdict is."""
    if fit.word != "does not fit" and fit.placement.kind in {"partial", "experts"}:
        return "partly"
    return fit.word


def _line(found: Plane) -> str:
    """Return the path of the line, a step for each number of slots."""
    steps: list[str] = []
    for number, row in enumerate(found.rows):
        fitting = [n for n, fit in enumerate(row) if fit.word != "does not fit"]
        x = LEFT - 1 + WIDE * (fitting[-1] + 1 if fitting else 0)
        y = TOP - 1 + HIGH * number
        steps.append(f"{'H' if steps else 'M'}{x}{'' if steps else f' {y}'}V{y + HIGH}")
    return "".join(steps)
