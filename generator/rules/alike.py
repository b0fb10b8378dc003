"""Judges Views that are much alike, as those of Plans are, without asking every Rule each time.

A Rule is a pure function: where it has read nothing that differs, it says the same again. Most of
them look for something that no Plan has, as lines of a file, and end there.
"""

from __future__ import annotations

import functools
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from generator.records import dataclass
from generator.rules.helpers.same import NOTED
from generator.rules.registry import ordered, rules_of
from generator.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.rules.rule import Rule
    from generator.view import LocatedFinding

    Found = tuple[LocatedFinding, ...]

OWN: Final = ("name", "place", "variables", "bounds", "host", "models")
"""What a View of a Plan has of its own; all else most others have as well."""
_but_name: Final = attrgetter(*OWN[1:])
_shared: Final = attrgetter(*(name for name in View.__dataclass_fields__ if name not in OWN))
_MOST: Final = 500
"""So many Views of a kind are remembered."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """What is said of every View of a kind, and the Rules that look at what each has of its own.

    `seen` has what was said of some Views, by all that is their own but the name.
    """

    said: Found
    asked: tuple[Rule, ...]
    seen: dict[Any, tuple[Found, ...]]


_kinds: Final[WeakKeyDictionary[Facts, dict[Any, _Kind]]] = WeakKeyDictionary()


def judge(view: View, facts: Facts) -> Found:
    """Return what `registry.judge` does."""
    return _judged(view, (), facts)[0]


def judge_both(view: View, other: View, facts: Facts) -> tuple[Found, ...]:
    """Return the same for two Views that differ in `acceleration` alone."""
    return _judged(view, (other,), facts)


def _judged(view: View, others: tuple[View, ...], facts: Facts) -> tuple[Found, ...]:
    seen, key = _kind(view, facts).seen, (len(others), bool(view.name), _but_name(view))
    if key in seen:
        return seen[key]
    read: set[str] = set()
    found = tuple(_asked(view, others, facts, read))
    if "name" not in read or not view.name:
        if len(seen) >= _MOST:
            seen.clear()
        seen[key] = found
    return found


def _asked(view: View, others: tuple[View, ...], facts: Facts, read: set[str]) -> Iterator[Found]:
    """Yield what is said of each; a Rule that does not read `acceleration` says it of all."""
    kind, noting = _kind(view, facts), _noting(view, ("name", "acceleration"), read)
    said: dict[str, list[LocatedFinding]] = {}
    found = list(kind.said)
    for rule in kind.asked:
        read.discard("acceleration")
        own = rule.judge(noting, facts)
        found += own
        if "acceleration" not in read:
            said[rule.id] = own
    yield ordered(found)
    for other in others:
        kind, noting = _kind(other, facts), _noting(other, ("name",), read)
        found = list(kind.said)
        for rule in kind.asked:
            found += said[rule.id] if rule.id in said else rule.judge(noting, facts)
        yield ordered(found)


def _kind(view: View, facts: Facts) -> _Kind:
    known = _kinds.setdefault(facts, {})
    key = _shared(view)
    if key not in known:
        known[key] = _kind_of(view, facts)
    return known[key]


def _kind_of(view: View, facts: Facts) -> _Kind:
    said: list[LocatedFinding] = []
    asked: list[Rule] = []
    for rule in rules_of(view.engine):
        read: set[str] = set()
        found = rule.judge(_noting(view, OWN, read), facts)
        if read:
            asked.append(rule)
        else:
            said += found
    return _Kind(tuple(said), tuple(asked), {})


def _noting(view: View, names: tuple[str, ...], read: set[str]) -> View:
    """Return the View so that it notes which fields of these names are read."""
    noting: View = object.__new__(_class(names))
    vars(noting).update({name: getattr(view, name) for name in View.__dataclass_fields__})
    vars(noting)[NOTED] = read
    return noting


@functools.cache
def _class(names: tuple[str, ...]) -> type[View]:
    return type("NotingView", (View,), {name: _noted(name) for name in names})


def _noted(name: str) -> property:
    def field(view: View) -> object:
        vars(view)[NOTED].add(name)
        return vars(view)[name]

    return property(field)
