"""Who may call a service of Cloud Run: `allUsers` opens it for the whole internet."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.grammar import text_of
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import INGRESS, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.syntax.hcl import Block
    from generator.readers.terraform.evaluate import Module
    from generator.view import View

SERVICES: Final = {
    "google_cloud_run_service": "google_cloud_run_service_iam_",
    "google_cloud_run_v2_service": "google_cloud_run_v2_service_iam_",
}
"""Resources that make a service, and how those begin that say who may call it."""
_EVERYBODY: Final = frozenset({"allUsers", "allAuthenticatedUsers"})
_CALLS: Final = frozenset({"roles/run.invoker", "roles/run.admin"})
_OPEN: Final = frozenset({"", "INGRESS_TRAFFIC_ALL", "all"})
_NAMED: Final = "*.run.app"


def opened(block: Block, table: Table, module: Module, views: Sequence[View]) -> list[View]:
    """Return the servers of a service with what lets everybody call it."""
    lines = () if _is_inside(table) else tuple(_open(block, table, module))
    outer = {box.place for box in _asked(table)}
    return [
        replace(view, container=replace(view.container, exposed=lines))
        if view.container and view.place in outer
        else view
        for view in views
    ]


def _is_inside(table: Table) -> bool:
    """Whether only what is in the project's networks reaches the service."""
    annotated = table.text("metadata", "annotations", "run.googleapis.com/ingress")
    told = table.scalar("ingress")
    return annotated not in _OPEN or (told is not None and told.text not in _OPEN)


def _asked(table: Table) -> list[Table]:
    """Return the containers that get requests: of several the one with a port."""
    inner = [one for one in table.items("template") if isinstance(one, Table)]
    specs = [one for top in inner for one in (top, *top.items("spec")) if isinstance(one, Table)]
    boxes = [one for spec in specs for one in spec.items("containers") if isinstance(one, Table)]
    return boxes if len(boxes) == 1 else [box for box in boxes if "ports" in box.entries]


def _open(block: Block, table: Table, module: Module) -> Iterator[Line]:
    asks_nobody = table.scalar("invoker_iam_disabled")
    if asks_nobody is not None and asks_nobody.is_true:
        yield Line(section=INGRESS, name="run", value=_NAMED, place=asks_nobody.place)
    for other in module.blocks:
        if other.kind == "resource" and other.labels[0].startswith(SERVICES[block.labels[0]]):
            told = module.resource(other)
            if told.text("role") in _CALLS and _is_about(other, told, block, table):
                yield from _members(told)


def _is_about(other: Block, told: Table, block: Block, table: Table) -> bool:
    """Whether a grant is for the service, by a reference or by its name."""
    written = text_of(other.body) if other.body else ""
    if re.search(rf"\b{re.escape('.'.join(block.labels[:2]))}(?![\w-])", written):
        return True
    named, name = told.scalar("name") or told.scalar("service"), table.scalar("name")
    both = named is not None and name is not None and named.explicit and name.explicit
    return both and named is not None and name is not None and named.text == name.text


def _members(told: Table) -> Iterator[Line]:
    for key in ("member", "members"):
        for member in told.items(key):
            if isinstance(member, Scalar) and member.text in _EVERYBODY:
                yield Line(section=INGRESS, name="run", value=_NAMED, place=member.place)
