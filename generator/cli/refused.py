"""The Plan that targets print, or all that stands against it: of the profile and of each target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.errors import Finding, NotForEngine, Problem, ProfileError, RenderError
from generator.targets import TARGETS, load_target

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
        try:
            load_target(name).render(plan)
        except RenderError as error:
            if error.message not in told:
                source = document.origin(error.where.split("."))
                yield Problem(error.where, error.message, error.hint, source)
            told.add(error.message)


def fitting(names: Iterable[str], plan: Plan) -> list[str]:
    """Return the targets that are meant: of all of them those that have something for the engine.

    One that somebody names is meant, whether it has or not.
    """
    asked = list(names)
    return [name for name in asked if not (set(asked) == {*TARGETS} and _has_nothing(name, plan))]


def away(asked: Iterable[str], names: Iterable[str], plan: Plan) -> list[Finding]:
    """Return a Finding for each target that was asked for among all, and is not meant."""
    product = plan.services[0].product
    return [
        Finding(
            rule="HW601",
            severity="info",
            message=f"{name} has nothing for {product}, and is left out",
            where="engine",
            fix=f"-t {name} says why",
        )
        for name in asked
        if name not in names
    ]


def _has_nothing(name: str, plan: Plan) -> bool:
    try:
        load_target(name).render(plan)
    except NotForEngine:
        return True
    except RenderError:
        return False
    return False
