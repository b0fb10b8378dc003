"""Whether one server is enough, for people: the arithmetic, then what comes, and what it costs."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from generator.cli.talk import width
from generator.formats.shell import options
from generator.outgrow.sentences import asked, came, carries, verdict, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.outgrow.outgrow import Outgrown, Step
    from generator.outgrow.traffic import Traffic


def outgrow_text(found: Outgrown, profile: str) -> str:
    """Return the verdict with its arithmetic and what follows."""
    lines = [f"{profile}: {asked(found)}"]
    if found.traffic:
        lines += _traffic(found.traffic)
    lines += [_filled(each) for each in (*found.arithmetic, waiting(found), *found.advice)]
    lines.append(click.style(verdict(found), bold=True))
    for place, step in enumerate(found.steps, 1):
        lines += _step(place, step)
    for other in found.elsewhere:
        lines.append(click.style("Another engine:", bold=True))
        lines += [_filled(each) for each in (other.why, *other.first)]
    if found.leaving:
        lines.append("What leaving Ollama costs this profile:")
    for loss in found.leaving:
        about = f" ({', '.join(loss.models)})" if loss.models else ""
        lines.append(_filled(f"{loss.what}{about}: {loss.why} → {loss.fix}"))
    lines += [_filled(each) for each in found.remarks]
    return "\n".join(lines)


def _traffic(traffic: Traffic) -> Iterator[str]:
    yield _filled(came(traffic))
    for row in traffic.busy:
        bar = "#" * round(30 * row.share)
        yield f"   {row.at_once:>5} at once  {100 * row.share:5.1f} %  {bar}".rstrip()


def _step(place: int, step: Step) -> Iterator[str]:
    yield f"{place}. {click.style(step.what, bold=True)}: {carries(step)}"
    yield _filled(step.how)
    if step.sets:
        # In one piece: it is there to be copied.
        yield f"   {options('--set', step.sets)}"


def _filled(text: str) -> str:
    return textwrap.fill(
        text, width(), initial_indent="   ", subsequent_indent="     ", break_on_hyphens=False
    )
