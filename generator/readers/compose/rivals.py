"""What several services of a project want of the host: a name, or a port."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from generator.readers.compose.container import ports_of
from generator.readers.syntax.docker import on_host
from generator.view import TAKEN, Container, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.readers.compose.project import Project
    from generator.readers.syntax.yaml_tree import Table


_MOST_RIVALS: Final = 20


class Rivals:
    """Who wants the same of the host; `profiles` are those in which each service runs."""

    def __init__(
        self, project: Project, servers: Mapping[str, Table], profiles: Mapping[str, set[str]]
    ) -> None:
        self.project, self.servers, self.profiles = project, servers, profiles

    def taken(self, name: str, box: Container) -> Iterator[Line]:
        """Yield what of the host a service wants that one has which runs beside it as well."""
        called = self.project.services[name].scalar("container_name")
        if called is not None and (other := self._rival(name, f"name {called.text}")):
            yield Line(section=TAKEN, name=other, value="name", place=called.place)
        for text, place in box.ports:
            if (port := on_host(text)) and (other := self._rival(name, port[1], port[0])):
                yield Line(section=TAKEN, name=other, value=f"port {port[1]}", place=place)

    def _rival(self, name: str, what: str, address: str = "") -> str:
        """Return who else wants the same of the host; of two it is told to the one with a profile.

        Where both have none, or the same ones, it is told to the later one.
        """
        own, wanted = self.profiles[name], self._wanted.get(what, [])[:_MOST_RIVALS]
        at = wanted.index((name, address)) if (name, address) in wanted else len(wanted)
        for rank, (other, host) in enumerate(wanted):
            others = self.profiles[other]
            together = not (own and others) or not own.isdisjoint(others)
            first = not others if bool(own) != bool(others) else rank < at
            same = host == address or "" in {host, address}
            if other != name and together and same and (first or other not in self.servers):
                return other
        return ""

    @functools.cached_property
    def _wanted(self) -> dict[str, list[tuple[str, str]]]:
        """What services want of the host: a name, or a port with its address."""
        found: dict[str, list[tuple[str, str]]] = {}
        for name, service in self.project.services.items():
            number = service.text("scale") or service.text("deploy", "replicas")
            if number == "0" or "network_mode" in service.entries:
                continue
            if called := service.text("container_name"):
                found.setdefault(f"name {called}", []).append((name, ""))
            for text, _ in ports_of(name, service):
                if port := on_host(text):
                    found.setdefault(port[1], []).append((name, port[0]))
        return found
