"""What the `script` of a unit gives the server that it starts: variables, and the command."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.readers.commands.told import Told
from generator.readers.nixos import CONTAINER
from generator.readers.nixos.modules import said_literally
from generator.readers.syntax.nix import UNKNOWN
from generator.readers.templates import UNTOLD
from generator.view import Command

if TYPE_CHECKING:
    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Context, Source
    from generator.readers.nixos.evaluate import Definition
    from generator.view import Variable

_PACKAGE: Final = re.compile(rf"{UNKNOWN}(?=/bin/)")
_NEAR: Final = 3
"""Lines in which a text begins that stands where its option does."""
_HEAD: Final = 40


class Started(NamedTuple):
    """What a script gives its server."""

    variables: tuple[Variable, ...] = ()
    commands: tuple[Command, ...] = ()


def started(source: Source, found: Definition | None, context: Context) -> Started:
    """Return what a script gives the server that it starts; nothing, where it starts none.

    What asks the server as well is one of the jobs, and judged as that.
    """
    if found is None or found.file or not isinstance(found.value, str):
        return Started()
    written, engine = _literally(source, found), context.engine
    same = found.value.count("\n") == written.count("\n")
    text = _PACKAGE.sub("", found.value if same else written)
    text = text.replace(UNKNOWN, f"{UNTOLD}untold}}")
    if asks(engine).search(text):
        return Started()
    line = first(source, found, written)
    told = Told(context, source.path, CONTAINER)
    told.script(text, line or found.line)
    view = next((v for v in told.found() if v.container is None), None)
    if view is None or not told.served:
        return Started()
    own = (v for v in view.variables if v.reach == "server" and UNTOLD not in v.value)
    serves = (c for c in view.commands if c.words and c.words[0][0] == engine.command[-1])
    given = Started(tuple(own), tuple(serves))
    return given if line else _all_at(found.line, given)


def _all_at(line: int, given: Started) -> Started:
    """Return what a text gives that stands elsewhere, which no fix can change."""
    return Started(
        tuple(replace(v, place=replace(v.place, line=line), written="") for v in given.variables),
        tuple(
            Command(tuple((word, replace(place, line=line)) for word, place in command.words))
            for command in given.commands
        ),
    )


def asks(engine: Engine) -> re.Pattern[str]:
    """Return what a text looks like that asks the server for something."""
    return re.compile(rf"\b{engine.name}\s+(?:{'|'.join(engine.verbs)})\b")


def _literally(source: Source, found: Definition) -> str:
    """Return a text as the file spells it, line by line, with a mark for what it computes."""
    at = (found.path, found.line)
    same = [d for d in said_literally(source) if (d.path, d.line) == at]
    value = same[0].value if len(same) == 1 else found.value
    return value if isinstance(value, str) else str(found.value)


def first(source: Source, found: Definition, text: str) -> int:
    """Return the line of the file on which a text begins; 0: it stands elsewhere."""
    heads = [line.strip().partition(UNKNOWN)[0][:_HEAD] for line in text.split("\n")]
    at = next((n for n, head in enumerate(heads) if head), None)
    if at is None:
        return 0
    near = source.text.split("\n")[found.line - 1 :][: at + _NEAR]
    lines = (n for n, line in enumerate(near, found.line) if heads[at] in line)
    return max(next(lines, 0) - at, 0)
