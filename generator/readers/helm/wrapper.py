"""The program of a chart that has the engine's chart as a part: what its values make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.clients import client, client_in
from generator.readers.syntax.yaml_tree import Table
from generator.view import Container, Line, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.around import Client
    from generator.readers.base import Context
    from generator.readers.syntax.yaml_tree import Node

_LISTS: Final = ("extraEnvVars", "commonEnvVars")
_OPENS: Final = frozenset({"NodePort", "LoadBalancer"})


def clients_in(values: Node, file: str, context: Context) -> Iterator[Client]:
    """Yield the program that values are for, where keys of its chart tell so."""
    engine = context.engine
    within = values.get(engine.wrapper) if isinstance(values, Table) else None
    values = within or values
    if not isinstance(values, Table) or not engine.wrapper_keys & set(values.entries):
        return
    if name := client_in(f"x/{engine.wrapper}", context):
        service = values.scalar("service", "type")
        opened = service if service is not None and service.text in _OPENS else None
        box = Container(
            image=engine.wrapper,
            place=Place(file),
            tag=values.text("image", "tag"),
            exposed=(
                (Line(section="service", name="", value=opened.text, place=opened.place),)
                if opened
                else ()
            ),
        )
        more = bool(values.items("extraEnvFrom"))
        yield replace(client(name, box, _variables(values)), more_variables=more)


def _variables(values: Table) -> Iterator[Variable]:
    """Yield what the program gets; a secret's value is not told."""
    for key in _LISTS:
        for entry in (one for one in values.items(key) if isinstance(one, Table)):
            name, value = entry.scalar("name"), entry.scalar("value")
            if name is not None:
                place = (value or name).place
                yield Variable(
                    name=name.text,
                    value=value.text if value else "",
                    place=Place(place.file, place.line, f"{key}.{name.text}"),
                    unresolved=value is None or not value.explicit,
                )
