"""Whether a file is a stack of a swarm, which `docker stack deploy` reads in a way of its own."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.compose import BASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.readers.base import Context
    from generator.readers.compose.project import Project
    from generator.readers.syntax.yaml_tree import Table

_SPEAKS: Final = re.compile(
    r"(?i)readme.*|.*\.(?:md|sh|bash|mk|just|ya?ml)|(?:gnu)?makefile|justfile"
)
_DEPLOYS: Final = re.compile(
    r"\bdocker[ \t]+stack[ \t]+(?:deploy|up)\b((?:[^\n\\`]|\\\n|\\.){0,400})"
)
_UP: Final = re.compile(
    r"\b(?:docker|podman)[ \t-]compose\b((?:[^\n\\`]|\\\n|\\.){0,400}?)\b(?:up|start|run|create)\b"
)
_NAMED: Final = re.compile(r"(?:-c|-f|--compose-file|--file)[ \t=]*[\"']?([\w./-]+)")
_OF_SWARM: Final = frozenset({"global", "replicated-job", "global-job"})
_OF_COMPOSE: Final = frozenset({"name", "include", "profiles", "build", "develop", "extends"})
"""Keys of which people who run a file by Compose have a use."""
_MOST: Final = 40
_LONGEST: Final = 200_000


def is_stack(project: Project, file: str, context: Context) -> bool:
    """Return whether a project is surely a stack: a text beside it says so, or its own keys do.

    One that Compose is told to start as well, is none.
    """
    texts = [*texts_near(file, context)]
    spoken = (text for text in texts if "stack" in text)
    deployed = (found[1] for text in spoken for found in _DEPLOYS.finditer(text))
    if not (any(_is_meant(told, file) for told in deployed) or _has_keys_of_swarm(project)):
        return False
    started = (found[1] for text in texts for found in _UP.finditer(text))
    return not any(_is_meant(told, file, usual=True) for told in started)


def without_ignored(project: Project, facts: Facts) -> Project:
    """Return a project without what a stack passes over: it is as if that were not there."""
    ignored = facts.accepted("stack").ignored(("services", "x"))
    services = {
        name: replace(one, entries={k: v for k, v in one.entries.items() if k not in ignored})
        for name, one in project.services.items()
    }
    return replace(project, services=services)


def _has_keys_of_swarm(project: Project) -> bool:
    services = project.services.values()
    of_compose = project.top.entries.keys() & _OF_COMPOSE
    of_compose |= {key for one in services for key in one.entries.keys() & _OF_COMPOSE}
    return not of_compose and any(map(_is_of_swarm, services))


def _is_of_swarm(service: Table) -> bool:
    """Whether a service says on which nodes of a swarm it runs, which nobody else reads."""
    placed = service.table("deploy").table("placement").entries
    return bool(placed) or service.text("deploy", "mode") in _OF_SWARM


def texts_near(file: str, context: Context) -> Iterator[str]:
    """Yield what is said in a file, beside it, and in the folder above."""
    folder = posixpath.dirname(file)
    above = posixpath.normpath(posixpath.join(folder, "..", "x"))
    near = dict.fromkeys((file, *context.listed(file), *context.listed(above)))
    spoken = [path for path in near if _SPEAKS.fullmatch(posixpath.basename(path))]
    for path in spoken[:_MOST]:
        if text := context.glance(path):
            yield text[:_LONGEST]


def _is_meant(words: str, file: str, *, usual: bool = False) -> bool:
    """Whether a command names a file, or one that is `usual` names none at all."""
    name = posixpath.basename(file)
    named = {posixpath.basename(one) for one in _NAMED.findall(words)}
    return name in named or (usual and not named and name in BASES)
