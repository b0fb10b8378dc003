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
    """A Service: its name and namespace, and its ports by number and by name."""

    name: str
    space: str
    ports: tuple[tuple[str, str], ...]
    mapped: bool
    """Whether it has an address of its own, so that only its own ports lead on."""

    def has(self, port: str) -> bool:
        return any(port in pair for pair in self.ports)


def astray(
    tables: Sequence[Table], served: set[str], context: Context, *, named: bool = True
) -> Iterator[Line]:
    """Yield the addresses at which something asks the engine, and no Service answers.

    `served` are the names of the Services that are for a server of it. Not `named`: a chart gives
    them other names.
    """
    services = [_service(table) for table in tables if table.text("kind") == "Service"]
    ours = [one for one in services if one.name in served]
    if not ours or any(_OPEN.search(one.name) for one in services):
        return
    for node, url in _urls(tables) if named else ():
        if line := _asked(node, url, services, ours, context):
            yield line
    for table in tables:
        yield from _routed(table, ours)


_OF_A_MODEL: Final = re.compile(r"OLLAMA(?:_\w+)?_MODEL(?:_NAME|_ID|_TAG)?")
_OF_ANY: Final = re.compile(r"(?:LLM|CHAT|EMBED(?:DINGS?)?)(?:_\w+)?_MODEL(?:_NAME|_ID)?")
_TAGGED: Final = re.compile(r"[a-z0-9][a-z0-9._-]*:[A-Za-z0-9][\w.-]*")
_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")


def unpulled(tables: Sequence[Table], pulled: set[str], context: Context) -> Iterator[Line]:
    """Yield the models that programs ask for, of which none is pulled where others are."""
    there = {_with_tag(name) for name in pulled}
    name = context.engine.name
    for table in tables if there else ():
        for key, value in _named(table):
            ours = _OF_A_MODEL.fullmatch(key) is not None
            tagged = _TAGGED.fullmatch(value.text) is not None
            other = _OF_ANY.fullmatch(key) and tagged and _speaks_of(table, name)
            asks = (ours and (tagged or _PLAIN.fullmatch(value.text))) or other
            if asks and _with_tag(value.text) not in there:
                told = ", ".join(f"`{one}`" for one in sorted(pulled))
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


def _speaks_of(table: Table, engine: str) -> bool:
    return any(engine in f"{key} {value.text}".lower() for key, value in _named(table))


def _service(table: Table) -> _Service:
    ports = [one for one in table.items("spec", "ports") if isinstance(one, Table)]
    headless = table.text("spec", "clusterIP") == _HEADLESS
    other = table.text("spec", "type") == "ExternalName"
    return _Service(
        table.text("metadata", "name"),
        table.text("metadata", "namespace"),
        tuple((one.text("port"), one.text("name")) for one in ports),
        mapped=bool(ports) and not headless and not other,
    )


def _urls(tables: Sequence[Table]) -> Iterator[tuple[Place, re.Match[str]]]:
    """Yield the addresses in variables of containers, and in what a ConfigMap has."""
    for table in tables:
        for node in _texts(table):
            text = node.text[:_LONGEST]
            for found in _URL.finditer(text):
                below = text.count("\n", 0, found.start())
                commented = text[: found.start()].rpartition("\n")[2].lstrip().startswith("#")
                if not commented:
                    yield Place(node.place.file, node.starts + below), found


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


def _asked(
    place: Place,
    url: re.Match[str],
    services: Sequence[_Service],
    ours: Sequence[_Service],
    context: Context,
) -> Line | None:
    """Return why a client finds no server at an address; None: it may."""
    name, rest, port = url[1], url[2] or "", url[3]
    space = rest.split(".")[1] if rest else ""
    if rest and ".svc" not in rest and not (space and any(rest == f".{one.space}" for one in ours)):
        return None
    if named := [one for one in ours if one.name == name and one.space in {space or one.space, ""}]:
        if any(not one.mapped or one.has(port) for one in named):
            return None
        return _unported(named[0], port, place)
    here = any(not space or one.space == space for one in ours)
    known = any(one.name == name for one in services)
    if known or not here or not is_api(name, context) or context.engine.name not in name.lower():
        return None
    told = ", ".join(sorted(f"`{one.name}`" for one in ours))
    return Line(section=UNSERVED, name=told, value=url[0], place=place)


def _unported(service: _Service, port: str, place: Place) -> Line:
    told = " and ".join(number for number, _ in service.ports)
    return Line(section=f"{UNPORTED}.{service.name}", name=told, value=port, place=place)


def _routed(table: Table, ours: Sequence[_Service]) -> Iterator[Line]:
    """Yield the ports of Services that an Ingress or a route names, and that they have not."""
    for ref in _backends(table):
        named = ref.table("service") if "service" in ref.entries else ref
        port = (
            named.scalar("port") or named.scalar("port", "number") or named.scalar("port", "name")
        )
        found = [one for one in ours if one.name == named.text("name")]
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
