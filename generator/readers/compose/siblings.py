"""The project of a server in the folder beside that of its clients."""

from __future__ import annotations

import contextlib
import posixpath
from typing import TYPE_CHECKING, Final

from generator.errors import ProfileError
from generator.readers.base import Source, image_name
from generator.readers.compose import BASES
from generator.readers.compose.container import ports_of
from generator.readers.compose.project import Loader, Project, joined, load_project
from generator.readers.syntax.yaml_tree import Items, Scalar, Table
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context

HOST: Final = "host"
"""The network of a service that has that of the host."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server of another project: its file, its names, its networks, and what it publishes."""

    file: str
    names: frozenset[str]
    networks: frozenset[str]
    ports: tuple[str, ...]


def beside(place: str, context: Context) -> Server | None:
    """Return the one server of the project in the folder beside, which has the engine's name."""
    name = context.engine.name
    for file in BASES:
        path = joined(place, f"../{name}/{file}")
        text = context.glance(path) if path != posixpath.normpath(place) else None
        if text is not None:
            with contextlib.suppress(ProfileError):
                project = load_project([Source(path, text)], Loader(context.glance))
                return _server(project, path, context)
            return None
    return None


def _server(project: Project, path: str, context: Context) -> Server | None:
    every = [(n, one) for n, one in project.services.items() if _serves(n, one, context)]
    if len(every) != 1 or "include" in project.top.entries:
        return None
    (name, service), *_ = every
    return Server(
        file=path,
        names=frozenset(names_of(name, service)),
        networks=networks_of(project, service, path),
        ports=tuple(text for text, _ in ports_of(name, service)),
    )


def _serves(name: str, service: Table, context: Context) -> bool:
    image = image_name(service.text("image")).repository
    return context.engine.is_image(image) or (name == context.engine.name and not image)


def names_of(name: str, service: Table) -> Iterator[str]:
    """Yield the names by which others in its networks reach a service."""
    yield name
    yield from filter(None, (service.text("container_name"), service.text("hostname")))
    for network in service.table("networks").entries.values():
        for node in network.items("aliases") if isinstance(network, Table) else ():
            if isinstance(node, Scalar):
                yield node.text


def networks_of(project: Project, service: Table, path: str) -> frozenset[str]:
    """Return the networks of a service by the names that Docker has for them; `?`: one is open."""
    mode = service.text("network_mode")
    if mode:
        return frozenset({HOST if mode == "host" else "?"})
    node, declared = service.get("networks"), project.top.table("networks")
    if isinstance(node, Items):
        used = [one.text for one in node.items if isinstance(one, Scalar)]
    else:
        used = [*service.table("networks").entries]
    return frozenset(_real(one, declared.table(one), project, path) for one in used or ["default"])


def _real(name: str, told: Table, project: Project, path: str) -> str:
    own = told.scalar("name")
    if own is not None:
        return own.text if own.explicit else "?"
    external = told.get("external")
    if external is not None and told.text("external") != "false":
        return told.text("external", "name") or name
    return f"{_project_name(project, path)}_{name}"


def _project_name(project: Project, path: str) -> str:
    """Return what Compose calls a project: what it says itself, or the folder."""
    folder = posixpath.basename(posixpath.dirname(path))
    kept = "".join(c for c in folder.lower() if c.isalnum() or c in "-_")
    return project.top.text("name") or kept.lstrip("-_") or "?"
