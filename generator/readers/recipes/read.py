"""Taskfiles, Procfiles, tasks of mise and scripts of npm: what each of their names has run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.readers.base import Context, Source, each
from generator.readers.commands.told import Told
from generator.readers.embedded import with_gaps
from generator.readers.recipes import RECIPES
from generator.readers.recipes.lists import Recipe, recipes
from generator.readers.syntax.asking import asked_by
from generator.view import AT_ONCE, Line, Place

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
    return views


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
