"""A chosen service as Entries: what each kind of file says, asked in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.importing.cluster import OF_CLUSTERS, cluster, leftovers
from generator.importing.container import container
from generator.importing.entries import Entry, Left
from generator.importing.lines import SECTIONS
from generator.importing.models import models
from generator.importing.module import module
from generator.importing.unit import directives, restarts
from generator.importing.variables import bounds, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.importing.choose import Chosen
    from generator.view import View


def entries_of(chosen: Chosen, facts: Facts) -> Iterator[Entry | Left]:
    """Yield what becomes of each setting of a service, of which secrets are apart already."""
    found = [*_entries_of(chosen, facts)]
    in_cluster = chosen.view.container is not None and chosen.view.phrases.kind in OF_CLUSTERS
    if in_cluster:
        found += cluster(chosen.view, chosen.texts)
    yield from found
    if in_cluster:
        yield from leftovers(chosen.view, found, chosen.texts)


def _entries_of(chosen: Chosen, facts: Facts) -> Iterator[Entry | Left]:
    view = chosen.view
    yield from _release(chosen)
    yield from variables(view, facts)
    yield from bounds(view)
    yield from container(view, facts)
    if view.phrases.kind == "nixos" and view.container is None:
        yield from module(view)
    elif view.phrases.headers and view.container is None:
        yield from directives(view, facts)
    elif view.phrases.kind == "quadlet":
        yield from restarts(view)
    yield from _unread(view)
    if view.phrases.kind == "systemd":
        yield from _nowhere(view)
    yield from models((view, *chosen.jobs, *chosen.modelfiles), facts)


def _unread(view: View) -> Iterator[Left]:
    """Yield what whoever reads the file drops, because it cannot read it."""
    for line in view.unread:
        if line.name:
            yield Left(
                name=line.name,
                value=line.value,
                place=line.place,
                reason="it cannot be read as it stands, and has no effect",
                fix="write what is meant into the profile",
                idle=True,
            )


def _nowhere(view: View) -> Iterator[Left]:
    """Yield what stands in a section that nobody reads."""
    for line in view.lines:
        if line.name and line.section and line.section not in SECTIONS:
            reason = f"nobody reads a section [{line.section}], so that it has no effect"
            yield Left(name=line.name, value=line.value, place=line.place, reason=reason, idle=True)


def _release(chosen: Chosen) -> Iterator[Entry]:
    view = chosen.view
    if view.release_told:
        yield Entry(
            key=f"{view.engine}.version", value=str(view.release), name="release", place=view.place
        )
