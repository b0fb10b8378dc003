"""What parts of the engine decide: arguments, variables, a model, and what there is to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from generator.plan import Argument
from generator.rules.registry import every_rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.base import Case
    from generator.errors import Finding, Problem
    from generator.plan import Model, Omission, Scope, Setting, Source

Decisions: TypeAlias = "Iterator[Argument | Setting | Omission | Model | Finding | Problem]"


def argument(
    case: Case,
    name: str,
    value: str = "",
    *,
    where: str,
    reason: str,
    source: Source = "profile",
    scope: Scope = "any",
) -> Argument:
    """Return an option that the release has."""
    if name not in case.facts.serve_options:
        raise KeyError(name)
    return Argument(name=name, value=value, reason=reason, source=source, key=where, scope=scope)


def note(rule: str, message: str, where: str, fix: str = "") -> Finding:
    """Return a Finding of a rule."""
    return every_rule()[rule].finding(message, where, fix)
