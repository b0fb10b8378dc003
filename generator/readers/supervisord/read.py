"""Files of supervisord: the programs that it starts, each with the environment that it gets."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, Source, each
from generator.readers.beside import dockerfiles_near
from generator.readers.commands.told import Told
from generator.readers.commands.words import models
from generator.readers.embedded import with_gaps
from generator.readers.managed import managed
from generator.readers.supervisord import SUPERVISORD
from generator.readers.supervisord.programs import (
    OFF,
    ON,
    command_of,
    is_program,
    variables_of,
)
from generator.readers.syntax.asking import asked_by
from generator.readers.syntax.ini import Section, sections
from generator.view import AGAIN, AT_ONCE, UNHOMED, Line, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import View

_OF_ROOT: Final = frozenset({"", "root", "0"})
_SETS_HOME: Final = re.compile(
    r"(?m)^[ \t]*(?:USER[ \t]|ENV[ \t][^\n]*\bHOME\b)|\bsupervisord -u\b"
)
_MAIN: Final = re.compile(r"(?:^|/)supervisord?[\w.-]*\.(?:conf|ini)$")
_IN_FRONT: Final = re.compile(r"(?mi)^nodaemon[ \t]*[=:][ \t]*(?:true|yes|on|1)\b")
_MOST: Final = 20  # files beside one


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the Views of the programs of each file that have to do with an engine."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> list[View]:
    told = list(sections(source.text))
    shared = [
        v for one in told if one.name == "supervisord" for v in variables_of(one, source.path)
    ]
    every = [_Program(one, shared, source, context) for one in told if is_program(one)]
    around = _Around(source, context)
    served = any(one.serves and not one.says("autostart", OFF) for one in every)
    used = tuple(models([call for one in every for call in one.told.commands], context.engine))
    views: list[View] = []
    for one in every:
        found = with_gaps(one.views(around, served=served), one.told.gaps)
        views += (replace(view, models=used) if one.serves else view for view in found)
    return views


class _Around:
    """What lies beside a file: the image that it is for, if that is at hand."""

    def __init__(self, source: Source, context: Context) -> None:
        images = [text for text in dockerfiles_near(source.path, context) if "supervis" in text]
        self.sets_home = any(map(_SETS_HOME.search, images))
        self.inside = bool(images) or any(map(_IN_FRONT.search, _mains(source, context)))


def _mains(source: Source, context: Context) -> Iterator[str]:
    """Yield the file, and those beside it, or above, that may say how supervisord runs."""
    yield source.text
    near = [path for path in context.listed(source.path) if _MAIN.search(path)]
    yield from (context.glance(path) or "" for path in near[:_MOST])


class _Program:
    """A program by its section, with what all of them get."""

    def __init__(
        self, section: Section, shared: Sequence[Variable], source: Source, context: Context
    ) -> None:
        self.section, self.file, self.context = section, source.path, context
        self.engine = context.engine
        self.name = section.name.partition(":")[2]
        self.told = Told(context, source.path, SUPERVISORD, "client")
        self.command = command_of(section)
        if self.command:
            self.told.script(self.command, section.keys["command"].line)
        named = self.name == self.engine.name and not self.told.commands
        self.serves = self.told.served or named
        self.told.variables += self._given(shared)

    def _given(self, shared: Sequence[Variable]) -> list[Variable]:
        """Return what supervisord gives it, but for what its own command sets again."""
        nearer = {variable.name for variable in self.told.variables}
        given = {v.name: v for v in (*shared, *variables_of(self.section, self.file))}
        kept = [v for v in given.values() if v.name not in nearer]
        if self.serves:
            return [replace(v, reach="server") for v in kept]
        return [v for v in kept if v.name.startswith(self.engine.prefixes)]

    def says(self, key: str, words: frozenset[str]) -> bool:
        """Whether a key has one of some words."""
        return self.section.text(key).lower() in words

    def views(self, around: _Around, *, served: bool) -> Iterator[View]:
        """Yield its Views; `served`: a program of the file is the server."""
        lines = (*self._asking(served=served), *self._unhomed(around))
        for view in self.told.found():
            known = replace(view, name=self.name, lines=(*view.lines, *lines))
            server = self.serves and view.container is None
            ends, place = self.says("autorestart", OFF), self._place("autorestart")
            yield managed(known, place, ends=ends, inside=around.inside) if server else known

    def _place(self, key: str) -> Place:
        told = self.section.keys.get(key)
        return Place(self.file, told.line if told else self.section.line)

    def _asking(self, *, served: bool) -> Iterator[Line]:
        """Yield a pull that is started whenever it has ended, or once, beside the server."""
        verbs = asked_by(self.command, self.engine.name)
        first = verbs[0] if verbs else ""
        if verbs and self.says("autorestart", ON):
            verb = next(filter(None, verbs))
            place = self._place("autorestart")
            yield Line(section=AGAIN, name="autorestart=true", value=verb, place=place)
        once = self.says("autorestart", OFF) and self.says("startsecs", frozenset({"0"}))
        if served and first in self.engine.verbs and once and not self.says("autostart", OFF):
            yield Line(section=AT_ONCE, name="", value=first, place=self._place("command"))

    def _unhomed(self, around: _Around) -> Iterator[Line]:
        """Yield the user of a server who keeps the HOME of supervisord, which is root's."""
        user = self.section.text("user")
        told = around.sets_home or "HOME=" in self.command
        told = told or any(variable.name == "HOME" for variable in self.told.variables)
        if self.serves and not told and user not in _OF_ROOT and "%" not in user:
            yield Line(section=UNHOMED, name=user, value=user, place=self._place("user"))
