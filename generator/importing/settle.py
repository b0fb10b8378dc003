"""Entries that a profile takes, and what is in effect then: `resolve` is asked, nobody guesses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.errors import ProfileError
from generator.importing.entries import Entry, Left
from generator.profiles.document import Document
from generator.profiles.validate import validate
from generator.records import dataclass
from generator.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from generator.catalogue.catalogue import Catalogue
    from generator.errors import Problem
    from generator.plan import Plan

IGNORE: Final = "check.ignore"
LISTS: Final = frozenset({"models", "service.environment_files", "container.env_files", IGNORE})
"""Keys of which each Entry is one element."""
_ENV: Final = ".env."


@dataclass(frozen=True, slots=True)
class Settled:
    """The Entries that a profile takes, the Plan of it, and what it refuses."""

    kept: tuple[Entry, ...]
    plan: Plan
    left: tuple[Left, ...]


def without_derived(
    entries: Sequence[Entry], base: Mapping[str, Any], catalogue: Catalogue, source: str
) -> list[Entry]:
    """Return the Entries without those free variables that follow from the others as they are."""
    keyed = [one for one in entries if _ENV not in one.key]
    plan = settled(keyed, base, catalogue, source).plan
    derived = {one.name: one.value for one in plan.service.environment}
    return [one for one in entries if one in keyed or derived.get(one.name) != one.value]


def settled(
    entries: Sequence[Entry],
    base: Mapping[str, Any],
    catalogue: Catalogue,
    source: str,
    before: Sequence[Left] = (),
) -> Settled:
    """Return what a profile takes of Entries, beside the tables of `base`.

    `before` is what an earlier try has left.

    Raises ProfileError where `base` itself is refused.
    """
    kept, left = _one_value_each(entries)
    left = [*before, *left]
    while True:
        try:
            data = tree(kept, base)
            plan = resolve(validate(Document(source, data, {}, "")), catalogue, source=source)
        except ProfileError as error:
            refused = {id(one): p for p in error.problems for one in kept if _about(one, p, kept)}
            if not refused:
                raise
            left += [_left(one, refused[id(one)]) for one in kept if id(one) in refused]
            kept = [one for one in kept if id(one) not in refused]
        else:
            return Settled(tuple(kept), plan, tuple(left))


def _one_value_each(entries: Sequence[Entry]) -> tuple[list[Entry], list[Left]]:
    """Return the Entries with each key once: what the setting of that key says beats others."""
    found: dict[str, Entry] = {}
    left: list[Left] = []
    several = [one for one in entries if one.key in LISTS]
    for one in sorted(entries, key=lambda one: bool(one.note)):
        if one.key in LISTS:
            continue
        first = found.setdefault(one.key, one)
        if first.value != one.value:
            reason = f"{first.name} says `{first.value}` for the same key, {one.key}"
            left.append(_told(one, reason, idle=bool(one.note)))
    ordered = [one for one in entries if found.get(one.key) is one]
    return [*ordered, *several], left


def _shown(value: object) -> str:
    """Return a value of a profile as people write it."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _told(one: Entry, reason: str, fix: str = "", *, idle: bool = False) -> Left:
    return Left(
        name=one.name,
        value=_shown(one.value),
        place=one.place,
        reason=reason,
        fix=fix,
        rule=one.rule,
        idle=idle,
    )


def _about(one: Entry, problem: Problem, kept: Sequence[Entry]) -> bool:
    """Whether a Problem is about an Entry: its key, the table around it, or what is below it."""
    where = problem.where
    if one.key == "models":
        number = [each for each in kept if each.key == "models"].index(one)
        return where == "models" or f"{where}.".startswith(f"models.{number}.")
    return f"{where}.".startswith(f"{one.key}.") or one.key.startswith(f"{where}.")


def _left(one: Entry, problem: Problem) -> Left:
    return _told(one, problem.message, problem.hint)


def tree(entries: Iterable[Entry], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the profile as data."""
    data: dict[str, Any] = dict(base)
    for one in entries:
        *tables, last = one.key.split(".")
        at = data
        for table in tables:
            at[table] = dict(at.get(table, {}))
            at = at[table]
        at[last] = [*at.get(last, ()), one.value] if one.key in LISTS else one.value
    return data
