"""A Comparison as a page for people, to look at or to attach to a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.page import Bar, page
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.plan import Plan
    from generator.verify.compare import Comparison
    from generator.verify.observed import Observed

COLOURS: Final = {
    "ok": "good",
    "drift": "error",
    "shadowed": "error",
    "not read": "warning",
    "unknown": "rest",
}


def as_page(plan: Plan, found: Comparison, seen: Observed) -> str:
    """Return the HTML: verdicts, every setting with why, and what is there besides."""
    return page(
        "verify",
        title=f"gen verify: {plan.name}",
        lead=" · ".join(seen.who(plan.service.product)),
        verdicts=[*_bars(found)],
        rows=[(row, COLOURS[row.verdict]) for row in found.rows],
        extras=[(e.name, about(e.size), e.modified[:10], e.remove) for e in found.extras],
        remarks=found.remarks,
        gaps=seen.gaps,
    )


def _bars(found: Comparison) -> Iterator[Bar]:
    verdicts = [row.verdict for row in found.rows]
    for verdict, colour in COLOURS.items():
        if number := verdicts.count(verdict):  # type: ignore[arg-type] # of those there are
            told = ", ".join(row.setting for row in found.rows if row.verdict == verdict)
            yield Bar(verdict, [(colour, number / len(verdicts), told)], str(number))
