"""systemd services and their drop-ins: the Views of those that run Ollama."""

from __future__ import annotations

from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers import boxes
from generator.readers.base import Source, image_name
from generator.readers.environment.read import environment_file
from generator.readers.syntax import unit
from generator.readers.syntax.options import CLIENTS, run
from generator.readers.syntax.shell import runs_the_server
from generator.readers.systemd.limits import bounds, unread
from generator.readers.systemd.merged import Unit, merged, models, used
from generator.view import Place, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.readers.base import Context
    from generator.readers.syntax.options import Argument, Run
    from generator.view import Reach, Variable

SERVICE: Final = "ollama.service"
_ORDERED: Final = ("After", "Requires", "BindsTo", "PartOf", "Wants")


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each service that runs Ollama; jobs beside it tell which models it has.

    Without any server the jobs are Views of their own. A drop-in that stands alone is one of
    `ollama.service`. Raises ProfileError for what is no unit file.
    """
    units = merged(sources, ".service", SERVICE)
    servers = [one for one in units if _is_server(one)]
    jobs = [one for one in units if one not in servers and any(used(one))]
    if not servers:
        return tuple(_view(job, [job], context, "client") for job in jobs)
    related = {one.name: [one] for one in servers}
    for job in jobs:
        related[_server_of(job, servers)].append(job)
    return tuple(_view(one, related[one.name], context, "server") for one in servers)


def _is_server(one: Unit) -> bool:
    """Whether the service runs the server: by its command, or without one by its name."""
    commands = list(one.commands(["ExecStart"]))
    if any(_serves(command) for command in commands) or _container(one):
        return True
    stem = one.name.rpartition(".")[0].partition("@")[0]
    if commands:
        return stem == "ollama" and one.last("Type") != "oneshot"
    return stem.startswith("ollama")


def _program(command: Sequence[Argument]) -> str:
    return PurePosixPath(command[0].text).name if command else ""


def _serves(command: Sequence[Argument]) -> bool:
    texts = [argument.text for argument in command]
    named = any(PurePosixPath(a).name == "ollama" and b == "serve" for a, b in pairwise(texts))
    return named or any(runs_the_server(text) for text in texts)


def _container(one: Unit) -> Run | None:
    found = (run(command) for command in one.commands(["ExecStart"]))
    return next((r for r in found if r and image_name(r.image.text).is_ollama), None)


def _server_of(job: Unit, servers: Sequence[Unit]) -> str:
    named = " ".join(a.value for key in _ORDERED for a in job.named(key, "Unit")).split()
    return next((one.name for one in servers if one.name in named), servers[0].name)


def _view(one: Unit, related: Sequence[Unit], context: Context, reach: Reach) -> View:
    held = _container(one)
    if held:
        return _boxed(one, held, related, context)
    if any(_program(command) in CLIENTS for command in one.commands(["ExecStart"])):
        reach = "client"
    release, told = context.release_for()
    return View(
        origin="systemd",
        name=one.name,
        place=Place(one.files[0]),
        release=release,
        release_told=told,
        variables=_variables(one, context, reach),
        bounds=bounds(one.assignments, context.host),
        lines=unit.lines(one.assignments),
        unread=(*unread(one.assignments, context.host), *one.unread()),
        host=context.host,
        models=models(related),
    )


def _boxed(one: Unit, held: Run, related: Sequence[Unit], context: Context) -> View:
    """Return the View of a container that a unit runs: the unit's own limits do not reach it."""
    release, told = context.release_for(image_name(held.image.text).release)
    own = _variables(one, context, "client")
    place, restart = held.image.place, one.last("Restart")
    box = boxes.boxed(held.image.text, place, held.options, held.client, restart)
    client = {variable.name: variable.value for variable in own}
    return View(
        origin="systemd",
        name=one.name,
        place=Place(one.files[0]),
        release=release,
        release_told=told,
        variables=(*own, *boxes.variables(held.options, context, client)),
        bounds=boxes.bounds(held.options),
        lines=unit.lines(one.assignments),
        unread=tuple(one.unread()),
        host=context.host,
        models=models(related),
        container=box,
        acceleration=boxes.acceleration(box, held.options),
    )


def _variables(one: Unit, context: Context, reach: Reach) -> tuple[Variable, ...]:
    """Return `Environment=`, then the files, which win, without what `UnsetEnvironment=` names."""
    found: list[Variable] = []
    for assignment in one.named("Environment"):
        found += unit.variables(assignment, one.name, user=one.user, reach=reach)
    for assignment in one.named("EnvironmentFile"):
        path = one.expanded(assignment.value.removeprefix("-")).text
        text = context.read(path) if path.startswith("/") else None
        found += environment_file(Source(path, text), reach) if text is not None else ()
    gone = {word.text for a in one.named("UnsetEnvironment") for word in a.words()}
    return tuple(v for v in found if v.name not in gone and f"{v.name}={v.value}" not in gone)
