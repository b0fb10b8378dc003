"""Rules that comments of the files silence, and that the profile would be told of again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.check.silence import silenced
from generator.importing.entries import Entry
from generator.importing.settle import IGNORE
from generator.rules.registry import every_rule, judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.catalogue.facts import Facts
    from generator.plan import Plan
    from generator.view import View


def silences(view: View, texts: Mapping[str, str], plan: Plan, facts: Facts) -> Iterator[Entry]:
    """Yield the silences of a View, by the `texts` of its files, that the Plan has a use for."""
    found = silenced(judge(view, facts), texts)
    told = {one.finding.rule: one for one in found if one.finding.ignored}
    for rule in dict.fromkeys(finding.rule for finding in plan.findings):
        if rule in told and not every_rule()[rule].secret:
            one = told[rule]
            value = {"rule": rule, "reason": one.finding.ignored}
            yield Entry(key=IGNORE, value=value, name=rule, place=one.place)
