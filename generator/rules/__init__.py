"""Rules: small pure functions that judge a View. One topic per file, no file imports another.

What several of them ask is in `helpers`; rules of one engine are in its own room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.catalogue.facts import Facts
    from generator.view import LocatedFinding, View


def judge(view: View, facts: Facts) -> tuple[LocatedFinding, ...]:
    """Return what the rules of any server, and of the View's engine, have to say about it."""
    from generator.rules.registry import rules_of

    rules = rules_of(view.engine)
    return ordered([placed for rule in rules for placed in rule.judge(view, facts)])


def ordered(found: Sequence[LocatedFinding]) -> tuple[LocatedFinding, ...]:
    """Return each once, worst first, then by rule and place."""
    return tuple(sorted(dict.fromkeys(found), key=_rank))


def _rank(placed: LocatedFinding) -> tuple[object, ...]:
    finding, place = placed.finding, placed.place
    severity = SEVERITIES.index(finding.severity)
    return (severity, finding.rule, place.file, place.line, finding.where)
