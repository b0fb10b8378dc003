"""The Plan that targets print, or all that stands against it: of the profile and of each target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.errors import Problem, ProfileError
from generator.targets import fitting, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.plan import Plan
    from generator.profiles.document import Document


def plan_to_print(document: Document, names: Iterable[str], flags: dict[str, Any]) -> Plan:
    """Return the Plan, if each of the targets can print it.

    Raises ProfileError with every Problem: what is wrong with the profile, and what of the rest
    of it no target can express.
    """
    from generator.pipeline import plan_of, plan_of_rest

    names = list(names)
    try:
        plan = plan_of(document, **flags)
    except ProfileError as error:
        rest = plan_of_rest(document, error.problems, flags.get("version"))
        refused = tuple(refusals(document, names, rest)) if rest else ()
        raise ProfileError(error.source, (*error.problems, *refused)) from None
    if refused := tuple(refusals(document, names, plan)):
        raise ProfileError(document.source, refused)
    return plan


def refusals(document: Document, names: Iterable[str], plan: Plan) -> Iterator[Problem]:
    """Yield what the targets refuse, what several refuse once."""
    told = set()
    for name in fitting(names, plan):
        error = refusal(name, plan)
        if error and error.message not in told:
            source = document.origin(error.where.split("."))
            yield Problem(error.where, error.message, error.hint, source)
            told.add(error.message)
