"""systemd services and their drop-ins: the Views of those that run an engine."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.catalogue.records import Taken
from generator.catalogue.taken import is_ignored
from generator.readers.base import Context, Source
from generator.readers.beside import installed, missing, scripts_near
from generator.readers.clients import clients_alone, with_clients
from generator.readers.given import given
from generator.readers.layers import Said, overruled, said
from generator.readers.syntax import unit
from generator.readers.syntax.options import CLIENTS, Argument, Run, run
from generator.readers.syntax.placed import is_put_elsewhere, misplaced
from generator.readers.syntax.shell import only_asks, runs_the_server
from generator.readers.systemd import RUN, UNIT, install_root
from generator.readers.systemd.limits import SINGLE, START_LIMITS, bounds, unread
from generator.readers.systemd.merged import COMMANDS, Unit, manager_of, merged, models, used
from generator.readers.systemd.mounts import mounts
from generator.readers.systemd.sockets import is_socket, with_sockets
from generator.readers.systemd.users import homeless, kept_by_root
from generator.records import dataclass
from generator.units import is_unit_name
from generator.view import Command, NotJudged, Place, Reach, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.around import Client
    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Context, Source
    from generator.readers.syntax.unit import Assignment
    from generator.view import Line

_BRACED: Final = re.compile(r"(?<!\$)\$\{(\w+)\}", re.ASCII)
_ORDERED: Final = ("After", "Requires", "BindsTo", "PartOf", "Wants")


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each service that runs the engine; jobs beside it tell which models it has.

    Without any server the jobs are Views of their own. A drop-in that stands alone is one of the
    engine's own service. Raises ProfileError for what is no unit file.
    """
    sockets = [source for source in sources if is_socket(source)]
    services = [source for source in sources if not is_socket(source)]
    return with_sockets(_services(services, context), sockets, context)


