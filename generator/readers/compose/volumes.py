"""The named volumes of a Compose project: how large they are, and what is behind a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.readers.syntax.storage import network, size_option
from generator.readers.syntax.yaml_tree import Table
from generator.view import Volume

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.view import Container


def volumes_of(box: Container, named: Table) -> Iterator[Volume]:
    """Yield what `volumes` at the top of a project tells of those that a container mounts."""
    for text, _ in box.mounts:
        name, *target = text.split(":")
        volume = named.get(name)
        if not target or not isinstance(volume, Table):
            continue
        options = volume.table("driver_opts")
        told = options.scalar("o") or options.scalar("size") or options.scalar("type")
        plain = options.text("size")
        yield Volume(
            target=target[0],
            place=told.place if told else volume.place,
            size=size_option(options.text("o")) or (size_option(f"size={plain}") if plain else 0),
            network=network(options.text("type"), volume.text("driver")),
        )
