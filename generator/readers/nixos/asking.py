"""Programs that ask a server, by their options: `services.open-webui`.

Source: nixpkgs, nixos/modules/services/misc/open-webui.nix: the address is an option, which the
program is started with, and the firewall stays shut unless somebody opens it.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.catalogue.clients import ClientFact
from generator.readers.base import Source
from generator.readers.clients import client, clients_alone
from generator.readers.nixos import CONTAINER, MODULE
from generator.readers.nixos.containers import clients
from generator.readers.nixos.evaluate import in_force, unit_text
from generator.readers.nixos.modules import said_literally
from generator.readers.nixos.services import Services, filled_in
from generator.units import is_local, whole
from generator.view import AMISS, FIREWALL, Container, Line, NotJudged, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.readers.base import Context
    from generator.readers.nixos.evaluate import Definition
    from generator.view import View

_ASKS: Final = re.compile(r"OLLAMA_(?:API_)?BASE_URLS?")
_URL: Final = re.compile(r"(https?)://([\w.-]{1,100}|\[[\da-f:]+\]):(\d{1,5})(?![\w.])")
_SAYS: Final = re.compile(rf"{_ASKS.pattern}|OPENAI_API_BASE_URLS?|ENABLE_OLLAMA_API")
_WEBUI: Final = "open-webui"
"""Untold it asks at the usual port of the host. Source: backend/open_webui/config.py, of pip."""
_FIREWALL: Final = "firewall"
_MOST: Final = 40
"""Files of the same folder that are looked into for the server."""


def asking(source: Source, context: Context, beside: Sequence[View]) -> Iterator[View]:
    """Yield a View of the programs that ask servers; `beside` is what else the file runs."""
    if context.engine.name != context.catalogue.engine:
        return
    if boxes := [*clients(source, in_force(said_literally(source)), context)]:
        fields = {"not_judged": ()} if beside else {}
        yield clients_alone(boxes, CONTAINER, context, boxes[0].container.place, **fields)
    for fact in context.catalogue.all("client", ClientFact):
        if fact.port and fact.name in source.text:
            plain = Services(source, context)
            program = _Program(filled_in(source, plain), context, fact)
            if program.runs:
                yield program.view(alone=not beside)


class _Program(Services):
    def __init__(self, source: Source, context: Context, fact: ClientFact) -> None:
        super().__init__(source, context)
        self.fact, self.at = fact, ("services", fact.name)
        self.port = str(context.catalogue.at(context.engine.name).image.port)

    @property
    def runs(self) -> bool:
        """Whether the file says something of the program, and does not turn it off."""
        enabled = self.told.get((*self.at, "enable"))
        return any(True for _ in self.of(*self.at)) and (
            enabled is None or enabled.value is not False
        )

    def view(self, *, alone: bool) -> View:
        """Return what is said of the program; `alone`: the file runs no server."""
        lines = [d.line for _, d in self.of(*self.at)]
        place = Place(self.source.path, min(lines))
        box = Container(image="", place=place, exposed=tuple(self._opened()))
        gaps = [NotJudged(file=place.file, part="environmentFile", reason="", variables=True)]
        secret = (*self.at, "environmentFile") in self.told
        told = client(self.fact.name, box, self._variables(), gaps if secret else ())
        beside = not alone or self._server() is not None
        fields = {"not_judged": ()} if beside else {}
        amiss = tuple(self._amiss())
        name = ".".join(self.at)
        return clients_alone([told], MODULE, self.context, place, name=name, lines=amiss, **fields)

    def _variables(self) -> Iterator[Variable]:
        units = ("systemd", *self.at)
        for above in ((*self.at, "environment"), (*units, "environment")):
            for path, found in self.of(*above):
                if len(path) == 1 and isinstance(found.value, str | int):
                    yield Variable(
                        name=path[0],
                        value=unit_text(found.value),
                        place=self._place(found),
                        unresolved=found.unresolved,
                    )

    def _place(self, found: Definition) -> Place:
        return Place(found.file or self.source.path, found.line)

    def _opened(self) -> Iterator[Line]:
        """Yield what lets other machines in: an address of them all, and the firewall."""
        host = self.told.get((*self.at, "host"))
        if host is None or host.unresolved or host.value not in {"0.0.0.0", "::", "[::]"}:  # noqa: S104
            return
        yield Line(
            section=FIREWALL,
            name=self._lets_in(),
            value=str(host.value),
            place=self._place(host),
        )

    def _lets_in(self) -> str:
        """Return what opens the firewall for the program; empty: nothing in this file does."""
        own, port = self.told.get((*self.at, "openFirewall")), self.told.get((*self.at, "port"))
        if own is not None and own.value is True:
            return f"{'.'.join(self.at)}.openFirewall"
        at = port.value if port is not None else self.fact.port
        for path, found in self.told.items():
            if path[-2:] == (_FIREWALL, "enable") and found.value is False:
                return "networking.firewall.enable = false"
            opens = path[-2:] == (_FIREWALL, "allowedTCPPorts") and isinstance(found.value, list)
            if opens and at in found.value:
                return "networking.firewall.allowedTCPPorts"
        return ""

    def _amiss(self) -> Iterator[Line]:
        """Yield the addresses of the host at which its server does not listen."""
        server = self._server()
        if server is None:
            return
        host, port = server
        answers = f"http://{'127.0.0.1' if _hears(host) else host}:{port}"
        told = {variable.name: variable for variable in self._variables()}
        if port != self.port and self._is_silent(told):
            place = self._place(next(d for _, d in self.of(*self.at)))
            yield Line(section=f"{AMISS}.{self.fact.product}", name=answers, value="", place=place)
        for variable in told.values():
            if not _ASKS.fullmatch(variable.name) or variable.unresolved or ";" in variable.value:
                continue
            found = _URL.match(variable.value)
            if found and is_local(found[2]) and not self._is_known(found[3], port):
                # Of TLS at the usual port others tell.
                usual = found[1] == "http" or found[3] == self.port
                right = usual and found[3] == port and _hears(host)
                if not right:
                    section = f"{AMISS}.{self.fact.product}"
                    yield Line(section=section, name=answers, value=found[0], place=variable.place)

    def _is_silent(self, told: Mapping[str, Variable]) -> bool:
        """Whether nothing says where it asks, so that it asks at the usual port."""
        own = dict(self.of(*self.at))
        unknown = ("environmentFile",) in own or any(d.unresolved for d in own.values())
        says = any(_SAYS.fullmatch(name) for name in told)
        return self.fact.name == _WEBUI and not unknown and not says

    def _is_known(self, asked: str, port: str) -> bool:
        """Whether something else, here or beside, may be what listens at a port that is asked."""
        if asked == port:
            return False
        named = rf"(?<!\d){asked}(?!\d)"
        listens = re.compile(rf"(?i)\b(?:port|listen|bind)\w*[ \t]*=[^;\n]{{0,60}}{named}")
        here = len(re.findall(named, self.source.text)) > 1
        return here or any(listens.search(source.text) for source in self._beside())

    def _beside(self) -> Iterator[Source]:
        """Yield the other modules of the folder."""
        folder = posixpath.dirname(self.source.path)
        for path in self.context.listed(self.source.path)[:_MOST]:
            same = path.endswith(".nix") and path != self.source.path
            text = self.context.read(path) if same and posixpath.dirname(path) == folder else None
            if text is not None:
                yield Source(path, text)

    def _server(self) -> tuple[str, str] | None:
        """Return host and port of the one server, here or beside; None: nobody can tell."""
        if any(True for _ in self.of("services", self.context.engine.name)):
            return _address(self)
        found = []
        for source in self._beside():
            if self.context.engine.name in source.text:
                other = Services(source, self.context)
                if any(True for _ in other.of("services", self.context.engine.name)):
                    found.append(_address(other))
        return found[0] if len(found) == 1 else None


def _hears(host: str) -> bool:
    """Whether what listens at a host hears who asks on the loopback."""
    return is_local(host) or host in {"0.0.0.0", "::", "[::]", ""}  # noqa: S104


def _address(told: Services) -> tuple[str, str] | None:
    """Return host and port of the server by its options; None where something else has a say."""
    own = ("services", told.context.engine.name)
    said = dict(told.of(*own))
    named = [said[name,] for name in ("host", "port") if (name,) in said]
    enabled = said.get(("enable",))
    on = enabled is not None and enabled.value is True
    maybe = enabled is not None and enabled.maybe
    other = {("listenAddress",), ("environmentVariables", told.context.engine.address)} & set(said)
    port = whole(told.address()["port"])
    if not on or other or port is None or any(d.unresolved or d.maybe != maybe for d in named):
        return None
    return told.address()["host"], str(port)
