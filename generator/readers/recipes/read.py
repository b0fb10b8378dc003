"""Taskfiles, Procfiles, tasks of mise, scripts of npm, Vagrantfiles: what each of them has run."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from generator.readers.base import Context, Source, each
from generator.readers.commands.told import Told
from generator.readers.embedded import with_gaps
from generator.readers.passed import uses_an_engine
from generator.readers.recipes import RECIPES, VAGRANT
from generator.readers.recipes.lists import Recipe, recipes
from generator.readers.recipes.vagrant import provisioners
from generator.readers.syntax.asking import asked_by
from generator.view import AT_ONCE, Line, NotJudged, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import View


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of each file. Raises ProfileError for what its runner cannot read."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> list[View]:
    every = [(one, _told(one, source, context)) for one in recipes(source)]
    served = any(told.served for _, told in every)
    views: list[View] = []
    for recipe, told in every:
        told.forgiven += _at_once(recipe, source, context) if served and recipe.beside else ()
        views += with_gaps(told.found(), told.gaps)
    return [*with_gaps(views, _of_ruby(source))]


def _of_ruby(source: Source) -> Iterator[NotJudged]:
    """Yield the lines of a Vagrantfile that speak of an engine outside of its scripts."""
    if not re.fullmatch(VAGRANT, PurePosixPath(source.read_as or source.path).name):
        return
    for number, line in enumerate(provisioners(source.text)[1].split("\n"), 1):
        if uses_an_engine(line):
            yield NotJudged(
                file=source.path,
                line=number,
                part="what Ruby says",
                reason="of a Vagrantfile only the scripts of its provisioners are read",
                hint="check it by hand",
            )


def _told(recipe: Recipe, source: Source, context: Context) -> Told:
    """Return what a recipe says: of its environment only what a server gets is judged."""
    told = Told(context, source.path, RECIPES, "client")
    for line, text in recipe.scripts:
        told.script(text, line)
    nearer = {variable.name for variable in told.variables}
    given = {one.name: one for one in recipe.variables if one.name not in nearer}
    if told.served:
        told.variables += (replace(v, reach="server", shared=True) for v in given.values())
    return told


def _at_once(recipe: Recipe, source: Source, context: Context) -> Iterator[Line]:
    """Yield what asks the server that is started in the same moment."""
    for line, text in recipe.commands:
        verb = asked_by(text, context.engine.name)[:1]
        if verb and verb[0] in context.engine.verbs:
            yield Line(section=AT_ONCE, name="", value=verb[0], place=Place(source.path, line))
