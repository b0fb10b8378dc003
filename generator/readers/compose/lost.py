"""Clients that ask where no server can answer them: in themselves, at the host, in no network."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import image_name
from generator.readers.compose.container import ports_of, reference
from generator.readers.compose.depends import needed
from generator.readers.compose.neighbours import OF_BROWSERS
from generator.readers.compose.siblings import HOST, Server, beside, networks_of
from generator.readers.syntax.docker import on_host
from generator.readers.syntax.yaml_tree import Items, Scalar, Table
from generator.units import is_local
from generator.view import DESKTOP, MAYBE, NOWHERE, SELF, UNPUBLISHED, Asked, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.readers.base import Context
    from generator.readers.compose.addresses import Addresses
    from generator.readers.compose.project import Project
    from generator.readers.compose.roles import Roles

_ASKED: Final = re.compile(r"(?:^|//|[;,\s])([A-Za-z0-9][\w.-]{0,99}):(\d{1,5})(?![\w.])")
_DESKTOP: Final = "host.docker.internal"
_OF_WINDOWS: Final = re.compile(r"^[A-Za-z]:[\\/]|^/(?:[a-z]/)?Users/|^/run/desktop/")
_OF_LINUX: Final = re.compile(r"^/(?:mnt|opt|srv|home|data|var/(?!run/docker)|etc|media|root)\b")
_WEBUI: Final = "open-webui"
_SAYS: Final = re.compile(r"(?:OLLAMA|OPENAI)_(?:API_)?BASE_URLS?")
_IMPLIED: Final = f"http://{_DESKTOP}:11434"
"""Where Open WebUI asks that is told nothing. Source: its Dockerfile; open_webui/config.py."""


class Lost:
    """What the clients of a project ask in vain."""

    def __init__(
        self, project: Project, roles: Roles, addresses: Addresses, context: Context
    ) -> None:
        self.project, self.roles, self.context = project, roles, context
        self.addresses, self.engine = addresses, context.engine
        self.port = str(context.catalogue.at(context.engine.name).image.port)

    def lines(self) -> Iterator[Line]:
        """Yield the addresses at which no server answers, each of a client."""
        for name, service in self.project.services.items():
            apart = name in self.roles.servers or name in self.roles.jobs
            mode = service.text("network_mode")
            if not apart and mode in {"", "bridge", "default"}:
                yield from self._of_client(name, service)

    def asked(self, server: str) -> Iterator[Asked]:
        """Yield the ports of a server that the other services ask at its name."""
        if f"service:{server}" in self._modes:
            return  # What shares its network listens at its name as well.
        names = (server, self.project.services[server].text("container_name"))
        for host in dict.fromkeys(names):
            yield from (one for name, one in self._asked.get(host, ()) if name != server)

    @functools.cached_property
    def _modes(self) -> frozenset[str]:
        return frozenset(one.text("network_mode") for one in self.project.services.values())

    @functools.cached_property
    def _asked(self) -> dict[str, list[tuple[str, Asked]]]:
        """What the services ask at each host: who does, and at which port."""
        found: dict[str, list[tuple[str, Asked]]] = {}
        for name, service in self.project.services.items():
            for key, value in self.addresses.of(service).items():
                if not key.startswith(OF_BROWSERS) and value.explicit:
                    for host, port in _ASKED.findall(value.text):
                        asked = Asked(by=f"`{name}`", port=port, place=value.place)
                        found.setdefault(host, []).append((name, asked))
        return found

    def _of_client(self, name: str, service: Table) -> Iterator[Line]:
        told = self.addresses.of(service)
        for key, value in told.items():
            if not key.startswith(OF_BROWSERS) and value.explicit:
                for host, port in _ASKED.findall(value.text):
                    section = self._fault(key, host, port, service)
                    if section:
                        yield Line(
                            section=f"{section}.{name}", name=key, value=value.text,
                            place=value.place,
                        )  # fmt: skip
                        break
        yield from self._implied(name, service, told)

    def _fault(self, key: str, host: str, port: str, service: Table) -> str:
        """Return why nobody answers a service at an address; empty: somebody may."""
        if host == _DESKTOP and port == self.port:
            return self._at_the_host(service)
        if is_local(host) and port == self.port and not self.roles.servers:
            return "" if self._brings(service) else SELF
        ours = re.fullmatch(f"{self.engine.application}|{re.escape(self.engine.address)}", key)
        apart = "." not in host and not self.roles.servers and self.sibling is not None
        if ours and apart and self.sibling and host in self.sibling.names:
            return self._in_no_network(host, service, self.sibling)
        return ""

    def _in_no_network(self, host: str, service: Table, server: Server) -> str:
        own = networks_of(self.project, service, self.addresses.place)
        known = not {"?", HOST} & (own | server.networks)
        taken = host in self.project.services or _names_host(service, host)
        return NOWHERE if known and not taken and not own & server.networks else ""

    def _at_the_host(self, service: Table) -> str:
        waits = {name for name, _ in needed(service)} & self.roles.servers.keys()
        if self._is_kept_in or (waits and self._is_at_another_port):
            return UNPUBLISHED
        return "" if _names_host(service, _DESKTOP) or self._is_desktop else DESKTOP

    @functools.cached_property
    def _is_kept_in(self) -> bool:
        """Whether the server at hand is published at no port that a container reaches."""
        server, beside_it = self._published, self.sibling.ports if self.sibling else ()
        return server is not None and not any(map(self._lets_in, (*server, *beside_it)))

    @functools.cached_property
    def _is_at_another_port(self) -> bool:
        """Whether the server at hand is published, and nowhere by the number of its own port."""
        ports = [on_host(port) for port in self._published or ()]
        return bool(ports) and all(at is not None and at[1] != self.port for at in ports)

    def _lets_in(self, port: str) -> bool:
        """Whether a container reaches a published port at the host, or may."""
        at = on_host(port)
        return at is None or not is_local(at[0] or "0.0.0.0") or self._is_desktop  # noqa: S104

    @functools.cached_property
    def _published(self) -> tuple[str, ...] | None:
        """What the one server at hand publishes; None: there is none, or nobody knows."""
        servers = self.roles.servers
        if not servers:
            known = self.sibling is not None and HOST not in self.sibling.networks
            return self.sibling.ports if self.sibling and known else None
        (name, service), *more = servers.items()
        apart = more or service.get("network_mode") or service.get("profiles")
        return None if apart else tuple(text for text, _ in ports_of(name, service))

    def _implied(self, name: str, service: Table, told: Mapping[str, Scalar]) -> Iterator[Line]:
        """Yield where an Open WebUI asks that is told nothing, where a server is at hand."""
        image = image_name(reference(service, self.project.around))
        base = image.repository.rpartition("/")[2]
        silent = not any(_SAYS.fullmatch(key) for key in told) and self.addresses.is_whole(service)
        off = told["ENABLE_OLLAMA_API"].text if "ENABLE_OLLAMA_API" in told else "true"
        if base != _WEBUI or not silent or self.engine.name in image.tag or off.lower() != "true":
            return
        at_hand = self.roles.servers or self.sibling
        section = self._at_the_host(service) if at_hand else ""
        if section:
            place = service.place_of("image")
            # Somebody may have told it in its own settings, which it keeps.
            yield Line(section=f"{MAYBE}{section}.{name}", name="", value=_IMPLIED, place=place)

    def _brings(self, service: Table) -> bool:
        """Whether the image of a service may have a server of its own."""
        image = image_name(reference(service, self.project.around))
        built = self.roles.built.get(id(service))
        texts = [line.value for line in built.lines] if built else []
        return self.engine.name in f"{image.repository}:{image.tag} {' '.join(texts)}".lower()

    @functools.cached_property
    def sibling(self) -> Server | None:
        """The server of the project in the folder beside."""
        return beside(self.addresses.place, self.context)

    @functools.cached_property
    def _is_desktop(self) -> bool:
        """Whether a folder of Windows or macOS says that Docker Desktop runs the project."""
        return any(_OF_WINDOWS.search(text) for text in _sources(self.project))

    @functools.cached_property
    def is_linux(self) -> bool:
        """Whether a folder or a device says that the project runs on Linux."""
        devices = any(one.items("devices") for one in self.project.services.values())
        return devices or any(_OF_LINUX.search(text) for text in _sources(self.project))


def _sources(project: Project) -> Iterator[str]:
    for service in project.services.values():
        for node in service.items("volumes"):
            if isinstance(node, Scalar):
                yield node.text or node.written
            elif isinstance(node, Table):
                yield node.text("source")


def _names_host(service: Table, name: str) -> bool:
    """Whether a service is told whose name a host is."""
    node = service.get("extra_hosts")
    if isinstance(node, Table):
        return name in node.entries
    texts = (
        (one.text for one in node.items if isinstance(one, Scalar))
        if isinstance(node, Items)
        else ()
    )
    return any(re.split(r"[:=]", text)[0] == name for text in texts)
