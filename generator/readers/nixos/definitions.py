"""What a module defines, each definition with its line and how the text spells it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from generator.records import dataclass
from generator.view import Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Source


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of an option: its path, value, priority (100: plain) and line."""

    path: tuple[str, ...]
    value: Any
    priority: int
    line: int

    @property
    def values(self) -> list[Any]:
        """The items of a list, or the one value."""
        return self.value if isinstance(self.value, list) else [self.value]


class Definitions:
    """Some definitions of a module, which are in force, and its text."""

    def __init__(self, source: Source, found: Sequence[Definition]) -> None:
        self.source, self.found = source, found
        self.texts = source.text.split("\n")

    def value(self, *path: str) -> Any:  # noqa: ANN401 -- any Nix value
        """Return the value of an option, None where there is none."""
        return next((d.value for d in self.found if d.path == path), None)

    def place(self, found: Definition) -> Place:
        """Return where a definition stands."""
        return Place(self.source.path, found.line, ".".join(found.path))

    def place_of(self, found: Definition, text: str) -> Place:
        """Return where an item of a list stands, which begins on the line of its option."""
        lines = enumerate(self.texts[found.line - 1 :] if found.line else [], found.line)
        number = next((n for n, line in lines if f'"{text}"' in line), found.line)
        return replace(self.place(found), line=number)

    def written(self, found: Definition, text: str) -> str:
        """Return the text if its line spells it so."""
        here = self.texts[found.line - 1] if 0 < found.line <= len(self.texts) else ""
        return text if text and text in here else ""

    def lines(self) -> Iterator[Line]:
        """Yield every value as the rules see it."""
        for found in self.found:
            section, name = ".".join(found.path[:-1]), found.path[-1]
            for value in found.values:
                place = self.place(found)
                yield Line(section=section, name=name, value=unit_text(value), place=place)


def unit_text(value: Any) -> str:  # noqa: ANN401 -- any Nix value
    """Return a value as NixOS writes it into a unit."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return str(value.get("package", ""))
    return "" if value is None else str(value)


def in_force(definitions: Sequence[Definition]) -> list[Definition]:
    """Return what NixOS decides on, in the order of the file: the strongest, and lists joined."""
    strongest: dict[tuple[str, ...], Definition] = {}
    for found in definitions:
        other = strongest.get(found.path)
        if other is None or found.priority < other.priority:
            strongest[found.path] = found
        elif found.priority == other.priority and isinstance(found.value, list):
            joined = [*(other.value if isinstance(other.value, list) else []), *found.value]
            strongest[found.path] = replace(other, value=joined)
    return sorted(strongest.values(), key=lambda found: (found.line, found.path))
