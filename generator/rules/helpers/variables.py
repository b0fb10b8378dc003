"""Variables that a server gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.rules.helpers.edits import swallowed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.records import Variable as Fact
    from generator.view import Variable, View


def server_variables(view: View) -> list[Variable]:
    """Return what the server gets: of each name the last one."""
    return list({v.name: v for v in view.variables if v.reach == "server"}.values())


def known_variables(view: View, facts: Facts) -> Iterator[tuple[Variable, Fact]]:
    """Yield the variables of the server that its release reads, with what is known of each."""
    for variable in server_variables(view):
        fact = facts.variable(variable.name)
        if fact is not None and fact.known:
            yield variable, fact


def known_values(view: View, facts: Facts) -> Iterator[tuple[Variable, Fact]]:
    """Yield those of `known_variables` whose value the file tells in full."""
    found = known_variables(view, facts)
    yield from ((v, fact) for v, fact in found if not (v.unresolved or swallowed(v)))
