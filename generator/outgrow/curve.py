"""How long requests wait, drawn: seconds over requests a second, for so many slots. Pure."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Final

from generator.outgrow.queue import FULL, late_wait
from generator.outgrow.words import number
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH: Final = 620
HEIGHT: Final = 200
LEFT: Final = 60
TOP: Final = 18
_POINTS: Final = 60
_LEAST: Final = 0.001
_HALVED: Final = 30
_BEYOND: Final = 1.2
_WORTH: Final = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A line across the drawing at a place, in its own units, and what it says."""

    at: float
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A drawing, in its own units: the points of a line, marks on both axes, and lines across.

    `asked` is where the demand lies (None: beyond the right edge), `promised` how long a request
    may wait (None: nothing says), `full` from where on slots are busier than they should be.
    """

    title: str
    points: str
    along: tuple[Mark, ...]
    up: tuple[Mark, ...]
    asked: Mark | None
    promised: Mark | None
    full: Mark


def curve(
    title: str, slots: int, seconds: float, *, demand: float, may_wait: float | None
) -> Curve:
    """Return how long 95 % of the requests wait at most, up to what so many slots carry."""
    most = slots / seconds
    wide = most * _BEYOND
    high = max(late_wait(slots, FULL * slots, seconds) * 2, (may_wait or 0) * 1.5, seconds / 4)

    def across(rate: float) -> float:
        return round(LEFT + rate / wide * WIDTH, 1)

    def upwards(late: float) -> float:
        return round(TOP + HEIGHT - late / high * HEIGHT, 1)

    line = _line(slots, seconds, _reaches(slots, seconds, high))
    promised = may_wait if may_wait is not None and 0 <= may_wait <= high else None
    return Curve(
        title=title,
        points=" ".join(f"{across(rate)},{upwards(late)}" for rate, late in line),
        along=tuple(Mark(at=across(one), told=number(one)) for one in _ticks(wide)),
        up=tuple(Mark(at=upwards(one), told=f"{number(one)} s") for one in _ticks(high)),
        asked=Mark(at=across(demand), told=f"{number(demand)}/s asked") if demand <= wide else None,
        promised=None
        if promised is None
        else Mark(at=upwards(promised), told=f"at most {number(promised)} s"),
        full=Mark(at=across(FULL * most), told=f"{number(100 * FULL)} % busy"),
    )


def _line(slots: int, seconds: float, end: float) -> Iterator[tuple[float, float]]:
    """Yield requests a second up to an end, and how long they wait, closer where it is steep."""
    for step in range(_POINTS + 1):
        rate = end * (1 - (1 - step / _POINTS) ** 2)
        yield rate, late_wait(slots, rate * seconds, seconds)


def _reaches(slots: int, seconds: float, high: float) -> float:
    """Return with how many requests a second they wait so long."""
    low, most = 0.0, slots / seconds
    for _ in range(_HALVED):
        middle = (low + most) / 2
        if late_wait(slots, middle * seconds, seconds) < high:
            low = middle
        else:
            most = middle
    return low


def _ticks(most: float) -> Sequence[float]:
    """Return round numbers up to one, five or fewer."""
    step = 10.0 ** floor(log10(most / 5))
    step *= next(one for one in _WORTH if step * one * 5 >= most * (1 - _LEAST))
    return [step * count for count in range(6) if step * count <= most]
