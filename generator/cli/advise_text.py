"""What is left to gain, for people: each lever with gain, cost and the values that pull it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import click

from generator.cli.talk import counted, width
from generator.formats.shell import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.advise.advise import Advice, Advised

EFFORTS: Final = {
    "restart": "a restart",
    "pull": "a pull and a restart",
    "install": "a build of one's own",
}
SOURCES: Final = {
    "fit": "gen fit",
    "own bench": "gen fit, corrected by gen bench here",
    "speed data": "rates of disks",
    "quantisation data": "llama.cpp's figures for Llama 3 8B",
    "none": "nobody yet",
}


def advise_text(found: Advised, profile: str) -> str:
    """Return the levers, the best first, and those that do nothing here."""
    head = (
        f"{profile}: {found.model}, {found.verdict}"
        if found.model
        else f"{profile}: {found.verdict}"
    )
    lines = [head.rstrip(": ")]
    for number, one in enumerate(found.advice, 1):
        lines += advice_lines(number, one)
    if found.idle:
        lines.append("Nothing to gain here:")
        lines += [_filled(f"{one.lever}: {one.why}") for one in found.idle]
    lines.append(counted(lever=len(found.advice)) or "no lever")
    return "\n".join(lines)


def advice_lines(number: int, one: Advice) -> Iterator[str]:
    """Yield what people read of a lever: its gain, its cost, and the values that pull it."""
    effort = click.style(f"({EFFORTS[one.effort]})", fg="cyan")
    yield f"{number}. {click.style(one.lever, bold=True)} {effort}"
    source = f" [{SOURCES[one.source]}]" if one.source != "none" else ""
    yield _filled(f"gain: {one.gain}{source}")
    yield _filled(f"cost: {one.cost}")
    # In one piece: it is there to be copied.
    yield f"   {options('--set', one.sets)}"
    if one.measure:
        yield f"   $ {one.measure}"


def _filled(text: str) -> str:
    return textwrap.fill(
        text, width(), initial_indent="   ", subsequent_indent="     ", break_on_hyphens=False
    )
