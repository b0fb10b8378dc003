"""Secrets that a profile insists on: in its output, and on no screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.redact import HIDDEN
from generator.rules.registry import every_rule

if TYPE_CHECKING:
    from generator.plan import Plan, Setting


def insists(plan: Plan) -> bool:
    """Return whether a Plan may have secrets at all."""
    rules = every_rule()
    return any(rules[one.rule].secret for one in plan.silences if one.rule in rules)


def shown(plan: Plan, setting: Setting) -> str:
    """Return the value of a variable; of a secret that the profile insists on, not what it is."""
    if not insists(plan):
        return setting.value  # Without that, no Plan has one.
    from generator.catalogue.catalogue import load_catalogue
    from generator.redact import redacted

    catalogue = load_catalogue()
    facts = catalogue.at(plan.service.engine, catalogue.release(plan.service.release))
    has = facts.secrets.has
    return HIDDEN if has(setting.name) else redacted(setting.value, has)


def without_secrets(plan: Plan) -> Plan:
    """Return a Plan to look at: no variable of it says what its secret is."""
    services = (
        replace(each, environment=tuple(_hidden(plan, one) for one in each.environment))
        for each in plan.services
    )
    return replace(plan, services=tuple(services))


def _hidden(plan: Plan, setting: Setting) -> Setting:
    return replace(setting, value=shown(plan, setting))
