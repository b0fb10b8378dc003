"""What a module says literally of services beside the server, wherever in its file it does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.nixos.evaluate import Definition, in_force
from generator.readers.nixos.modules import said_literally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context, Source

_OPTIONS: Final = {"host": "127.0.0.1", "port": "11434"}


class Services:
    """The definitions of a file, by their paths from `services` on."""

    def __init__(self, source: Source, context: Context) -> None:
        self.source, self.context = source, context
        found = in_force(said_literally(source))
        # Modules stand within others, and services of a host count wherever they are said.
        self.told: dict[tuple[str, ...], Definition] = {self._below(d): d for d in found}
        self.lines = source.text.split("\n")

    @staticmethod
    def _below(found: Definition) -> tuple[str, ...]:
        at = found.path.index("services") if "services" in found.path else 0
        return found.path[at:]

    def of(self, *above: str) -> Iterator[tuple[tuple[str, ...], Definition]]:
        """Yield what is said below an option, with the path from there."""
        for path, found in self.told.items():
            if path[: len(above)] == above:
                yield path[len(above) :], found

    def address(self) -> dict[str, str]:
        """Return the address of the engine, by its options."""
        own = ("services", self.context.engine.name)
        told = {name: self.told.get((*own, name)) for name in _OPTIONS}
        return {
            name: str(found.value) if found and isinstance(found.value, str | int) else default
            for (name, default), found in zip(_OPTIONS.items(), told.values(), strict=True)
        }

    def text(self, *path: str) -> str:
        """Return a text that is said there; empty: there is none."""
        found = self.told.get(path)
        return found.value if found and isinstance(found.value, str) else ""


def filled_in(source: Source, told: Services) -> Source:
    """Return a file with the address of the engine's options in place of what asks for them."""
    text, engine = source.text, told.context.engine.name
    names = "|".join([rf"config\.services\.{engine}", *_aliases(text, engine)])
    for option, value in told.address().items():
        asked = rf"\$\{{\s*(?:\(?(?:builtins\.)?toString\s+)?(?:{names})\.{option}\)?\s*\}}"
        text = re.sub(asked, value, text)
    return replace(source, text=text)


def _aliases(text: str, engine: str) -> list[str]:
    return re.findall(rf"(?m)^\s*([\w-]+) = config\.services\.{engine};", text)
