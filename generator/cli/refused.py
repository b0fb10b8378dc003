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
        try:
            load_target(name).render(plan)
        except RenderError as error:
            if error.message not in told:
                source = document.origin(error.where.split("."))
                yield Problem(error.where, error.message, error.hint, source)
            told.add(error.message)


def fitting(names: Iterable[str], plan: Plan) -> list[str]:
    """Return the targets that are meant: of all of them those that can print the Plan.

    One that somebody names is meant, whether it can or not, and so is each where none can that has
    something for the engine.
    """
    asked = list(names)
    if set(asked) != {*TARGETS}:
        return asked
    said = {name: _refusal(name, plan) for name in asked}
    able = [name for name in asked if said[name] is None]
    # What is made of any Plan, as data, is no way to run it.
    if set(able) - {"plan"}:
        return able
    return [name for name in asked if not isinstance(said[name], NotForEngine)]


def away(asked: Iterable[str], names: Iterable[str], plan: Plan) -> list[Finding]:
    """Return a Finding for each target that was asked for among all, and is not meant."""
    return [_away(name, plan) for name in asked if name not in names]


def _away(name: str, plan: Plan) -> Finding:
    refusal = _refusal(name, plan)
    if refusal is None or isinstance(refusal, NotForEngine):
        product = plan.services[0].product
        return Finding(
            rule="HW601",
            severity="info",
            message=f"{name} has nothing for {product}, and is left out",
            where="engine",
            fix=f"-t {name} says why",
        )
    return Finding(
        rule="HW601",
        severity="warning",
        message=f"{name} is left out: {refusal.message}",
        where=refusal.where,
        fix=refusal.hint,
    )


def _refusal(name: str, plan: Plan) -> RenderError | None:
    """Return why a target cannot print a Plan; None: it can."""
    try:
        load_target(name).render(plan)
    except RenderError as error:
        return error
    return None
