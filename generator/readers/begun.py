"""What a container begins with, read as the script that it is: one room for all kinds of file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.commands.servers import asked_in
from generator.readers.commands.words import models
from generator.readers.syntax.applied import forgiven
from generator.readers.syntax.asking import asked_with
from generator.readers.syntax.fatal import fatal, is_strict
from generator.readers.syntax.hasty import asked_at_once
from generator.view import AT_ONCE, FATAL, FORGIVEN, STARTED, Line, Place, each_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.view import Command, ModelUse, View

_LONGEST: Final = 50_000


def with_begun(view: View, engine: Engine) -> View:
    """Return a View with what the scripts that its container begins with ask of its server."""
    if view.container is None or engine.by_arguments:
        return view
    found = tuple(_lines(view, engine))
    known = frozenset(view.lines) if found else frozenset()
    lines = tuple(line for line in found if line not in known)
    commands = tuple(_commands(view, engine))
    used = tuple(models(commands, engine))
    if not lines and not commands:
        return view
    return replace(
        view,
        lines=(*view.lines, *lines),
        commands=(*view.commands, *commands),
        models=each_once((*view.models, *used)),
    )


_BESIDE: Final = frozenset({"steps", "nixos"})
"""Kinds in whose files commands ask a server that another part of the file runs."""


def with_models_beside(views: Sequence[View], engine: Engine) -> list[View]:
    """Return the Views of a file, with its only server the models that its commands pull."""
    told = [view for view in views if view.phrases.kind in _BESIDE]
    servers: dict[str, list[View]] = {}
    asked: dict[str, list[ModelUse]] = {}
    for view in told:
        if view.container is not None or view.starts is not None:
            servers.setdefault(view.place.file, []).append(view)
        else:
            asked.setdefault(view.place.file, []).extend(models(view.commands, engine))
    alone = {id(several[0]): file for file, several in servers.items() if len(several) == 1}
    return [_having(view, asked.get(alone.get(id(view), ""), ())) for view in views]


def _having(view: View, used: Sequence[ModelUse]) -> View:
    return view if not used else replace(view, models=each_once((*view.models, *used)))


def _lines(view: View, engine: Engine) -> Iterator[Line]:
    program = view.container.program if view.container else ()
    strict = is_strict([word for word, _ in program])
    for text, place in program:
        if " " in text.strip() and len(text) <= _LONGEST and engine.name in text:
            # Where the lines of a text in a list stand, its word does not tell.
            for line in _said(text, Place(place.file, 1), engine, errexit=strict):
                yield replace(line, place=place)
    for line in view.lines_in(STARTED):
        if len(line.value) <= _LONGEST and engine.name in line.value:
            yield from _said(line.value, line.place, engine)


def _said(text: str, place: Place, engine: Engine, *, errexit: bool = False) -> Iterator[Line]:
    """Yield what a script says of how it asks the server; its first line is at a place."""
    texts = [(place.line, text.split("\n"))]
    for at, verb in asked_at_once(texts, engine):
        yield Line(section=AT_ONCE, name=engine.name, value=verb, place=Place(place.file, at))
    for at, what, how in forgiven(texts, engine):
        yield Line(section=FORGIVEN, name=what, value=how, place=Place(place.file, at))
    yield from asked_with(texts, engine, place.file)
    for at, words in fatal(text, engine, errexit=errexit):
        where = Place(place.file, place.line + at)
        yield Line(section=FATAL, name=engine.name, value=words, place=where)


def _commands(view: View, engine: Engine) -> Iterator[Command]:
    """Yield the calls of the program in a container's own words, where its reader has none."""
    words = view.container.program if view.container else ()
    known = {tuple(word for word, _ in one.words) for one in view.commands}
    for command in asked_in(words, engine):
        if tuple(word for word, _ in command.words) not in known:
            yield command
