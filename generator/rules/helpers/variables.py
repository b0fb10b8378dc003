"""Variables that a server gets, and what it makes of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.helpers.edits import swallowed
from generator.units import GO_FALSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.records import Variable as Fact
    from generator.view import Variable, View


def server_variables(view: View) -> list[Variable]:
    """Return what the server gets: of each name the last one."""
    return list({v.name: v for v in view.variables if v.reach == "server"}.values())


def truthy(value: str) -> bool:
    """Return what Ollama makes of a Boolean: what it cannot parse is true.

    Source: envconfig/config.go@v0.32.15:177-197 (strconv.ParseBool).
    """
    return bool(value) and value not in GO_FALSE


NO: Final = frozenset(["0", "f", "false", "n", "no", "off", "none", "disable", "disabled", "never"])
YES: Final = frozenset(["1", "t", "true", "y", "yes", "on", "enable", "enabled"])


def cleaned(value: str) -> str:
    """Return what Ollama makes of a value first: without blanks and quotes around it."""
    return value.strip().strip("\"'")


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
