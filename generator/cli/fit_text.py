"""How `gen fit` prints its verdicts: tables within 80 columns, and a bar for each device."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import click

from generator.cli import fit_words as words
from generator.cli.talk import table, width
from generator.errors import shortened
from generator.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.fit.ask import Ask
    from generator.fit.choose import Candidate
    from generator.fit.host import Host
    from generator.fit.verdict import ModelFit, Room, Together
    from generator.fit.ways import Way

BAR: Final = 40
NAME: Final = 18
MOST: Final = 10
"""Rows of models that fit."""
PARTS: Final = (("weights", "#"), ("kv", "="), ("compute", "+"), ("other", "-"), ("reserved", "x"))
COLOURS: Final = {"fits": "green", "tight": "yellow", "does not fit": "red"}


def model_text(fit: ModelFit, ask: Ask, host: Host) -> str:
    """Return what there is to say about one model."""
    loaded, *capped = words.loaded_as(fit)
    lines = [words.title(fit, ask), loaded, *_wrapped(capped), "", _rooms(fit.rooms), ""]
    lines += [bar(room) for room in fit.rooms if room.need.layers or room.total]
    lines += _wrapped(words.reserved(fit.rooms))
    lines += ["", f"{_word(fit.word)}: {fit.why}", *_wrapped(words.sentences(fit, ask, host))]
    return "\n".join(lines)


def together_text(found: Together) -> str:
    """Return what several models need side by side."""
    lines: list[str] = []
    if len(found.loaded) > 1:
        title = f"Loaded side by side: {', '.join(found.loaded)}"
        lines += [*_wrapped([title]), "", _rooms(found.rooms), ""]
        lines += [bar(room) for room in found.rooms if room.total]
        lines += _wrapped(words.reserved(found.rooms))
        lines += ["", f"{_word(found.word)}: {words.together_sum(found)}"]
    return "\n".join([*lines, *_wrapped(words.evicting(found))])


def of_all_text(needed: int, memory: int) -> str:
    """Return what all servers of a host hold of its memory."""
    return "\n".join(_wrapped([words.of_all(needed, memory)]))


def loaded_text(found: Sequence[tuple[str, int, int]]) -> str:
    """Return what a server has loaded at this moment, from `/api/ps`."""
    if not found:
        return "The server has nothing loaded."
    return "Loaded on the server now:\n\n" + table(words.LOADED, words.loaded_rows(found))


def choices_text(found: Sequence[Candidate], most: int = MOST) -> str:
    """Return the models of the Catalogue that fit, one line each at its best quantisation."""
    roomy, narrow = words.best_of(found)
    parts = []
    if roomy:
        parts.append(
            f"Models that leave a tenth of the memory, each at the best quantisation that\n"
            f"does:\n\n{_choices(roomy[:most])}{_more(roomy, most)}"
        )
        unknown = words.speed_notes(roomy[:most])
        parts += ["\n".join(_wrapped([unknown]))] if unknown else []
        marked = (words.recommended(choice) for choice in roomy if choice.recommended)
        parts += ["\n".join(_wrapped([text])) for text in marked]
    if narrow and (not roomy or most > len(roomy)):
        message = words.narrow_head(roomy=bool(roomy))
        parts.append(f"{message}\n\n{_choices(narrow[:most])}{_more(narrow, most)}")
    return "\n\n".join(parts) or "No model of the Catalogue fits."


def _more(found: Sequence[Candidate], most: int) -> str:
    return f"\n\n  and {len(found) - most} more: --all" if len(found) > most else ""


def context_text(ask: Ask) -> str:
    """Return what decides as much as the model, where nobody has said it."""
    return "\n".join(_wrapped([words.context_told(ask)]))


def quantisations_text(found: Sequence[Candidate]) -> str:
    """Return a model at every quantisation, one line each; `*` marks the best that has room."""
    rows = [words.quantisation_row(one) for one in found]
    notes = _wrapped(words.quantisation_notes(found))
    return "\n".join((table(_indented(words.QUANTISATIONS), rows), "", *notes))


def ways_text(found: Sequence[Way]) -> str:
    """Return what would make a model fit, one line each."""
    rows = [_indented(words.way_row(way)) for way in found]
    return "What would do:\n\n" + table(_indented(words.WAYS), rows)


def _choices(found: Sequence[Candidate]) -> str:
    return table(_indented(words.CHOICES), [words.choice_row(choice) for choice in found])


def _indented(row: Sequence[str]) -> tuple[str, ...]:
    return (f"  {row[0]}", *row[1:])


def _wrapped(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(text, width())]


def bar(room: Room) -> str:
    """Return a device as a bar: weights #, cache =, compute +, other -, reserved x, free dots."""
    name = shortened(room.name, NAME).ljust(NAME)
    if not room.total:
        needed = words.size(room.need.total)
        return f"{name} ?  {needed} GiB of what the profile does not say"
    cells, reach = "", 0
    for part, mark in PARTS:
        reach += room.reserved if part == "reserved" else getattr(room.need, part)
        cells += mark * (min(BAR, (reach * BAR + room.total // 2) // room.total) - len(cells))
    share = reach * 100 // room.total
    over = ">" if room.left < 0 else "]"
    shown = click.style(cells, fg=COLOURS[room.word])
    dots = "." * (BAR - len(cells))
    return f"{name} [{shown}{dots}{over} {share:3} % of {room.total / GIB:.4g} GiB"


def _rooms(rooms: Sequence[Room]) -> str:
    told = (words.room_row(room) for room in rooms if room.need.total)
    rows = [words.ROOMS, *((shortened(name, NAME), *cells) for name, *cells in told)]
    sizes = [max(len(row[i]) for row in rows) for i in range(len(words.ROOMS))]
    sizes[0] = max(NAME, sizes[0])
    return "\n".join(
        "  ".join(
            cell.ljust(size) if i == 0 else cell.rjust(size)
            for i, (cell, size) in enumerate(zip(row, sizes, strict=True))
        )
        for row in rows
    )


def _word(text: str) -> str:
    return click.style(text, fg=COLOURS[text], bold=True)
