"""Services that are for a server, and select none of the pods at hand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import STRAY, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.kubernetes.pods import Pod

_OPEN: Final = re.compile(r"[${]")


def stray_services(tables: Sequence[Table], pods: Sequence[Pod], engine: Engine) -> Iterator[Line]:
    """Yield the Services that are for the engine, and whose labels no pod of the files has."""
    labels = [_texts(pod.pod.table("metadata", "labels")) for pod in pods]
    if any(_OPEN.search(text) for own in labels for text in own.values()):
        return
    selected = {id(service) for pod in pods for service in pod.services}
    for table in tables:
        selector = table.table("spec", "selector")
        wanted = _texts(selector)
        is_one = table.text("kind") == "Service" and wanted and _is_for(table, engine)
        if is_one and id(table) not in selected and not any(map(_OPEN.search, wanted.values())):
            told = ", ".join(f"{key}: {value}" for key, value in wanted.items())
            place = next(node.place for node in selector.entries.values())
            yield Line(section=STRAY, name=table.text("metadata", "name"), value=told, place=place)


def _texts(table: Table) -> dict[str, str]:
    return {key: node.text for key, node in table.entries.items() if isinstance(node, Scalar)}


def _is_for(service: Table, engine: Engine) -> bool:
    """Whether a Service is for the server: by its name, or by the port of the engine."""
    ports = [one for one in service.items("spec", "ports") if isinstance(one, Table)]
    numbers = {one.text(key) for one in ports for key in ("port", "targetPort")}
    named = service.text("metadata", "name") == engine.name
    return named or str(engine.nixos_address[1]) in numbers
