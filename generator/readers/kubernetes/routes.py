"""Names under which an Ingress or a route leads to a Service: of a gateway, Traefik, OpenShift."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.ingress import AUTHENTICATES, named_by
from generator.readers.kubernetes.openshift import is_route, led_to, names_of
from generator.readers.syntax.traefik import host_of
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import INGRESS, Line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    Services = Collection[tuple[str, str]]

_ROUTES: Final = ("HTTPRoute", "IngressRoute")
LEADING: Final = (*_ROUTES, "Ingress", "Route")
"""Kinds of the resources that lead to a Service."""
_OUTSIDE: Final = re.compile(r"\b(?:external|public|internet|wan|cloudflared?)\b", re.IGNORECASE)


def routes(tables: Sequence[Table], services: Services) -> Iterator[Line]:
    """Yield the names under which something without authentication leads to one of `services`.

    Those are pairs of a name and a namespace.
    """
    for table in tables:
        if table.text("kind") in _ROUTES:
            yield from _route(table, services)
    for table in tables:
        if table.text("kind") == "Ingress":
            yield from _ingress(table, services)
        elif is_route(table) and (led_to(table), table.text("metadata", "namespace")) in services:
            yield from names_of(table)


def _ingress(table: Table, services: Services) -> Iterator[Line]:
    kind = table.text("spec", "ingressClassName")
    if AUTHENTICATES.search(f"{_notes(table)} {kind}"):
        return
    space = table.text("metadata", "namespace")
    for rule in table.items("spec", "rules"):
        host = rule.scalar("host") if isinstance(rule, Table) else None
        led = _led_to(rule) if isinstance(rule, Table) else set()
        if host and any((name, space) in services for name in led):
            name = named_by(kind, "\n".join(table.table("metadata", "annotations").entries))
            yield Line(section=INGRESS, name=name, value=host.text, place=host.place)


def _route(table: Table, services: Services) -> Iterator[Line]:
    spec, space = table.table("spec"), table.text("metadata", "namespace")
    parents = [p for p in spec.items("parentRefs") if isinstance(p, Table)]
    named = " ".join(f"{p.text('name')} {p.text('sectionName')}" for p in parents)
    rules = [r for r in (*spec.items("rules"), *spec.items("routes")) if isinstance(r, Table)]
    led = {(name, space) for rule in rules for name in _backends(rule)}
    if AUTHENTICATES.search(f"{_notes(table)} {named}") or not led & set(services):
        return
    public = " public" if _OUTSIDE.search(named) else ""
    for host in (h for h in spec.items("hostnames") if isinstance(h, Scalar)):
        yield Line(section=INGRESS, name=f"route{public}", value=host.text, place=host.place)
    for rule in rules:
        match = rule.scalar("match")
        name = host_of(match.text) if match else ""
        if match and name and "middlewares" not in rule.entries:
            yield Line(section=INGRESS, name="traefik", value=name, place=match.place)


def _notes(table: Table) -> str:
    return " ".join(table.table("metadata", "annotations").entries)


def _backends(rule: Table) -> set[str]:
    """Return the services that a rule of a route leads to; none where a filter may ask."""
    filters = [f for f in rule.items("filters") if isinstance(f, Table)]
    if any(f.text("type") == "ExtensionRef" for f in filters):
        return set()
    refs = (*rule.items("backendRefs"), *rule.items("services"))
    return {ref.text("name") for ref in refs if isinstance(ref, Table)}


def _led_to(rule: Table) -> set[str]:
    """Return the services that the paths of a rule lead to."""
    paths = [path for path in rule.items("http", "paths") if isinstance(path, Table)]
    new = {path.text("backend", "service", "name") for path in paths}
    return new | {path.text("backend", "serviceName") for path in paths}
