"""Every Rule by its id, and what all have to say: those here, and those in the room of an engine.

A rule is found by being in a file; there is no list.
"""

from __future__ import annotations

import functools
import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from generator.engines import ENGINES
from generator.errors import SEVERITIES
from generator.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.catalogue.facts import Facts
    from generator.rules.rule import Check
    from generator.view import LocatedFinding, View


def _rules_in(package: str) -> Iterator[Rule]:
    for module in pkgutil.iter_modules(import_module(package).__path__, f"{package}."):
        if not module.ispkg:
            found = vars(import_module(module.name)).values()
            yield from (value for value in found if isinstance(value, Rule))


@functools.cache
def rules_of(engine: str) -> tuple[Rule, ...]:
    """Return the rules that are true of any server, and those of one engine."""
    return (*_rules_in("generator.rules"), *_rules_in(f"generator.engines.{engine}.rules"))


@functools.cache
def every_rule() -> dict[str, Rule]:
    """Return all rules in the order of their ids."""
    rules = {rule.id: rule for engine in ENGINES for rule in rules_of(engine)}
    return dict(sorted(rules.items()))


def judge(view: View, facts: Facts) -> tuple[LocatedFinding, ...]:
    """Return what the rules of any server, and of the View's engine, have to say about it."""
    found: list[LocatedFinding] = []
    for rule, check in _checks_of(view.engine):
        # Most have nothing to say, of any View.
        if hits := list(check(view, facts)):
            found.extend(rule.located(hits, view))
    return ordered(found)


@functools.cache
def _checks_of(engine: str) -> tuple[tuple[Rule, Check], ...]:
    return tuple((rule, rule.check) for rule in rules_of(engine) if rule.check is not None)


def ordered(found: Sequence[LocatedFinding]) -> tuple[LocatedFinding, ...]:
    """Return each once, worst first, then by rule and place."""
    return tuple(sorted(dict.fromkeys(found), key=_rank))


def _rank(placed: LocatedFinding) -> tuple[object, ...]:
    finding, place = placed.finding, placed.place
    severity = SEVERITIES.index(finding.severity)
    return (severity, finding.rule, place.file, place.line, finding.where)
