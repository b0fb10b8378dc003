"""Services that others of a project depend on, and that are not there when it starts.

Compose looks at this once it has left out what is behind a profile that is not on: WithProfiles and
checkConsistency in loader/loader.go (compose-spec/compose-go).
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.compose import BASES
from generator.readers.compose.project import joined
from generator.readers.compose.stack import texts_near
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import GATED, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.readers.base import Context
    from generator.readers.compose.project import Project
    from generator.view import Place

_FILE: Final = re.compile(r"(?i).*compose.*\.ya?ml")
_TOLD: Final = re.compile(r"(?m)--profile[ \t=]|^[ \t]*(?:export[ \t]+)?COMPOSE_PROFILES=")
_MOST: Final = 20


def needed(service: Table) -> Iterator[tuple[str, Place]]:
    """Yield the services without which one does not start, and where it says so."""
    for node in service.items("depends_on"):
        if isinstance(node, Scalar):
            yield node.text, node.place
    table = service.table("depends_on")
    for name, how in table.entries.items():
        if not isinstance(how, Table) or how.text("required") != "false":
            yield name, table.place_of(name)


def gated(
    project: Project, profiles: Mapping[str, set[str]], file: str, context: Context
) -> Iterator[Line]:
    """Yield the services behind a profile that others need which have none of its names.

    Whoever speaks of profiles beside the file may always turn one on.
    """
    found = [
        Line(
            section=GATED, name=name, value=f"{other} {' '.join(sorted(profiles[other]))}", place=at
        )
        for name, service in project.services.items()
        for other, at in needed(service)
        if profiles.get(other) and not profiles[name] & profiles[other]
    ]
    beside = context.read(joined(file, ".env")) or "" if found else ""
    if found and not any(_TOLD.search(text) for text in (beside, *texts_near(file, context))):
        yield from found


def undefined(project: Project, file: str, context: Context) -> Iterator[tuple[str, str, Place]]:
    """Yield who depends on a service that nobody defines, it, and the place.

    Said of a file that Compose reads by itself, beside none that may define it.
    """
    whole = posixpath.basename(file) in BASES and context.order is None
    loose = [
        (name, other, at)
        for name, service in (project.services.items() if whole else ())
        for other, at in needed(service)
        if other not in project.services and "$" not in other
    ]
    if not loose or "include" in project.top.entries:
        return
    beside = [path for path in context.listed(file) if _FILE.fullmatch(path) and path != file]
    texts = [context.glance(path) or "" for path in beside[:_MOST]]
    for name, other, at in loose:
        key = re.compile(rf"(?m)^[ \t]+[\"']?{re.escape(other)}[\"']?[ \t]*:")
        if not any(key.search(text) for text in texts):
            yield name, other, at
