"""Ingresses and routes of Traefik as proxies before a server, also one that is in other files.

Source: kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations; its
internal/ingress/annotations/auth/main.go, which denies a location whose secret is not named, and
proxy/main.go there, which takes the default where a number has a unit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.around import Hop, Said, Words
from generator.readers.base import image_name
from generator.readers.helm.read import AUTHENTICATES
from generator.readers.proxies import is_api
from generator.readers.syntax.traefik import hosts_of, may_ask
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.units import whole
from generator.view import INGRESS, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context

_NOTE: Final = "nginx.ingress.kubernetes.io/"
_NGINX: Final = re.compile(rf"(?:^|\s)(?:nginx|ingress-nginx)\b|{re.escape(_NOTE)}")
_UNIT: Final = re.compile(r"\d{1,9} ?[a-z]{1,3}")
_SIZE: Final = re.compile(r"(\d{1,12})([kKmMgG]?)")
_SIZES: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}
_WORDS: Final = Words(
    program="ingress-nginx",
    wait=f'`{_NOTE}proxy-read-timeout: "1800"`',
    stream=f'`{_NOTE}proxy-buffering: "off"`',
    body=f'`{_NOTE}proxy-body-size: "64m"`',
    authenticate=f"`{_NOTE}auth-type` and `auth-secret`",
)
_PLAIN: Final = Words(program="the ingress")


def fronts(tables: Sequence[Table], context: Context) -> Iterator[tuple[Table, tuple[Hop, ...]]]:
    """Yield the resources that lead requests to a Service of an engine, and how."""
    others = _of_others(tables, context)
    for table in tables:
        kind = table.text("kind")
        if kind == "Ingress" and (hop := _ingress(table, context, others)):
            yield table, (hop,)
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


def _ingress(table: Table, context: Context, others: frozenset[str]) -> Hop | None:
    rules = [one for one in table.items("spec", "rules") if isinstance(one, Table)]
    led = [
        rule
        for rule in rules
        if any(is_api(a, context) and a.partition(":")[0] not in others for a in _addresses(rule))
    ]
    if not led:
        return None
    notes = table.table("metadata", "annotations")
    chosen = f"{table.text('spec', 'ingressClassName')} {' '.join(notes.entries)}"
    place = Place(led[0].place.file, led[0].place.line, "rules")
    nginx = _NGINX.search(f"{chosen} {notes.text('kubernetes.io/ingress.class')}") is not None
    return Hop(
        words=_WORDS if nginx else _PLAIN,
        place=place,
        answer=_time(notes, place) if nginx else None,
        held=_held(notes) if nginx else None,
        body=_body(notes, place) if nginx else None,
        names=() if AUTHENTICATES.search(chosen) else tuple(map(_name, led)),
        barred=_barred(notes) if nginx else None,
    )


def _name(rule: Table) -> Line:
    host = rule.scalar("host")
    place = host.place if host else rule.place
    told = host.text if host else "$"
    return Line(section=INGRESS, name="host" if host else "host public", value=told, place=place)


def _addresses(rule: Table) -> Iterator[str]:
    for path in rule.items("http", "paths"):
        if isinstance(path, Table):
            service = path.table("backend", "service")
            name = service.text("name") or path.text("backend", "serviceName")
            port = service.text("port", "number") or path.text("backend", "servicePort")
            yield f"{name}:{port}" if port else name


def _note(notes: Table, name: str) -> Scalar | None:
    return notes.scalar(f"{_NOTE}{name}")


def _at(note: Scalar, name: str) -> Place:
    return Place(note.place.file, note.place.line, name)


def _time(notes: Table, place: Place) -> Said | None:
    name = "proxy-read-timeout"
    note = _note(notes, name)
    if note is None:
        return Said(name=name, value=60, place=place, told=False)
    value = whole(note.text)
    if value is None and _UNIT.fullmatch(note.text):
        return Said(name=name, value=60, place=_at(note, name), unread=True)
    return Said(name=name, value=value, place=_at(note, name)) if value else None


def _held(notes: Table) -> Said | None:
    name = "proxy-buffering"
    note = _note(notes, name)
    return Said(name=name, value=1, place=_at(note, name)) if note and note.text == "on" else None


def _body(notes: Table, place: Place) -> Said | None:
    name = "proxy-body-size"
    note = _note(notes, name)
    if note is None:
        return Said(name=name, value=2**20, place=place, told=False)
    found = _SIZE.fullmatch(note.text)
    value = int(found[1]) * _SIZES[found[2].lower()] if found else 0
    return Said(name=name, value=value, place=_at(note, name)) if value else None


def _barred(notes: Table) -> Place | None:
    """Return where authentication is asked for, and nothing says against what."""
    asked = _note(notes, "auth-type")
    return _at(asked, "auth-type") if asked and not _note(notes, "auth-secret") else None


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
            yield Hop(words=_PLAIN, place=place, names=tuple(names))
