"""Sockets of systemd: it listens at their addresses, and starts a service with the connection."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from generator.readers.base import each
from generator.readers.syntax import unit
from generator.readers.systemd import SOCKET, UNIT
from generator.view import SOCKET as LISTENS
from generator.view import Line, Place, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context, Source


def is_socket(source: Source) -> bool:
    """Return whether a file is a socket."""
    return PurePosixPath(source.path).suffix == SOCKET


def with_sockets(
    views: Sequence[View], sources: Sequence[Source], context: Context
) -> tuple[View, ...]:
    """Return the Views with what listens in their place; a service that is not at hand has one.

    Raises ProfileError for what is no unit file.
    """
    listening: dict[str, list[Line]] = {}
    for found in each(sources, _listens):
        for service, line in found:
            listening.setdefault(service, []).append(line)
    known = {view.name for view in views}
    own = f"{context.engine.name}.service"
    more = [_alone(own, listening[own], context)] if own in listening and own not in known else []
    return (
        *(replace(v, lines=(*v.lines, *listening.get(v.name, ()))) for v in views),
        *more,
    )


def _listens(source: Source) -> list[tuple[str, Line]]:
    found = unit.parse(source)
    told = {a.key: a.value for a in found if a.section == "Socket"}
    service = told.get("Service") or f"{PurePosixPath(source.path).stem}.service"
    return [(service, line) for line in _addresses(found)]


def _addresses(found: Sequence[unit.Assignment]) -> Iterator[Line]:
    for one in unit.named(found, "ListenStream", "Socket"):
        yield Line(section=LISTENS, name=one.key, value=one.value, place=one.place())


def _alone(name: str, lines: Sequence[Line], context: Context) -> View:
    place = Place(lines[0].place.file)
    return context.view(
        UNIT, context.release_for(), name=name, place=place, lines=tuple(lines), adds=True
    )
