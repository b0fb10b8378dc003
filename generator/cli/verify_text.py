"""A Comparison for people: a line for each setting, and why below it where it is not as wanted."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import click

from generator.cli.talk import WIDTH, counted, width
from generator.errors import shortened
from generator.formats.text import INVISIBLE, escape
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.plan import Plan
    from generator.verify.compare import Comparison
    from generator.verify.observed import Observed
    from generator.verify.rows import Row

HEAD: Final = ("setting", "intended", "held", "effective", "verdict")
COLOURS: Final = {"ok": "green", "drift": "red", "shadowed": "red", "not read": "yellow"}
_LONGEST: Final = 600
"""Characters of a reason: values of others stand in it."""
_ROOM: Final = (26, 18, 18, 22)
"""What each column may have on a narrow screen; its head and what is in it may need less."""


def verify_text(plan: Plan, found: Comparison, seen: Observed) -> str:
    """Return the table, what the server has besides, and a line of counts."""
    lines = [" · ".join((plan.name, *seen.who(plan.service.product))), *_table(found.rows)]
    lines += (_below(remark).lstrip() for remark in found.remarks)
    for extra in found.extras:
        size = f", {about(extra.size)}" if extra.size else ""
        since = f", of {extra.modified[:10]}" if extra.modified else ""
        lines.append(f"{extra.name} is not the profile's{size}{since}: {extra.remove}")
    # Who was not there to be asked matters where nobody else was, or nobody else could tell it.
    if seen.held is None or (seen.held.by == "kubectl" and seen.process is None):
        lines += (_below(f"{who} tells nothing: {why}").lstrip() for who, why in seen.gaps)
    return "\n".join([*lines, _counts(found)])


def _table(rows: tuple[Row, ...]) -> Iterator[str]:
    cells = [(r.setting, *map(_plain, (r.intended, r.held, r.effective))) for r in rows]
    columns = list(zip(HEAD[:-1], *cells, strict=True))
    more = max(width() - WIDTH, 0) // len(_ROOM)
    sizes = [min(max(map(len, c)), most + more) for c, most in zip(columns, _ROOM, strict=True)]
    yield f"{_line(HEAD[:-1], sizes)}  {HEAD[-1]}"
    following = [*(row.why for row in rows[1:]), ""]
    for row, each, after in zip(rows, cells, following, strict=True):
        yield f"{_line(each, sizes)}  {click.style(row.verdict, fg=COLOURS.get(row.verdict))}"
        # What holds for several in a row is said below the last.
        if row.why and row.why != after:
            yield _below(shortened(row.why, _LONGEST))


def _plain(value: str) -> str:
    """Return a value of others for one line."""
    return INVISIBLE.sub(lambda match: escape(match[0]), value)


def _below(why: str) -> str:
    return textwrap.fill(
        why, width(), initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )


def _line(cells: tuple[str, ...], sizes: list[int]) -> str:
    pairs = zip(cells, sizes, strict=True)
    return "  ".join(shortened(cell, size).ljust(size) for cell, size in pairs)


def _counts(found: Comparison) -> str:
    verdicts = [row.verdict for row in found.rows]
    kinds = ("ok", "drift", "shadowed", "not read", "unknown")
    told = [f"{verdicts.count(kind)} {kind}" for kind in kinds if kind in verdicts]
    return f"{counted(setting=len(verdicts))}: {', '.join(told)}"
