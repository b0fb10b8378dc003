"""What stands around a server in a project: who waits for it, asks it, or leads to it."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import image_name
from generator.readers.compose.container import argv, reference
from generator.readers.compose.project import files_of, joined
from generator.readers.syntax.yaml_tree import Scalar, Table, plain
from generator.records import replace
from generator.view import ALSO, ASTRAY, TUNNEL, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.readers.compose.addresses import Addresses
    from generator.readers.compose.project import Project
    from generator.readers.compose.roles import Roles
    from generator.view import Variable

_TUNNEL: Final = re.compile(r"(?:^|/)(?:cloudflared|ngrok|localtunnel|bore|zrok|frpc)\b")
LOOPBACK: Final = re.compile(r"(?:https?://)?(?:localhost|127\.0\.0\.1|\[::1\]):\d+(?:/\S*)?$")
OF_BROWSERS: Final = ("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "PUBLIC_", "NUXT_PUBLIC_")
"""How variables begin that a page gets, which asks from where its reader sits."""


class Neighbours:
    """What stands around the `servers` of a project; `jobs` ask them and end."""

    def __init__(
        self,
        project: Project,
        roles: Roles,
        profiles: Mapping[str, set[str]],
        addresses: Addresses,
    ) -> None:
        self.project, self.profiles, self.context = project, profiles, roles.context
        self.addresses = addresses
        self.servers, self.jobs, self.engine = roles.servers, roles.jobs, roles.engine

    def of(self, name: str) -> tuple[str, ...]:
        """Return what runs beside a server; of two servers only one profile may be on."""
        here = self.profiles[name]
        servers = self.servers if here else ()
        apart = {n for n in servers if self.profiles[n] and here.isdisjoint(self.profiles[n])}
        away = {name, *apart, *self.jobs}
        return tuple(each for each in self.project.services if each not in away)

    def also(self, variables: Iterable[Variable]) -> Iterator[Line]:
        """Yield those that a program gets by the same line whose own files nobody reads here."""
        lines, files = self._built
        for one in variables:
            file, line = one.place.file, one.place.line
            other = lines.get((file, line, one.name)) or files.get(file)
            if other:
                yield Line(section=ALSO, name=one.name, value=other, place=Place(file, line))

    @functools.cached_property
    def _built(self) -> tuple[dict[tuple[str, int, str], str], dict[str, str]]:
        """The lines and files of variables of the other services that are built here."""
        lines: dict[tuple[str, int, str], str] = {}
        files: dict[str, str] = {}
        for name, service in self.project.services.items():
            if "build" not in service.entries or name in self.servers:
                continue
            for key, node in service.table("environment").entries.items():
                if isinstance(node, Scalar):
                    lines.setdefault((node.place.file, node.place.line, key), name)
            for named in files_of(service):
                files.setdefault(joined(named.path.place.file, named.path.text), name)
        return lines, files

    def named_by_others(self, server: str) -> Iterator[Line]:
        """Yield the networks, services and variables that lists of the other services name."""
        for name, service in self.project.services.items():
            section = f"beside.{name}"
            for key in ("networks", "depends_on") if name != server else ():
                for node in service.items(key):
                    if isinstance(node, Scalar):
                        yield Line(section=section, name=key, value=node.text, place=node.place)
            given = service.table("environment").entries if name != server else {}
            for variable, node in given.items():
                text = f"{variable}={plain(node)}"
                yield Line(section=section, name="variable", value=text, place=node.place)

    def astray(self, server: str) -> Iterator[Line]:
        """Yield the addresses of their own container at which the other services ask."""
        taken = {name for name in self.servers if name != server}
        mode = self.project.services[server].text("network_mode")
        for name, key, node in self._at_home:
            service = self.project.services[name]
            shared = service.text("network_mode") in {"host", f"service:{server}"}
            # Both may stand in the network of a third, as of a VPN.
            shared = shared or (":" in mode and service.text("network_mode") == mode)
            # An image may bring a server of its own, as `open-webui:ollama` does.
            shared = shared or self.engine.name in image_name(service.text("image")).tag
            if not (name in {server, *taken} or shared or mode == f"service:{name}"):
                place = replace(node.place, key=f"services.{name}.environment.{key}")
                yield Line(section=f"{ASTRAY}.{name}", name=key, value=node.text, place=place)

    @functools.cached_property
    def _at_home(self) -> list[tuple[str, str, Scalar]]:
        """The variables of services that name an address of their own container."""
        return [
            (name, key, node)
            for name, service in self.project.services.items()
            for key, node in self.addresses.of(service).items()
            if not key.startswith(OF_BROWSERS)
            if LOOPBACK.match(node.text)
        ]

    @functools.cached_property
    def _depending(self) -> dict[str, Table]:
        """What a service depends on, where that is more than a list of names."""
        every = self.project.services.items()
        return {name: table for name, one in every if (table := one.table("depends_on")).entries}

    def waiting(self, name: str, until: str = "service_healthy") -> Iterator[str]:
        """Yield the services that wait until this one is healthy, or has done its work."""
        for other, table in self._depending.items():
            if table.text(name, "condition") == until:
                yield other

    @functools.cached_property
    def _leading(self) -> list[tuple[str, str, Place]]:
        """The services that lead somewhere from the internet: name, command, place."""
        found = []
        for name, service in self.project.services.items():
            told = (one for one in service.table("environment").entries.values())
            given = [one.text for one in told if isinstance(one, Scalar)]
            words = " ".join((*argv(service, "command"), *given))
            image = image_name(reference(service, self.project.around)).repository
            if _TUNNEL.search(image) or _TUNNEL.search(words):
                found.append((name, words, service.place_of("command")))
        return found

    def tunnels(self, name: str) -> Iterator[Line]:
        """Yield the services that lead to this one from the internet."""
        port = self.context.catalogue.at(self.engine.name).image.port
        names = {name, self.project.services[name].text("container_name") or name}
        goal = re.compile(rf"(?:^|[/\s=])(?:{'|'.join(map(re.escape, names))}):{port}\b")
        for other, words, place in self._leading:
            if other != name and goal.search(words):
                yield Line(section=TUNNEL, name=other, value=words, place=place)
