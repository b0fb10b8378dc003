"""What asks a server for what is not there: a Service, a port of it, a model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.proxies import is_api
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.records import dataclass
from generator.view import UNPORTED, UNPULLED, UNSERVED, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context

_URL: Final = re.compile(r"https?://([A-Za-z0-9][\w-]*)(\.[\w.-]+)?:(\d{1,5})(?![\w.])")
_LONGEST: Final = 100_000
_OPEN: Final = re.compile(r"[{$]")
_TEMPLATES: Final = ("spec", "template", "spec")
_HEADLESS: Final = "None"


@dataclass(frozen=True, slots=True)
class _Service:
    """A Service: its name and namespace, and its ports."""

    name: str
    space: str
    ports: tuple[str, ...]
    called: frozenset[str]
    """Its ports as somebody may name them."""
    mapped: bool
    """Whether it has an address of its own, so that only its own ports lead on."""

    def has(self, port: str) -> bool:
        return port in self.called


class _Known:
    """The Services of some files, and those of a server among them, by their names."""

    def __init__(self, services: Sequence[_Service], served: set[str]) -> None:
        self.names = {one.name for one in services}
        self.ours: dict[str, list[_Service]] = {}
        for one in services:
            if one.name in served:
                self.ours.setdefault(one.name, []).append(one)
        self.spaces = {one.space for several in self.ours.values() for one in several}
        self.told = ", ".join(f"`{name}`" for name in sorted(self.ours))


def astray(
    tables: Sequence[Table], served: set[str], context: Context, *, named: bool = True
) -> Iterator[Line]:
    """Yield the addresses at which something asks the engine, and no Service answers.

    `served` are the names of the Services that are for a server of it. Not `named`: a chart gives
    them other names.
    """
    services = [_service(table) for table in tables if table.text("kind") == "Service"]
    known = _Known(services, served)
    if not known.ours or any(map(_OPEN.search, known.names)):
        return
    for node, url in _urls(tables) if named else ():
        if line := _asked(node, url, known, context):
            yield line
    for table in tables:
        yield from _routed(table, known)


_OF_A_MODEL: Final = re.compile(r"OLLAMA(?:_\w+)?_MODEL(?:_NAME|_ID|_TAG)?")
_OF_ANY: Final = re.compile(r"(?:LLM|CHAT|EMBED(?:DINGS?)?)(?:_\w+)?_MODEL(?:_NAME|_ID)?")
_TAGGED: Final = re.compile(r"[a-z0-9][a-z0-9._-]*:[A-Za-z0-9][\w.-]*")
_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")


def unpulled(tables: Sequence[Table], pulled: set[str], context: Context) -> Iterator[Line]:
    """Yield the models that programs ask for, of which none is pulled where others are."""
    there = {_with_tag(name) for name in pulled}
    told = ", ".join(f"`{one}`" for one in sorted(pulled))
    for table in tables if there else ():
        named = list(_named(table))
        about = any(context.engine.name in f"{key} {value.text}".lower() for key, value in named)
        for key, value in named:
            ours = _OF_A_MODEL.fullmatch(key) is not None
            tagged = _TAGGED.fullmatch(value.text) is not None
            other = _OF_ANY.fullmatch(key) and tagged and about
            asks = (ours and (tagged or _PLAIN.fullmatch(value.text))) or other
            if asks and _with_tag(value.text) not in there:
                yield Line(section=UNPULLED, name=told, value=value.text, place=value.place)


def _with_tag(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _named(table: Table) -> Iterator[tuple[str, Scalar]]:
    """Yield the variables that a ConfigMap or the containers of a workload set."""
    if table.text("kind") == "ConfigMap":
        data = table.table("data").entries
        yield from ((key, one) for key, one in data.items() if isinstance(one, Scalar))
    for entry in _variables(table):
        value = entry.scalar("value")
        if value is not None:
            yield entry.text("name"), value


def _service(table: Table) -> _Service:
    ports = [one for one in table.items("spec", "ports") if isinstance(one, Table)]
    headless = table.text("spec", "clusterIP") == _HEADLESS
    other = table.text("spec", "type") == "ExternalName"
    return _Service(
        table.text("metadata", "name"),
        table.text("metadata", "namespace"),
        tuple(one.text("port") for one in ports),
        frozenset(one.text(key) for one in ports for key in ("port", "name")),
        mapped=bool(ports) and not headless and not other,
    )


def _urls(tables: Sequence[Table]) -> Iterator[tuple[Place, re.Match[str]]]:
    """Yield the addresses in variables of containers, and in what a ConfigMap has."""
    for table in tables:
        for node in _texts(table):
            for at, line in enumerate(node.text[:_LONGEST].split("\n"), node.starts):
                for found in _URL.finditer(line) if line.lstrip()[:1] != "#" else ():
                    yield Place(node.place.file, at), found


def _texts(table: Table) -> Iterator[Scalar]:
    if table.text("kind") == "ConfigMap":
        yield from (one for one in table.table("data").entries.values() if isinstance(one, Scalar))
    values = (entry.scalar("value") for entry in _variables(table))
    yield from (value for value in values if value is not None)


def _variables(table: Table) -> Iterator[Table]:
    """Yield the entries of `env` of the containers of a workload."""
    for key in ("containers", "initContainers"):
        for box in table.items(*_TEMPLATES, key):
            for entry in box.items("env") if isinstance(box, Table) else ():
                if isinstance(entry, Table):
                    yield entry


def _asked(place: Place, url: re.Match[str], known: _Known, context: Context) -> Line | None:
    """Return why a client finds no server at an address; None: it may."""
    name, rest, port = url[1], url[2] or "", url[3]
    space = rest.split(".")[1] if rest else ""
    if rest and ".svc" not in rest and not (space and rest[1:] in known.spaces):
        return None
    if named := [o for o in known.ours.get(name, ()) if o.space in {space or o.space, ""}]:
        if any(not one.mapped or one.has(port) for one in named):
            return None
        return _unported(named[0], port, place)
    here = not space or space in known.spaces
    asks = is_api(name, context) and context.engine.name in name.lower()
    if name in known.names or not here or not asks:
        return None
    return Line(section=UNSERVED, name=known.told, value=url[0], place=place)


def _unported(service: _Service, port: str, place: Place) -> Line:
    told = " and ".join(service.ports)
    return Line(section=f"{UNPORTED}.{service.name}", name=told, value=port, place=place)


def _routed(table: Table, known: _Known) -> Iterator[Line]:
    """Yield the ports of Services that an Ingress or a route names, and that they have not."""
    for ref in _backends(table):
        named = ref.table("service") if "service" in ref.entries else ref
        port = (
            named.scalar("port") or named.scalar("port", "number") or named.scalar("port", "name")
        )
        found = known.ours.get(named.text("name"))
        if port is None or not found or _OPEN.search(port.text):
            continue
        if not any(not one.mapped or one.has(port.text) for one in found):
            yield _unported(found[0], port.text, port.place)


def _backends(table: Table) -> Iterator[Table]:
    """Yield what an Ingress or a route of a gateway leads to."""
    kind = table.text("kind")
    for rule in table.items("spec", "rules") if kind in {"Ingress", "HTTPRoute"} else ():
        if isinstance(rule, Table):
            for path in rule.items("http", "paths"):
                if isinstance(path, Table):
                    yield path.table("backend")
            for ref in rule.items("backendRefs"):
                if isinstance(ref, Table) and ref.text("kind") in {"", "Service"}:
                    yield ref
