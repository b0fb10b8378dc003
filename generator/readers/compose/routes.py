"""Names under which a proxy leads to a service, as its labels say: Traefik's and Caddy's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.traefik import below, host_of, may_ask, may_change
from generator.readers.syntax.yaml_tree import Items, Scalar, Table
from generator.view import BENEATH, INGRESS, Asked, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

_RULE: Final = re.compile(r"traefik\.http\.routers\.([^.]+)\.rule")
_OF_TCP: Final = re.compile(r"traefik\.tcp\.routers\.([^.]+)\.rule")
_PORT: Final = re.compile(r"traefik\.http\.services\.[^.]+\.loadbalancer\.server\.port")
_EVERYBODY: Final = "HostSNI(`*`)"
_MIDDLEWARE: Final = re.compile(r"traefik\.http\.middlewares\.([^.]+)\.([^.]+).*")
_ASKS: Final = re.compile(r"caddy\..*(?:auth|remote_ip|client_ip)", re.IGNORECASE)


def routes(service: Table) -> Iterator[Line]:
    """Yield the names under which a proxy leads to a service, where nothing says who may come.

    A router of TCP can ask nobody. A certificate of an authority says that a name is public,
    whoever fills it in.
    """
    labels = {**_labels(service.table("deploy")), **_labels(service)}
    off = labels.get("traefik.enable")
    if off is None or off.text.lower() != "false":
        kinds = _kinds(labels)
        for name, label in labels.items():
            if router := _RULE.fullmatch(name):
                yield from _routed(router[0].removesuffix(".rule"), label, labels, kinds)
            if _OF_TCP.fullmatch(name) and (label.written or label.text) == _EVERYBODY:
                yield Line(section=INGRESS, name="tcp public", value="$", place=label.place)
    yield from _of_variables(service.table("environment"))
    caddy = labels.get("caddy")
    if caddy is not None and not any(_ASKS.match(name) for name in labels):
        host = caddy.text.removeprefix("https://")
        yield Line(section=INGRESS, name="caddy", value=host or "$", place=caddy.place)


def _of_variables(given: Table) -> Iterator[Line]:
    """Yield the name by which nginx-proxy leads to a service: it looks for it in variables."""
    host = given.scalar("VIRTUAL_HOST")
    if host is not None and (host.written or host.text):
        public = " public" if given.scalar("LETSENCRYPT_HOST") is not None else ""
        told = host.text or host.written
        yield Line(section=INGRESS, name=f"nginx-proxy{public}", value=told, place=host.place)


def asked_by_proxy(service: Table) -> Iterator[Asked]:
    """Yield the port at which Traefik asks, where the labels have one service that names it."""
    labels = {**_labels(service.table("deploy")), **_labels(service)}
    ports = [label for name, label in labels.items() if _PORT.fullmatch(name.lower())]
    off = labels.get("traefik.enable")
    if len(ports) == 1 and (off is None or off.text.lower() != "false"):
        yield Asked(by="Traefik", port=ports[0].text.strip("\"' "), place=ports[0].place)


def beneath(service: Table) -> Iterator[Line]:
    """Yield the paths below which Traefik leads to a service, and that it hands on as they are."""
    labels = {**_labels(service.table("deploy")), **_labels(service)}
    off = labels.get("traefik.enable")
    every = (kind for kinds in _kinds(labels).values() for kind in kinds)
    change = next(filter(may_change, every), None)
    for name, label in labels.items() if off is None or off.text.lower() != "false" else ():
        if router := _RULE.fullmatch(name):
            used = labels.get(f"{router[0].removesuffix('.rule')}.middlewares")
            path = below(label.written or label.text, used.text.split(",") if used else ())
            if path and not (used and change):
                yield Line(section=BENEATH, name="Traefik", value=path, place=label.place)


def _routed(
    router: str, rule: Scalar, labels: dict[str, Scalar], kinds: dict[str, list[str]]
) -> Iterator[Line]:
    host = host_of(rule.written or rule.text)
    used = labels.get(f"{router}.middlewares")
    if not host or (used and any(may_ask(one.strip(), kinds) for one in used.text.split(","))):
        return
    public = " public" if host == "$" or f"{router}.tls.certresolver" in labels else ""
    yield Line(section=INGRESS, name=f"traefik{public}", value=host, place=rule.place)


def _kinds(labels: dict[str, Scalar]) -> dict[str, list[str]]:
    """Return what the middlewares do that labels make, by their names."""
    known: dict[str, list[str]] = {}
    for found in map(_MIDDLEWARE.fullmatch, labels):
        if found:
            known.setdefault(found[1], []).append(found[2])
    return known


def _labels(table: Table) -> dict[str, Scalar]:
    """Return labels, a mapping or a list of `NAME=VALUE`."""
    node = table.get("labels")
    found: dict[str, Scalar] = {}
    if isinstance(node, Table):
        found = {n: one for n, one in node.entries.items() if isinstance(one, Scalar)}
    for item in node.items if isinstance(node, Items) else ():
        if isinstance(item, Scalar) and "=" in (text := item.written or item.text):
            name, _, value = text.strip("\"'").partition("=")
            found[name] = Scalar(value, item.place)
    return found
