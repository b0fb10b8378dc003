"""Variables that a server gets, and Edits of them: the mechanical part of what a rule advises.

A profile has no lines of variables, and a line that several variables share cannot go; then there
is no Edit. Whoever applies one also leaves it out where the line does not hold `old` exactly once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.rules.helpers.same import once
from generator.rules.rule import Hit
from generator.view import Edit

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.records import Variable as Fact
    from generator.errors import Severity
    from generator.view import Variable, View


_REFERENCE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_BY_PREFIX: Final = re.compile(
    r"\b(?:printenv|env|set|compgen[ \t]+-[a-z]+)\b[^\n^;&]{0,80}\^([A-Z][A-Z0-9_]{3,})"
    r"|\$\{!([A-Z][A-Z0-9_]{3,})[@*]\}|\bcompgen[ \t]+-[a-z]+[ \t]+([A-Z][A-Z0-9_]{3,})"
)
"""How a script asks for every variable whose name begins so."""


@once
def asked_by_commands(view: View) -> frozenset[str]:
    """Return the variables that the file itself uses, as a script of its entry point does."""
    values = [line.value for line in view.lines if "$" in line.value]
    named = {name for value in values for name in _REFERENCE.findall(value)}
    begins = tuple(
        {name for value in values for pair in _BY_PREFIX.findall(value) for name in pair if name}
    )
    return frozenset(
        named | {v.name for v in view.variables if begins and v.name.startswith(begins)}
    )


def server_variables(view: View) -> tuple[Variable, ...]:
    """Return what the server gets: of each name the last one."""
    return view.served


@once
def known_variables(view: View, facts: Facts) -> tuple[tuple[Variable, Fact], ...]:
    """Return the variables of the server that its release reads, with what is known of each."""
    each = ((variable, facts.variable(variable.name)) for variable in view.served)
    return tuple((variable, fact) for variable, fact in each if fact is not None and fact.known)


@once
def known_values(view: View, facts: Facts) -> tuple[tuple[Variable, Fact], ...]:
    """Return those of `known_variables` whose value the file tells in full."""
    every = known_variables(view, facts)
    return tuple((v, fact) for v, fact in every if not (v.unresolved or swallowed(v)))


_BESIDE: Final = re.compile(r"\s([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)=")


def swallowed(variable: Variable) -> str:
    """Return the name of a second variable that quotes have made part of the value (HW521)."""
    found = _BESIDE.search(variable.value)
    return found[1] if found and variable.place.key.endswith("Environment") else ""


# Where a value that comes to life moves files, hides a GPU or redirects traffic.
_JUDGED: Final = re.compile(
    r"HOME|(?:[A-Z]+_)?MODELS|(?:\w+_)?TMPDIR|\w*_PROXY|\w*VISIBLE_DEVICES", re.IGNORECASE
)


def needs_judgement(name: str) -> bool:
    """Return whether a person should decide that this variable takes effect."""
    return _JUDGED.fullmatch(name) is not None


def renamed(view: View, variable: Variable, name: str) -> tuple[Edit, ...]:
    """Return what gives the variable another name; where that is set already, it goes instead."""
    if view.variable(name) is not None:
        return removed(view, variable)
    if needs_judgement(name) or variable.unresolved or "$" in variable.value:
        return ()
    place = variable.named or variable.place
    return (Edit(place, variable.name, name),) if place.line else ()


def removed(view: View, variable: Variable) -> tuple[Edit, ...]:
    """Return what takes the variable's line out."""
    place = variable.place
    shared = view.shares_its_place(variable)
    return (Edit(place, variable.name, ""),) if place.line and not shared else ()


def rewritten(view: View, variable: Variable, value: str, name: str = "") -> tuple[Edit, ...]:
    """Return what gives the variable another value, and another name where one is given."""
    written = variable.written
    if not variable.place.line or not variable.value or written.count(variable.value) != 1:
        return ()
    if variable.place in view.cut:  # What is dropped there belongs to the value.
        return ()
    new = written.replace(variable.value, value)
    if written == variable.value:
        new = view.phrases.string.format(value)
    if view.phrases.assigns:
        old = f"{variable.name}={written}"
        return (Edit(variable.place, old, f"{name or variable.name}={new}"),)
    rename = (Edit(variable.named or variable.place, variable.name, name),) if name else ()
    return (*rename, Edit(variable.place, written, new))


def corrected(
    view: View,
    variable: Variable,
    message: str,
    meant: str,
    otherwise: str = "",
    *,
    severity: Severity | None = None,
    certain: bool = True,
) -> Hit:
    """Return the Hit of a value that should be `meant`; empty: nobody knows, do `otherwise`."""
    if variable.place in view.cut:
        meant, otherwise = "", "put quotes around all of it: systemd drops a part of that line"
    return Hit(
        message=message,
        place=variable.place,
        severity=severity,
        fix=f"write `{meant}`" if meant else otherwise,
        edits=rewritten(view, variable, meant) if meant and certain else (),
    )
