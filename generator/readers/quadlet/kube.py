"""Quadlets of pods by a manifest, `.kube`: the servers of the YAML that they name.

Podman plays the manifest, and publishes the ports that the unit says.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from generator.errors import Problem, ProfileError
from generator.readers import load_reader
from generator.readers.base import NeedsMore, PartlyRead, Source
from generator.readers.beside import installed
from generator.readers.embedded import with_gaps
from generator.readers.quadlet import QUADLET
from generator.readers.syntax import unit
from generator.view import Key, NotJudged, Place, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.readers.base import Context
    from generator.readers.syntax.unit import Assignment

_SECTION: Final = "Kube"
_QUOTE: Final = "\"'"


@dataclass(slots=True)
class Played:
    """What such units run: the servers, what is not at hand, and what is no manifest at all."""

    views: list[View] = field(default_factory=list)
    gaps: list[NotJudged] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)
    at_hand: bool = False


def kubes(sources: Sequence[Source], context: Context) -> Played:
    """Return what the units run. Raises ProfileError as `unit.parse`."""
    played = Played()
    for source in sources:
        told = unit.in_force(unit.parse(source))
        files, lost = _files(source, told, context)
        played.gaps += lost
        played.at_hand = played.at_hand or bool(files)
        found = _servers(files, context, played) if files else ()
        played.views += (_published(view, told) for view in found)
        played.views += [_unit(source, told, context)] if found else []
    return played


def _unit(source: Source, told: Sequence[Assignment], context: Context) -> View:
    """Return what the unit itself says, for its keys: it is Podman that refuses one."""
    return context.view(
        QUADLET,
        context.release_for(),
        name=posixpath.basename(source.path),
        place=Place(source.path),
        keys=tuple(
            Key(path=(a.section, a.key), place=a.place(), value=a.value) for a in told if a.key
        ),
    )


def with_played(views: Sequence[View], played: Played, *, alone: bool) -> tuple[View, ...]:
    """Return the servers of containers and those of manifests. `alone`: there are no containers.

    Raises ProfileError for what is no manifest, or where none of them is at hand.
    """
    every = with_gaps((*views, *played.views), played.gaps)
    if played.faults:
        raise PartlyRead(played.faults[0].source, tuple(played.faults), every)
    if alone and not played.at_hand and played.gaps:
        gap = played.gaps[0]
        raise NeedsMore(gap.file, (Problem(gap.part, gap.reason, gap.hint, gap.file),))
    return every


def _files(
    source: Source, told: Sequence[Assignment], context: Context
) -> tuple[list[Source], list[NotJudged]]:
    """Return the manifests of a unit, and those that are not at hand."""
    files: list[Source] = []
    gaps: list[NotJudged] = []
    named = unit.named(told, "Yaml", _SECTION)
    for assignment in (*named, *unit.named(told, "ConfigMap", _SECTION)):
        found = _at(assignment.value.strip(_QUOTE), source.path, context)
        files += [found] if found else []
        gaps += [] if found else [_lost(assignment)]
    if not named:
        reason, hint = "it names no manifest", "write `Yaml=` with the path of one"
        gaps.append(NotJudged(file=source.path, reason=reason, hint=hint))
    return files, gaps


def _at(path: str, by: str, context: Context) -> Source | None:
    if path.startswith("/"):
        return installed(path, by, context)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(by), path))
    text = context.read(path)
    return None if text is None else Source(path, text)


def _lost(assignment: Assignment) -> NotJudged:
    return NotJudged(
        file=assignment.file,
        part=f"`{assignment.key}={assignment.value}`",
        line=assignment.line,
        reason="the manifest is not at hand",
        hint="check it where it is, together with this file",
    )


def _servers(files: Sequence[Source], context: Context, played: Played) -> Sequence[View]:
    """Return the servers of the manifests of a unit; what is wrong with them is added."""
    try:
        return load_reader("kubernetes")(files, replace(context, fellows=()))
    except ProfileError as error:
        told = [replace(one, source=one.source or error.source) for one in error.problems]
        if isinstance(error, NeedsMore):
            played.at_hand = False
            played.gaps += (
                NotJudged(file=one.source, reason=one.message, hint=one.hint) for one in told
            )
        else:
            played.faults += told
        return error.views if isinstance(error, PartlyRead) else ()


def _published(view: View, told: Sequence[Assignment]) -> View:
    """Return a server with the ports and the network that the unit gives its pod."""
    box = view.container
    if box is None:
        return view
    networks = (a for a in unit.named(told, "Network", _SECTION) if a.value == "host")
    network = next((assignment.place() for assignment in networks), None)
    named = unit.named(told, "PublishPort", _SECTION)
    ports = tuple((port.value.strip(_QUOTE), port.place()) for port in named)
    mapped = {_inside(text) for text, _ in ports}
    # Podman takes the unit's word for a port of which the manifest has one as well.
    own = tuple(port for port in box.ports if _inside(port[0]) not in mapped)
    box = replace(box, ports=(*ports, *own), host_network=box.host_network or network)
    return replace(view, container=box)


def _inside(port: str) -> str:
    return port.rpartition(":")[2].partition("/")[0]
