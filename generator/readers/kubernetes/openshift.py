"""Routes of OpenShift: names under which its router leads to a Service.

Source: docs.openshift.com: Route configuration, route-specific annotations; the router gives up
after 30 seconds (ROUTER_DEFAULT_SERVER_TIMEOUT) and asks nobody who they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.around import Hop, Said, Words
from generator.readers.ingress import AUTHENTICATES
from generator.view import INGRESS, Line, Place

if TYPE_CHECKING:
    from generator.readers.syntax.yaml_tree import Table

_NOTE: Final = "haproxy.router.openshift.io/timeout"
_WORDS: Final = Words(program="the router of OpenShift", wait=f"the annotation `{_NOTE}: 30m`")
_TIME: Final = re.compile(r"([0-9]{1,9})(us|ms|s|m|h|d)?")
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}
_USUAL: Final = 30


def is_route(table: Table) -> bool:
    """Return whether a resource is a Route of OpenShift, and not one of Knative."""
    return table.text("kind") == "Route" and "openshift" in table.text("apiVersion")


def led_to(table: Table) -> str:
    """Return the Service that a Route leads to; empty: none."""
    target = table.table("spec", "to")
    return target.text("name") if target.text("kind") in {"Service", ""} else ""


def names_of(table: Table) -> tuple[Line, ...]:
    """Return the name under which anybody may come; `$`: one that the cluster makes up."""
    if AUTHENTICATES.search(" ".join(table.table("metadata", "annotations").entries)):
        return ()
    host = table.scalar("spec", "host")
    place = host.place if host else table.table("spec", "to").place_of("name")
    kind = "openshift" if host else "openshift public"
    return (Line(section=INGRESS, name=kind, value=host.text if host else "$", place=place),)


def hop_of(table: Table) -> Hop:
    """Return the way through the router to a Service."""
    place = table.table("spec", "to").place_of("name")
    return Hop(words=_WORDS, place=place, answer=_time(table, place), names=names_of(table))


def _time(table: Table, place: Place) -> Said | None:
    note = table.table("metadata", "annotations").scalar(_NOTE)
    if note is None:
        return Said(name=_NOTE, value=_USUAL, place=place, told=False)
    found = _TIME.fullmatch(note.text)
    at = Place(note.place.file, note.place.line, _NOTE)
    value = int(found[1]) * _SECONDS[found[2] or ""] if found else 0
    return Said(name=_NOTE, value=value, place=at) if value else None
