"""Jobs of a project: what they ask of its server too soon, and pulls that fail unnoticed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import image_name
from generator.readers.commands.unnoticed import unnoticed
from generator.readers.compose.container import all_words
from generator.readers.syntax.fatal import is_strict
from generator.readers.syntax.hasty import asked_first
from generator.readers.syntax.shell import calls, is_shell
from generator.readers.syntax.yaml_tree import Table
from generator.records import replace
from generator.view import ASTRAY, SOON, Line, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from generator.engines.signs import Signs as Engine

_ONCE: Final = frozenset({"", "no"})
"""Policies under which a job is not tried again."""
_PATIENT: Final = frozenset({"service_healthy", "service_completed_successfully"})
_SERVES: Final = re.compile(r"\bserve\b")
_STAYS: Final = re.compile(r"\b(?:sleep\s+inf\w*|tail\s+-[fF]|serve)\b|\bwait\s*$|\bexec\s")


class Job:
    """A service that asks a server and ends, unless its policy `restart` starts it again.

    `scripts` of the host are what it begins with.
    """

    def __init__(
        self, name: str, service: Table, restart: str, scripts: Iterable[Line], engine: Engine
    ) -> None:
        self.name, self.service, self.engine = name, service, engine
        self.restart = restart.strip("\"'")
        self.words = all_words(service)
        own = (word for word in self.words if " " in word.text.strip())
        self.texts = [
            *((word.text, replace(word.place, line=word.starts)) for word in own),
            *((line.value, line.place) for line in scripts),
        ]

    def lines(self, servers: Collection[str], asked: str) -> Iterator[Line]:
        """Yield what it asks as soon as one of the servers starts, and what fails unnoticed.

        `asked` is the one that it names, or empty.
        """
        yield from self._at_home()
        if self.restart not in _ONCE or any(_STAYS.search(text) for text, _ in self.texts):
            return
        by_hand = "profiles" in self.service.entries
        if not (by_hand or self._waits()) and (asked or self._needs(servers)):
            yield from self._soon()
        strict = is_strict([word.text for word in self.words])
        if any(is_shell(word.text) for word in self.words[:1]):
            for text, place in self.texts:
                yield from unnoticed(text, place, self.engine, errexit=strict)

    def _at_home(self) -> Iterator[Line]:
        """Yield the address that its program asks untold: that of its own container."""
        service, address = self.service, self.engine.address
        keys = {"build", "env_file", "network_mode", "extends"} & service.entries.keys()
        own = self.engine.is_image(image_name(service.text("image")).repository)
        told = address in service.table("environment").entries or any(
            address in word.text or _SERVES.search(word.text) for word in self.words
        )
        if keys or not own or told or any(address in text for text, _ in self.texts):
            return
        words = [word.text for word in self.words]
        called = next(calls(words, self.engine), None)
        plain = "entrypoint" not in service.entries and (words or [""])[0] in self.engine.verbs
        if called is not None or plain:
            host, port = self.engine.nixos_address
            place = replace(self.words[0].place, key=f"services.{self.name}")
            yield Line(
                section=f"{ASTRAY}.{self.name}", name="", value=f"{host}:{port}", place=place
            )

    def _waits(self) -> bool:
        """Whether Compose itself waits with it for more than a start."""
        needed = self.service.table("depends_on").entries.values()
        return any(isinstance(n, Table) and n.text("condition") in _PATIENT for n in needed)

    def _needs(self, servers: Collection[str]) -> bool:
        """Whether it starts behind one of the servers."""
        table = self.service.table("depends_on").entries
        listed = {getattr(node, "text", "") for node in self.service.items("depends_on")}
        return bool({*table, *listed} & {*servers})

    def _soon(self) -> Iterator[Line]:
        for text, place in self.texts:
            if found := asked_first(text, self.engine):
                at = Place(place.file, place.line + found[0])
                yield Line(section=SOON, name=self.name, value=found[1], place=at)
                return
        first, *rest = [word.text for word in self.words] or [""]
        own = "entrypoint" not in self.service.entries or first == self.engine.name
        verb = (rest or [""])[0] if first == self.engine.name else first
        if not self.texts and own and verb in self.engine.verbs:
            at = self.words[0].place
            at = Place(at.file, at.line)
            yield Line(section=SOON, name=self.name, value=verb, place=at)
