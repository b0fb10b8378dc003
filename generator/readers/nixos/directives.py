"""What a module says of a unit, as the directives that end up in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.nixos.evaluate import unit_text
from generator.readers.syntax import unit
from generator.readers.syntax.nix import UNKNOWN
from generator.readers.systemd import limits
from generator.view import PREFIXES, Bound, Command, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.host import Host
    from generator.readers.nixos.evaluate import Definition, Definitions
    from generator.view import Place

_COMMANDS: Final = frozenset({"ExecStart", "ExecStartPre", "ExecStartPost"})
_ITEMS: Final = "Environment"


class Directives:
    """The directives of [Service] of one unit: `own` are their definitions, among `several`."""

    def __init__(self, several: Definitions, own: Sequence[Definition], name: str) -> None:
        self.several, self.own, self.name = several, own, name

    def _each(self) -> Iterator[tuple[Definition, list[unit.Assignment]]]:
        for found in self.own:
            if not found.unresolved:
                yield found, self.assignments(found)

    def assignments(self, found: Definition) -> list[unit.Assignment]:
        """Return a definition as the lines that are written into the unit."""
        file = self.several.source.path
        return [
            unit.one_line(file, "Service", found.path[-1], text, found.line)
            for text in map(unit_text, found.values)
        ]

    def bounds(self, host: Host) -> Iterator[Bound]:
        """Yield the limits that systemd puts on the unit."""
        for found, lines in self._each():
            for bound in limits.bounds(lines, host):
                written = self.several.written(found, str(found.value))
                yield replace(bound, place=self.several.place(found), written=written)

    def unread(self, host: Host) -> Iterator[Line]:
        """Yield the limits and the items of `Environment=` that systemd ignores."""
        for found, lines in self._each():
            for line in limits.unread(lines, host):
                yield replace(line, place=self.several.place(found))
        for found in self.own:
            for item in self.assignments(found) if found.path[-1] == _ITEMS else ():
                place = self.several.place_of(found, item.value)
                if UNKNOWN not in item.value:
                    yield from (replace(one, place=place) for one in unit.unread(item, self.name))

    def commands(self, engine: Engine) -> Iterator[Command]:
        """Yield the calls of the program of an engine, whatever the path of its package is."""
        for found in self.own:
            for line in self.assignments(found) if found.path[-1] in _COMMANDS else ():
                words = [word.text for word in line.words()]
                place = self.several.place_of(found, line.value)
                if words and _is_ours(words, engine):
                    yield Command(tuple(_placed(words[1:], place)))
                elif any(engine.name in word for word in words) and not engine.by_arguments:
                    from generator.readers.commands.servers import asked_in  # Few units do so.

                    paths = [word.replace(f"{UNKNOWN}/", "/") for word in words]
                    yield from asked_in([*_placed(paths, place)], engine)


def _is_ours(words: Sequence[str], engine: Engine) -> bool:
    """Return whether a command calls the program: by its name, or by a word that nobody knows."""
    program = words[0].lstrip(PREFIXES)
    called = PurePosixPath(program).name == engine.name
    return called or (program == UNKNOWN and words[1:2] == [*engine.command[1:2]])


def _placed(words: Sequence[str], place: Place) -> Iterator[tuple[str, Place]]:
    yield from ((word, place) for word in words)
