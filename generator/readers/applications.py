"""Variables of the applications that ask a server, beside those of the server itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context
    from generator.view import Variable


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
    known = (fact for name in names if (fact := facts.variable(name)))
    served = any(fact.scope != "client" and not fact.gone for fact in known)
    for variable in found:
        apart = variable.reach != "client" and not (
            served and (servers or variable.name not in theirs)
        )
        yield replace(variable, reach="client") if theirs and apart else variable
