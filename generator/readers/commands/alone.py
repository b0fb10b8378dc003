"""Commands of the engine that a script runs as itself, with nothing that gives them a HOME."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from generator.readers.commands.words import program
from generator.view import ALONE, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from generator.engines.signs import Signs as Engine
    from generator.readers.syntax.script import CommandLine
    from generator.view import Command, View

_KEEPS: Final = re.compile(r"nohup|exec|setsid|nice|timeout|time|-?\d+[smh]?")
"""Words before a program that leave it the environment as it is."""
_SETS: Final = re.compile(r"\bHOME[\"']?\s*(?:=|:)|\bHOME\b.*\bexport\b|\bread\b.*\bHOME\b")
_HANDS: Final = re.compile(r"<<-?[ \t]*[\"'\\]?([A-Za-z_]\w*)")


class Alone:
    """What a script runs as itself: the first such command, where no line of it sets HOME."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._first: Line | None = None
        self._inside: set[int] = set()
        self._sets = False

    def begins(self, text: str, first: int) -> None:
        """Take in a script as a whole, with the lines that it hands to other programs."""
        self._sets = self._sets or _SETS.search(text) is not None
        tag = ""
        for number, line in enumerate(text.split("\n"), first):
            if tag:
                self._inside.add(number)
                tag = "" if line.strip() == tag else tag
            elif found := _HANDS.search(line):
                tag = found[1]

    def takes(self, line: CommandLine) -> None:
        """Take note of what a command hands to another shell, or to another user."""
        for word in line.words:
            if " " in word.text:
                at = word.place.line
                self._inside.update(range(at, at + word.text.count("\n") + 1))

    def runs(self, line: CommandLine, command: Command) -> None:
        """Take in a command of the engine."""
        at = line.words[0].place.line
        before = takewhile(lambda w: program(w.text) != self.engine.name, line.words)
        verb = command.words[0][0] if command.words else ""
        known = verb in {self.engine.command[-1], *self.engine.verbs}
        plain = known and at not in self._inside
        if self._first is None and plain and all(_KEEPS.fullmatch(w.text) for w in before):
            place = line.words[0].place
            self._first = Line(section=ALONE, name=self.engine.name, value=verb, place=place)

    def found(self) -> Iterator[Line]:
        """Yield the first of them."""
        if self._first is not None and not self._sets:
            yield self._first


def on_their_own(views: Iterable[View]) -> list[View]:
    """Return Views of files that something else runs later, which may give them a HOME."""
    return [
        replace(view, lines=tuple(line for line in view.lines if line.section != ALONE))
        for view in views
    ]
