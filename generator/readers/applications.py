"""Variables of the applications that ask a server, beside those of the server itself."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context
    from generator.view import Variable, View


ASKED: Final = re.compile(r"https?://(?:[A-Za-z][A-Za-z0-9.-]*|127[\d.]+):\d+(?:/\S*)?", re.ASCII)
"""The URL of one server, at which a program asks: to listen on it no scheme is needed."""


def of_applications(
    found: Sequence[Variable], context: Context, *, servers: bool = False
) -> Iterator[Variable]:
    """Yield the variables; what an application has to find the server is for that application.

    Of a text that says nothing to the server, so is everything; of its own, nothing.
    """
    engine, facts = context.engine, context.catalogue.at(context.engine.name)
    pattern, own = re.compile(engine.application), {engine.address}
    theirs = {v.name for v in found if pattern.fullmatch(v.name)}
    names = {v.name for v in found if v.name.startswith(engine.prefixes)} - theirs - own
    known = {name: fact for name in names if (fact := facts.variable(name)) and not fact.gone}
    # Options of requests, and names that nobody knows, are its own, and so is what is beside them.
    strange = any(
        name.partition("_")[2].lower() in facts.options or name not in facts.dead_names
        for name in names
        if facts.variable(name) is None
    )
    served = not strange and any(fact.scope != "client" for fact in known.values())
    for variable in found:
        apart = variable.reach != "client" and not (
            served and (servers or variable.name not in theirs)
        )
        yield replace(variable, reach="client") if theirs and apart else variable


_KINDS: Final = frozenset({"document", "environment", "script", "steps", "windows"})
_SAMPLES: Final = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example")
_UP: Final = 4
_ASSIGNED: Final = re.compile(r"(?m)^[ \t#]*([A-Z][A-Z0-9_]*)=")


def of_an_application(view: View, context: Context) -> View:
    """Return a View in which what no release reads is for the application of the repository.

    Such a name is its own where a sample of its `.env`, beside the file or above it, has it, and
    the address at which the application asks as well.
    """
    facts = context.facts(view)
    if view.phrases.kind not in _KINDS and not view.phrases.guide:
        return view
    prefixes = tuple(context.engine.prefixes)
    dead = {
        v.name
        for v in view.variables
        if v.reach != "client" and v.name.startswith(prefixes) and facts.variable(v.name) is None
    }
    own = dead and dead & _names_around(view.place.file, context)
    if dead and view.phrases.kind == "environment":
        own = {*own, *(dead - set(facts.dead_names)) & _names_in_units(view.place.file, context)}
    if not own:
        return view
    variables = (replace(v, reach="client") if v.name in own else v for v in view.variables)
    return replace(view, variables=tuple(variables))


def _names_in_units(path: str, context: Context) -> set[str]:
    """Return the names that commands of units, beside a file or in `systemd`, put in."""
    folder = posixpath.dirname(path)
    near = (path, posixpath.join(folder, "systemd", "x"))
    units = [one for file in near for one in context.listed(file) if one.endswith(".service")]
    texts = (context.read(one) or "" for one in units[:_MOST])
    commands = (line for text in texts for line in _EXEC.findall(text))
    return {name for line in commands for name in _PUT_IN.findall(line)}


_MOST: Final = 10  # units
_EXEC: Final = re.compile(r"(?m)^Exec\w+=(.*)$")
_PUT_IN: Final = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)")


def _names_around(path: str, context: Context) -> set[str]:
    """Return the names in samples near a file that are those of an application."""
    folder, found = posixpath.dirname(path), set[str]()
    pattern = re.compile(context.engine.application)
    for up in range(_UP):
        near = posixpath.normpath(posixpath.join(folder, *[".."] * up))
        for name in _SAMPLES:
            names = set(_ASSIGNED.findall(context.read(posixpath.join(near, name)) or ""))
            found |= names if any(pattern.fullmatch(one) for one in names) else set()
    return found
