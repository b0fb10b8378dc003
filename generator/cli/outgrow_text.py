"""Whether one server is enough, for people: the arithmetic, then what comes, and what it costs."""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING

import click

from generator.cli.talk import width
from generator.outgrow.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.outgrow.outgrow import Outgrown, Step
    from generator.outgrow.traffic import Traffic

_SOURCES = {"told": "", "log": ", by the log's busiest minute", "bench": ", as in the measurement"}


def outgrow_text(found: Outgrown, profile: str) -> str:
    """Return the verdict with its arithmetic and what follows."""
    asked = found.demand
    told = f"{number(asked.per_second)} requests/s of {asked.tokens} tokens"
    lines = [f"{profile}: {found.model}, {told}{_SOURCES[asked.source]}"]
    if found.traffic:
        lines += _traffic(found.traffic)
    lines += [_filled(each) for each in (*found.arithmetic, *_waiting(found), *found.advice)]
    lines.append(click.style(_verdict(found), bold=True))
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


def _verdict(found: Outgrown) -> str:
    has = "One server is" if found.has == 1 else f"{found.has} servers are"
    if found.enough:
        return f"{has} enough."
    if not found.servers:
        return f"{has} not enough, and more of them are none either."
    return f"{has} not enough; {found.servers} like it are."


def _waiting(found: Outgrown) -> Iterator[str]:
    if found.late is None:
        yield "slots are never free: the queue grows without end"
    else:
        late, share = number(found.late), number(100 * found.waits)
        yield f"{share} % of the requests wait for a slot, 95 % of all at most {late} s"


def _traffic(traffic: Traffic) -> Iterator[str]:
    told = f", {number(traffic.mean)}/s on the mean" if traffic.mean else ""
    most = f", at most {traffic.most} at once" if traffic.most is not None else ""
    yield _filled(f"the log: {traffic.requests} requests in {number(traffic.span)} s{told}{most}")
    for row in traffic.busy:
        bar = "#" * round(30 * row.share)
        yield f"   {row.at_once:>5} at once  {100 * row.share:5.1f} %  {bar}".rstrip()


def _step(place: int, step: Step) -> Iterator[str]:
    told = f"{number(step.carries)} requests/s, {'' if step.enough else 'not '}enough"
    yield f"{place}. {click.style(step.what, bold=True)}: {told}"
    yield _filled(step.how)
    if step.sets:
        # In one piece: it is there to be copied.
        yield f"   {' '.join(f'--set {shlex.quote(each)}' for each in step.sets)}"


def _filled(text: str) -> str:
    return textwrap.fill(
        text, width(), initial_indent="   ", subsequent_indent="     ", break_on_hyphens=False
    )
