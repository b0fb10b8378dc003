"""An Outgrown as a page for people, to look at or to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.formats.page import Bar, page
from generator.formats.shell import options
from generator.outgrow.curve import HEIGHT, LEFT, TOP, WIDTH, curve
from generator.outgrow.sentences import asked, came, carries, verdict, waiting
from generator.outgrow.words import number, several

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.outgrow.curve import Curve
    from generator.outgrow.outgrow import Outgrown


def as_page(found: Outgrown, profile: str) -> str:
    """Return the HTML: the verdict with its arithmetic, the way out, and what leaving costs."""
    return page(
        "outgrow",
        title=f"gen outgrow: {profile}",
        lead=asked(found),
        verdict=verdict(found),
        enough=found.enough,
        arithmetic=[*found.arithmetic, waiting(found)],
        ladder=[*_ladder(found)],
        steps=[(step, carries(step), options("--set", step.sets)) for step in found.steps],
        others=found.elsewhere,
        curves=[*_curves(found)],
        drawing={"width": WIDTH, "height": HEIGHT, "left": LEFT, "top": TOP},
        losses=[(one.what, ", ".join(one.models), one.why, one.fix) for one in found.leaving],
        came=came(found.traffic) if found.traffic else "",
        busy=[*_busy(found)],
        said=[*found.advice, *found.remarks],
    )


def _ladder(found: Outgrown) -> Iterator[Bar]:
    """Yield a bar for what is asked, one for what there is, and one for each step."""
    demand, there = found.demand.per_second, found.carries * found.has
    most = max([demand, there, *(step.carries for step in found.steps)])
    rows = [
        ("asked", "info", demand),
        ("as it is", "good" if found.enough else "error", there),
        *(
            (f"step {place}", "good" if step.enough else "warning", step.carries)
            for place, step in enumerate(found.steps, 1)
        ),
    ]
    for label, colour, value in rows:
        told = f"{several(value, 'request')}/s"
        yield Bar(label, [(colour, value / most, told)], told)


def _curves(found: Outgrown) -> Iterator[Curve]:
    """Yield how long requests wait as it is, and with each step."""
    drawn = [(_named(found), found.pace.slots * found.has, found.pace.seconds)]
    drawn += [(step.what, step.slots * step.servers, step.seconds) for step in found.steps]
    for title, slots, seconds in drawn:
        yield curve(title, slots, seconds, demand=found.demand.per_second, may_wait=found.may_wait)


def _named(found: Outgrown) -> str:
    slots = f"{several(found.pace.slots, 'slot')}"
    return f"As it is: {several(found.has, 'server')} with {slots}"


def _busy(found: Outgrown) -> Iterator[Bar]:
    for row in found.traffic.busy if found.traffic else ():
        told = f"{number(100 * row.share)} %"
        yield Bar(f"{row.at_once} at once", [("info", row.share, told)], told)
