"""What a warm-up has come to, for people: a line for each model, and why below one that failed."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from generator.cli.talk import width
from generator.errors import shortened
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.warmup.warmed import Warmed

HEAD: Final = ("model", "state", "took", "load_duration", "context", "memory", "kept")
_NONE: Final = "-"
_FOREVER: Final = "2200"
"""A year behind which a server that keeps a model for ever puts its end."""
_ROOM: Final = 40


def warmup_text(done: tuple[Warmed, ...]) -> str:
    """Return the table."""
    rows = [HEAD, *map(_row, done)]
    sizes = [min(max(map(len, column)), _ROOM) for column in zip(*rows, strict=True)]
    return "\n".join(_lines(rows, ["", *(one.why for one in done)], sizes))


def _lines(rows: list[tuple[str, ...]], whys: list[str], sizes: list[int]) -> Iterator[str]:
    for row, why in zip(rows, whys, strict=True):
        pairs = zip(row, sizes, strict=True)
        yield "  ".join(shortened(cell, size).ljust(size) for cell, size in pairs).rstrip()
        if why:
            yield textwrap.fill(why, width(), initial_indent="  ", subsequent_indent="  ")


def _row(one: Warmed) -> tuple[str, ...]:
    if one.state != "loaded":
        return (one.model, one.state, *[_NONE] * (len(HEAD) - 2))
    return (
        one.model,
        "was loaded" if one.already else one.state,
        _seconds(one.seconds),
        _NONE if one.load_duration is None else _seconds(one.load_duration),
        str(one.context or _NONE),
        _memory(one) if one.size else _NONE,
        _kept(one.until) if one.until else _NONE,
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"


def _memory(one: Warmed) -> str:
    return f"{about(one.size)}, {min(one.on_gpus / one.size, 1):.0%} GPU"


def _kept(until: str) -> str:
    return "for ever" if until[:4] > _FOREVER else f"until {until[:16].replace('T', ' ')}"
