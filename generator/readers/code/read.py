"""Programs: the requests that they send and the commands that they run, all of them together.

Clients that differ in what they ask for make the server load its model anew, whichever file they
are in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.readers.code import CODE
from generator.readers.syntax.calls import calls
from generator.view import Command, Place, Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.readers.base import Context, Source
    from generator.view import View


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return one View of all that the programs ask; none where they ask nothing."""
    requests: list[Request] = []
    commands: list[Command] = []
    for source in sources:
        asked, run = calls(source.text, source.path, context.engine.name, context.engine.api)
        requests += asked
        commands += run
    if not (requests or commands):
        return ()
    view = context.view(
        CODE,
        context.release_for(),
        name=context.engine.name,
        place=Place(sources[0].path),
        requests=tuple(requests),
        commands=tuple(commands),
    )
    return (view,)