def _services(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    units = merged(sources, ".service", f"{context.engine.name}.service")
    engine = context.engine
    servers = [one for one in units if _is_server(one, engine)]
    others = [one for one in units if one not in servers]
    jobs = [one for one in others if any(used(one, engine)) or _is_job(one, engine)]
    programs = [client for one in others for client in _clients(one, context)]
    astray = tuple(_astray(one, context) for one in others if one not in jobs)
    astray = tuple(view for view in astray if view.lines)
    if not servers:
        found = tuple(_view(job, [job], context, "client") for job in jobs)
        alone = found or tuple(
            clients_alone([client], UNIT, context, Place(client.container.place.file))
            for client in programs
        )
        return (*alone, *astray)
    related = {one.name: [one] for one in servers}
    for job in jobs:
        named = " ".join(a.value for key in _ORDERED for a in job.named(key, "Unit")).split()
        server = next((one.name for one in servers if one.name in named), servers[0].name)
        related[server].append(job)
    views = tuple(_view(one, related[one.name], context, "server") for one in servers)
    return (*with_clients(views, programs), *astray)


def _astray(one: Unit, context: Context) -> View:
    """Return the View of a unit of others, with what it wants of the server at no name of a unit.

    It says nothing else: what such a unit runs is not judged.
    """
    named = (a for key in _ORDERED for a in one.named(key, "Unit") if context.engine.verbs)
    ours = re.compile(rf"(?<![\w.-]){context.engine.name}(?:\.|,|$)")
    wrong = [
        a for a in named if any(ours.search(w) and not is_unit_name(w) for w in a.value.split())
    ]
    place = Place(one.files[0])
    return context.view(
        UNIT,
        context.release_for(),
        name=one.name,
        place=place,
        lines=(*unit.lines(wrong),),
        adds=True,
    )


def _clients(one: Unit, context: Context) -> Iterator[Client]:
    """Yield the programs that a unit runs in a container, and that ask servers."""
    commands = one.commands(["ExecStart"]) if context.engine.verbs else ()
    for words in filter(_runs_a_container, commands):
        from generator.readers.commands.containers import asking  # Most units run none.

        if client := asking(words, context):
            yield client


def _runs_a_container(words: Sequence[Argument]) -> bool:
    return any(PurePosixPath(word.text).name.lstrip("@-") in CLIENTS for word in words)


def _is_server(one: Unit, engine: Engine) -> bool:
    """Whether the service runs the server: by its command, or without one by its name."""
    commands = list(one.commands(["ExecStart"]))
    if any(_serves(command, engine) for command in commands) or _container(one, engine):
        return True
    stem = one.name.rpartition(".")[0].partition("@")[0]
    if commands:
        return stem == engine.name and one.last("Type") != "oneshot"
    return stem.startswith(engine.name)


def _is_job(one: Unit, engine: Engine) -> bool:
    """Whether a unit runs once, and only for a server that another file starts."""
    commands = [[word.text for word in words] for words in one.commands(["ExecStart"])]
    names_it = any(engine.name in word for words in commands for word in words)
    once = one.last("Type") == "oneshot" and names_it
    return once and all(only_asks(words, engine) for words in commands)


def _serves(command: Sequence[Argument], engine: Engine) -> bool:
    texts = [argument.text for argument in command]
    return engine.starts(texts) > 0 or any(runs_the_server(text, engine) for text in texts)


def _container(one: Unit, engine: Engine) -> Run | None:
    known = _known(one)
    filled = ([_put_in(a, known) for a in words] for words in one.commands(["ExecStart"]))
    found = [held for held in map(run, filled) if held]
    if not found:
        return None
    from generator.readers.commands.containers import is_a_server  # Most units run none.

    return next((held for held in found if is_a_server(held, engine)), None)


def _known(one: Unit) -> dict[str, str]:
    """Return the variables that commands get of `Environment=`: none that a file may set anew."""
    if one.named("EnvironmentFile") or one.named("UnsetEnvironment"):
        return {}
    given_ = {v.name: v for a in one.named("Environment") for v in unit.variables(a, one.name)}
    return {name: v.value for name, v in given_.items() if not v.unresolved}


def _put_in(argument: Argument, known: Mapping[str, str]) -> Argument:
    text = _BRACED.sub(lambda found: known.get(found[1], found[0]), argument.text)
    return argument if text == argument.text else replace(argument, text=text)


def _view(one: Unit, related: Sequence[Unit], context: Context, reach: Reach) -> View:
    held = _container(one, context.engine)
    if held:
        return _in_container(one, held, related, context)
    commands = one.commands(["ExecStart"])
    if any(c and PurePosixPath(c[0].text).name in CLIENTS for c in commands):
        reach = "client"
    verb = re.compile(rf"\b{context.engine.command[-1]}\b")
    starts = [a for a in one.named("ExecStart") if one.whole and verb.search(a.value)]
    environment = _environment(one, context, reach)
    by_command = (v for words in one.commands(["ExecStart"]) for v in given(words, context.engine))
    found = [*environment.found, *((variable, variable.place.file) for variable in by_command)]
    broken = unread(one.assignments, context.host)
    return context.view(
        UNIT,
        context.release_for(_release_in(one, context.engine)),
        name=one.name,
        place=Place(one.files[0]),
        variables=tuple(variable for variable, _ in found),
        bounds=bounds(one.assignments, context.host),
        lines=(
            *unit.lines(one.assignments),
            *environment.lines,
            *_homeless(one, context),
            *_misplaced(one, context),
        ),
        unread=(*broken, *one.unread()),
        overruled=overruled((*said(found), *_single(one, broken, context)), one.ranks),
        not_judged=environment.gaps,
        models=models(related, context.engine),
        commands=tuple(_calls(related, context.engine)),
        starts=starts[-1].place() if starts else None,
        adds=not one.whole,
        manager=manager_of(one, context),
        volumes=tuple(mounts(one, [variable for variable, _ in found], context)),
    )


def _homeless(one: Unit, context: Context) -> Iterator[Line]:
    """Yield what makes the user of a unit of the repository without a home."""
    user = one.last("User")
    if user and one.whole and not one.last("DynamicUser") and install_root(one.files[0]) is None:
        yield from homeless(one.files[0], user, context)
        yield from kept_by_root(one.files[0], context)


def _misplaced(one: Unit, context: Context) -> Iterator[Line]:
    """Yield the start of a program that the scripts of the repository put elsewhere."""
    file = one.files[0]
    starts = tuple(misplaced(unit.lines(one.assignments), context.engine))
    if starts and one.whole and install_root(file) is None:
        folder = PurePosixPath(file).parent
        beside = (posixpath.normpath(folder / name) for name in _INSTALLS)
        paths = (*scripts_near(file, context), *filter(context.exists, beside))
        near = (context.read(path) or "" for path in paths)
        yield from starts if is_put_elsewhere(near, context.engine) else ()


_INSTALLS: Final = (
    *("Dockerfile", "../Dockerfile", "Makefile", "../Makefile"),
    *("../tasks/main.yml", "../tasks/install.yml", "../tasks/main.yaml"),
)
"""Files beside a unit, or a template of one, that may install the program."""


def _release_in(one: Unit, engine: Engine) -> str:
    """Return the release in the path of the program, as Nix and people lay several out."""
    named = re.compile(rf"/[\w.+-]*?\b{engine.name}(?:-[a-z]+)?-v?(\d+\.\d+\.\d+)/")
    paths = (words[0].text for words in one.commands(["ExecStart"]) if words)
    return next((found[1] for path in paths if (found := named.search(path))), "")


def _calls(units: Sequence[Unit], engine: Engine) -> Iterator[Command]:
    """Yield the calls of the engine's program."""
    for words in (command for one in units for command in one.commands(COMMANDS)):
        if words and PurePosixPath(words[0].text).name == engine.name:
            yield Command(tuple((word.text, word.place) for word in words[1:]))
        elif engine.by_arguments or any(engine.name in word.text for word in words):
            # Most units name the program first.
            from generator.readers.commands.servers import asked_in, servers_in

            found = servers_in if engine.by_arguments else asked_in
            yield from found([(word.text, word.place) for word in words], engine)


def _single(one: Unit, broken: Sequence[Line], context: Context) -> Iterator[Said]:
    """Yield the directives that take one value, without those that systemd cannot read."""
    every = context.catalogue.all("taken", Taken)
    taken = {name: one for one in every for name in one.names}
    skipped = {line.place for line in broken}
    for key in sorted(SINGLE):
        kind = taken.get(key)
        read = (a for a in one.named(key) if not is_ignored(kind, a.value))
        yield from (a.said() for a in read if a.place() not in skipped)
    for a in one.assignments:
        if a.value and a.section in START_LIMITS.get(a.key, ()):
            yield a.said()


def _in_container(one: Unit, held: Run, related: Sequence[Unit], context: Context) -> View:
    """Return the View of a container that a unit runs: the unit's own limits do not reach it."""
    # Most units run no container.
    from generator.readers import container

    environment = _environment(one, context, "client")
    own = [variable for variable, _ in environment.found]
    place, restart = held.image.place, one.last("Restart")
    box = container.container(held.image.text, place, held.options, held.client, restart)
    words = container.arguments(held.options, held.rest)
    box = replace(box, arguments=words, program=container.program(held.options, held.rest))
    client = {variable.name: variable.value for variable in own}
    found = container.variables(held.options, context, client)
    return context.view(
        RUN,
        context.release_of(held.image.text),
        name=one.name,
        place=Place(one.files[0]),
        variables=(*own, *(variable for variable, _ in found)),
        bounds=container.bounds(held.options),
        lines=unit.lines(one.assignments),
        unread=tuple(one.unread()),
        overruled=overruled((*said(found), *_single(one, (), context)), one.ranks),
        not_judged=(*environment.gaps, *container.gaps(held.options, context)),
        models=models(related, context.engine),
        container=box,
        adds=not one.whole,
        acceleration=container.acceleration(box, held.options),
    )


@dataclass(frozen=True, slots=True)
class _Environment:
    """Variables, each beside the file that brings it, and the files that are not at hand."""

    found: list[tuple[Variable, str]]
    gaps: tuple[NotJudged, ...]
    lines: tuple[Line, ...]
    """The lines of those files that assign nothing."""


def _environment(one: Unit, context: Context, reach: Reach) -> _Environment:
    """Return `Environment=`, then the files, which win, without what `UnsetEnvironment=` names."""
    found: list[tuple[Variable, str]] = []
    gaps: list[NotJudged] = []
    lines: list[Line] = []
    for assignment in (*one.named("Environment"), *_headless(one)):
        own = unit.variables(assignment, one.name, user=one.user, reach=reach)
        found += ((variable, assignment.layer) for variable in own)
    for assignment in one.named("PassEnvironment"):
        found += ((handed, assignment.layer) for handed in unit.passed(assignment, reach))
    for assignment in one.named("EnvironmentFile"):
        source = _file(one, assignment, context)
        if source is not None:
            from generator.readers.environment.read import dropped, environment_file
            from generator.readers.syntax.shell import exported

            more = (*environment_file(source, reach), *exported(source, "shell"))
            found += ((variable, assignment.file) for variable in more)
            lines += dropped(source, by_unit=True)
        elif not _may_be_absent(assignment, context):
            gap = missing(f"EnvironmentFile={assignment.value}", assignment.place())
            gaps.append(replace(gap, variables=True))
    gone = {word.text for a in one.named("UnsetEnvironment") for word in a.words()}
    kept = [(v, by) for v, by in found if not {v.name, f"{v.name}={v.value}"} & gone]
    return _Environment(kept, tuple(gaps), tuple(lines))


def _headless(one: Unit) -> list[Assignment]:
    """Return what a file without any section says of variables once it has its header (HW515)."""
    if any(a.section for a in one.assignments):
        return []
    headed = (replace(a, section="Service") for a in one.assignments)
    return unit.named(unit.in_force(headed), "Environment")


def _may_be_absent(assignment: Assignment, context: Context) -> bool:
    """Whether a file is certainly not there, and need not be."""
    root, path = install_root(assignment.file), assignment.value.removeprefix("-")
    optional = assignment.value.startswith("-") and root is not None
    return optional and not context.exists(f"{root}{path.lstrip('/')}")


def _file(one: Unit, assignment: Assignment, context: Context) -> Source | None:
    path = one.expanded(assignment.value.removeprefix("-")).text
    return installed(path, assignment.file, context) if path.startswith("/") else None
