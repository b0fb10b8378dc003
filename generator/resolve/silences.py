"""What `gen check` would say of the output and is meant so: each setting carries its silences."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from generator.errors import Silence
from generator.plan import Limit, Setting
from generator.readers.plan.written import as_written
from generator.rules.alike import judge_both

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from generator.catalogue.facts import Facts
    from generator.errors import Finding
    from generator.plan import Plan
    from generator.view import View

Item = Setting | Limit
OPEN: Final = "HW401"
"""The rule about an open address, ..."""
PUBLISHED: Final = "HW402"
"""... and the one that says the same of the port of a container."""


def silenced(plan: Plan, seen: View, found: Iterable[Finding], facts: Facts) -> Plan:
    """Return the Plan, each variable and limit with the rules that its line is not for.

    That is what the profile silences, and what only the output lets one think: the profile itself
    has no such Finding. What was `found` of the profile may be found of its output again. `seen` is
    the View of the Plan.
    """
    service = plan.service
    given = {silence.rule: silence.reason for silence in plan.silences}
    told = {(finding.rule, finding.where) for finding in found}
    items: list[Item] = [*service.judged, *service.limits]
    rules: dict[int, dict[str, str]] = {}
    for located in chain(*judge_both(*as_written(seen), facts)):
        line, rule = located.place.line, located.finding.rule
        item = items[line - 1] if 0 < line <= len(items) else None
        if item and (rule in given or (rule, item.key) not in told):
            rules.setdefault(id(item), {})[rule] = given.get(rule) or _meant(item)
    return _with(plan, rules)


def _meant(item: Item) -> str:
    if item.source == "profile":
        return f"the profile asks for it, by `{item.key}`"
    return "it follows from what the profile says of the host"


def _with(plan: Plan, rules: Mapping[int, Mapping[str, str]]) -> Plan:
    def told(item: Any) -> Any:  # noqa: ANN401 -- the same kind of Item
        own = tuple(Silence(rule=r, reason=why) for r, why in rules.get(id(item), {}).items())
        return replace(item, silences=(*item.silences, *own)) if own else item

    service = plan.service
    environment = tuple(map(told, service.environment))
    address = [e for s in environment if s.name == service.listen.variable for e in s.silences]
    address += [replace(e, rule=PUBLISHED) for e in plan.silences if e.rule == OPEN]
    served = replace(
        service,
        environment=environment,
        limits=tuple(map(told, service.limits)),
        listen=replace(service.listen, silences=tuple(dict.fromkeys(address))),
    )
    return replace(plan, services=(served,))
