"""Ingresses, and routes of Traefik and OpenShift, before a server, also one of other files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.around import Hop
from generator.readers.base import image_name
from generator.readers.ingress import PLAIN, hop_of, named_by
from generator.readers.kubernetes import openshift
from generator.readers.kubernetes.openshift import is_route, led_to
from generator.readers.proxies import is_api
from generator.readers.syntax.traefik import hosts_of, may_ask
from generator.readers.syntax.yaml_tree import Table
from generator.view import INGRESS, Line, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.readers.base import Context


def fronts(tables: Sequence[Table], context: Context) -> Iterator[tuple[Table, tuple[Hop, ...]]]:
    """Yield the resources that lead requests to a Service of an engine, and how."""
    others = _of_others(tables, context)

    def ours(address: str) -> bool:
        return is_api(address, context) and address.partition(":")[0] not in others

    for table in tables:
        kind = table.text("kind")
        if kind == "Ingress" and (hop := ingress(table, ours)):
            yield table, (hop,)
        elif is_route(table) and ours(led_to(table)):
            yield table, (openshift.hop_of(table),)
        elif kind == "IngressRoute" and (hops := tuple(_routes(table, tables, context))):
            yield table, hops


def _of_others(tables: Sequence[Table], context: Context) -> frozenset[str]:
    """Return the Services that are at hand, with workloads of which none runs the engine.

    A program of somebody's own may have the name of the engine in its own.
    """
    boxes = [
        image_name(box.text("image")).repository
        for table in tables
        for box in table.items("spec", "template", "spec", "containers")
        if isinstance(box, Table)
    ]
    if not boxes or any(context.engine.is_image(name) for name in boxes):
        return frozenset()
    services = (one for one in tables if one.text("kind") == "Service")
    return frozenset(one.text("metadata", "name") for one in services)


def ingress(table: Table, ours: Callable[[str], bool]) -> Hop | None:
    """Return the way through an Ingress to an address that is `ours`; None: it has none."""
    rules = [one for one in table.items("spec", "rules") if isinstance(one, Table)]
    led = [rule for rule in rules if any(map(ours, _addresses(rule)))]
    if not led:
        return None
    place = Place(led[0].place.file, led[0].place.line, "rules")
    kind = table.text("spec", "ingressClassName")
    notes = table.table("metadata", "annotations")
    said_by = named_by(kind, "\n".join(notes.entries))
    return hop_of(notes, kind, place, tuple(_name(rule, said_by) for rule in led))


def _name(rule: Table, said_by: str) -> Line:
    host = rule.scalar("host")
    place = host.place if host else rule.place
    told = host.text if host else "$"
    return Line(
        section=INGRESS, name=said_by if host else f"{said_by} public", value=told, place=place
    )


def _addresses(rule: Table) -> Iterator[str]:
    for path in rule.items("http", "paths"):
        if isinstance(path, Table):
            service = path.table("backend", "service")
            name = service.text("name") or path.text("backend", "serviceName")
            port = service.text("port", "number") or path.text("backend", "servicePort")
            yield f"{name}:{port}" if port else name


def _routes(table: Table, tables: Sequence[Table], context: Context) -> Iterator[Hop]:
    known = {
        one.text("metadata", "name"): [*one.table("spec").entries]
        for one in tables
        if one.text("kind") == "Middleware"
    }
    for route in (r for r in table.items("spec", "routes") if isinstance(r, Table)):
        refs = [one for one in route.items("services") if isinstance(one, Table)]
        if any(is_api(f"{one.text('name')}:{one.text('port')}", context) for one in refs):
            used = [
                one.text("name") for one in route.items("middlewares") if isinstance(one, Table)
            ]
            match = route.scalar("match")
            asked = any(may_ask(name, known) for name in used)
            hosts = hosts_of(match.text) if match and not asked else ()
            place = match.place if match else route.place
            names = (Line(section=INGRESS, name="traefik", value=n, place=place) for n in hosts)
            yield Hop(words=PLAIN, place=place, names=tuple(names))
