"""Compose files: one View for each service that runs an engine's server.

What Compose would take from the shell is not told: such a variable is there, but has no value.
"""

from __future__ import annotations

import contextlib
import functools
import posixpath
import re
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.errors import Problem, ProfileError
from generator.readers.base import Context, NeedsMore, PartlyRead, Source, refused
from generator.readers.clients import client, client_in, clients_alone, with_clients
from generator.readers.compose import BASES, COMPOSE, OVERLAY, STACK
from generator.readers.compose.addresses import Addresses
from generator.readers.compose.build import built_of, is_a_folder
from generator.readers.compose.clients import (
    is_bare,
    made_beside,
    nowhere,
    proxied,
    scripts_alone,
)
from generator.readers.compose.container import (
    BEGINS,
    PATHS,
    all_words,
    argv,
    bounds,
    container_of,
    reference,
    words_of,
)
from generator.readers.compose.contents import Contents
from generator.readers.compose.depends import gated, undefined
from generator.readers.compose.environment import Environment
from generator.readers.compose.gateways import asks_all
from generator.readers.compose.jobs import Job
from generator.readers.compose.lost import Lost
from generator.readers.compose.neighbours import Neighbours
from generator.readers.compose.project import Loader, Project, joined, load_project
from generator.readers.compose.rivals import Rivals
from generator.readers.compose.roles import Roles
from generator.readers.compose.routes import asked_by_proxy, beneath, routes
from generator.readers.compose.spent import spent
from generator.readers.compose.stack import is_stack, without_ignored
from generator.readers.compose.volumes import volumes_of
from generator.readers.container import models_started
from generator.readers.dockerfile.built import not_at_hand, over
from generator.readers.layers import overruled, said
from generator.readers.signs import is_for_a_shell
from generator.readers.syntax.shell import is_shell
from generator.readers.syntax.yaml_keys import keys_of
from generator.readers.syntax.yaml_tree import Scalar, Table, flat, plain
from generator.records import replace
from generator.view import (
    DESKTOP,
    EMPTIED,
    EXECUTED,
    FOREIGN,
    HANDED,
    MAYBE,
    OF_GPU,
    PAST,
    STARTED,
    Line,
    NotJudged,
    Place,
    View,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.around import Client
    from generator.view import Phrases


_COMPLETED: Final = "service_completed_successfully"
_AWAY: Final = frozenset("/~$")
"""How the source of a mount begins that is on a machine, and not at hand."""
_SCRIPT: Final = re.compile(r"\.(?:ba)?sh ")
_PARTED: Final = re.compile(r"[\s;&|\"']+")
_MADE: Final = frozenset({"image", "build", "extends", "provider", "profiles"})
"""Keys of a service that Compose does not refuse; of one with profiles it may start none."""
_WATCHES: Final = re.compile(r"/watchtower(?=[:@]|$)")
_WATCHED: Final = "com.centurylinklabs.watchtower.enable"
_ONLY_NAMED: Final = "WATCHTOWER_LABEL_ENABLE"
_DECLARES: Final = frozenset({"volumes", "networks", "configs", "secrets"})
_ELSEWHERE: Final = frozenset({("environment",), ("env_file",), ("labels",), ("extends",), *PATHS})


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the servers of a project: its file, then those that are laid over it.

    Raises ProfileError with every Problem, for what Compose would refuse, too.
    """
    loader = Loader(context.read)
    project = load_project(sources, loader, context.order, context.glance)
    if not project.services and "include" not in project.top.entries:
        if _DECLARES & project.top.entries.keys() and "services" not in project.top.entries:
            reason, advice = "it declares things for other files, and runs nothing", "name those"
            raise NeedsMore(sources[0].path, (Problem("", reason, advice, sources[0].path),))
        hint = "a Compose file has `services:` at its beginning"
        raise refused(sources[0].path, "", "this Compose file has no services", hint)
    stack = len(sources) == 1 and is_stack(project, sources[0].path, context)
    if stack:
        project = without_ignored(project, context.catalogue.at(context.engine.name))
    found = _Services(sources, project, context, loader, STACK if stack else COMPOSE)
    found.refuse_unmade()
    servers = tuple(found.view(name) for name in found.servers)
    programs = tuple(found.programs())
    if not servers and programs:
        found.refuse_undefined()
    clients = () if servers else found.clients(programs)
    servers = with_clients(servers, programs) if servers else servers
    views = (
        *chain.from_iterable(map(found.with_files, servers)),
        *found.contents.around(),
        *clients,
    )
    if loader.problems:
        raise PartlyRead(sources[0].path, tuple(dict.fromkeys(loader.problems)), views)
    if loader.gaps and not views:
        gaps = (Problem(f"line {gap.line}", gap.reason, gap.hint, gap.file) for gap in loader.gaps)
        raise NeedsMore(sources[0].path, tuple(gaps))
    return views


class _Services:
    """The services of a project, by what they are to the engine."""

    def __init__(
        self,
        sources: Sequence[Source],
        project: Project,
        context: Context,
        loader: Loader,
        book: Phrases = COMPOSE,
    ) -> None:
        self.book = book
        self.project, self.context, self.loader = project, context, loader
        self.engine = context.engine
        every = project.services.items()
        self.built = {id(one): built_of(one, context) for _, one in every if "build" in one.entries}
        self.place = sources[0].path
        named = OVERLAY.fullmatch(PurePosixPath(self.place).name)
        self.overlay = named is not None and context.order is None
        self.ranks = {source.path: (at, 0) for at, source in enumerate(sources, 1)}
        self.roles = Roles(project, context, self.built, overlay=self.overlay)
        self.servers = self.roles.servers
        self.profiles = profiles = {name: _profiles(one) for name, one in every}
        self.environment = Environment(project, loader, context, self.place)
        self.contents = Contents(project, context)
        addresses = Addresses(project, self.place, context)
        self.neighbours = Neighbours(project, self.roles, profiles, addresses)
        self.lost = Lost(project, self.roles, addresses, context)
        self.rivals = Rivals(project, self.servers, profiles)
        # A file's keys are judged once, with the first of its servers.
        self.keys = {name: tuple(keys_of(project.top)) for name in [*self.servers][:1]}

    def refuse_unmade(self) -> None:
        """Take note of services that nobody says the image of, here or in a file beside."""
        beside = posixpath.dirname(self.place)
        bases = {posixpath.normpath(posixpath.join(beside, base)) for base in BASES}
        if self.loader.gaps or not bases & {self.place, *self.context.listed(self.place)}:
            return  # What it is laid over may lie elsewhere.
        bare = {
            name: one
            for name, one in self.project.services.items()
            if not one.entries.keys() & _MADE
        }
        if len(bare) == len(self.project.services) and not any(map(_stands, bare.values())):
            return  # A part of a project that a program puts together, under the usual name.
        made = made_beside(self.place, self.context) if bare else None
        for name in sorted(bare.keys() - made) if made is not None else ():
            place = self.project.top.table("services").places.get(name, bare[name].place)
            message = f"the service `{name}` has no `image` and no `build`, here or beside"
            self.loader.fail_at(place, message, "Compose refuses the whole project: write one")

    def refuse_undefined(self) -> None:
        """Take note of services that programs wait for, and that nobody defines."""
        for name, other, place in undefined(self.project, self.place, self.context):
            message = f"`{name}` depends on the service `{other}`, which nobody defines here"
            hint = "Compose refuses the whole project: take it out, or define that service"
            self.loader.fail_at(place, message, hint)

    def view(self, name: str) -> View:
        """Return what the files say of a server."""
        service, key = self.servers[name], f"services.{name}"
        built = self.built.get(id(service))
        known = self.project.top.table("services").places.get(name)
        here = known if known and known.file == service.place.file else service.place
        container, acceleration = container_of(key, service, self.project.around)
        named = bool({"command", "entrypoint"} & service.entries.keys())
        container = over(built, container, told=named)
        if not container.restart and any(self.neighbours.waiting(name, _COMPLETED)):
            container = replace(container, restart="no")  # It is a job: it is to end.
        if self.watched and service.table("labels").text(_WATCHED) != "false":
            container = replace(container, moving=True)
        volumes = tuple(volumes_of(container, self.project.top.table("volumes")))
        variables = self.environment.variables(name, service, built)
        effective = tuple({one.name: one for one, _ in variables}.values())
        begun = (
            *(built.lines if built else ()),
            *self._scripts(service, container.mounts),
        )
        return self.context.view(
            self.book,
            self.context.release_of(built.image if built else self._image(name, service)),
            name=name,
            place=Place(here.file, here.line),
            variables=tuple(built.read(effective) if built else effective),
            overruled=(*overruled(said(variables), self.ranks), *self.environment.around()),
            bounds=bounds(key, service, self.loader),
            lines=(
                *begun,
                *self._top(),
                *flat(key, service, _ELSEWHERE),
                *(self._beside(name) if name in self.keys else ()),
                *self.neighbours.astray(name),
                *self.neighbours.also(effective),
                *self.rivals.taken(name, container),
                *self._emptied(name),
                *self._spent(name, service),
                *beneath(service),
                *_of_gpu(service),
            ),
            models=self.roles.models(name, service, models_started(begun, self.engine)),
            commands=(
                *self.roles.calls(service),
                *(self.roles.of_jobs() if name in self.keys else ()),
            ),
            container=replace(
                container,
                volumes=volumes,
                waited_for=tuple(self.neighbours.waiting(name)),
                exposed=(*self.neighbours.tunnels(name), *routes(service)),
                asked=(*container.asked, *asked_by_proxy(service), *self.lost.asked(name)),
            ),
            acceleration=acceleration,
            adds=self.roles.adds(service) or name in self.loader.open,
            more_variables=name in self.loader.open,
            not_judged=(*self.loader.gaps, *self._gaps(service)),
            neighbours=self.neighbours.of(name),
            keys=self.keys.get(name, ()),
        )

    def _spent(self, name: str, service: Table) -> Iterator[Line]:
        """Yield what Compose empties in the scripts of a server, and of jobs beside it."""
        jobs = self.roles.jobs.values() if name in self.keys else ()
        for one in (service, *jobs):
            yield from spent(one, self.project.around)

    @functools.cached_property
    def watched(self) -> bool:
        """Whether a Watchtower of the project follows the tags of all, not of the named alone."""
        for service in self.project.services.values():
            if _WATCHES.search(service.text("image")):
                words = " ".join(argv(service, "command"))
                named = "--label-enable" in words or service.text("environment", _ONLY_NAMED)
                return not named
        return False

    def with_files(self, server: View) -> tuple[View, ...]:
        """Return a server, and what the files say that it is given by `configs`."""
        return self.contents.with_files(server, self.servers[server.name])

    def _gaps(self, service: Table) -> Iterator[NotJudged]:
        """Yield the files of variables, and the Dockerfile, that are not at hand."""
        if self.built.get(id(service), "") is None:
            named = service.scalar("build", "dockerfile")
            if named is not None and is_a_folder(service, self.context):
                message = f"`dockerfile: {named.text}` is a directory: the build fails"
                self.loader.fail_at(named.place, message, f"write `{named.text}/Dockerfile`")
            else:
                yield not_at_hand("build", service.place_of("build"))
        yield from self.environment.gaps(service)

    def _scripts(self, service: Table, mounts: Sequence[tuple[str, Place]]) -> Iterator[Line]:
        """Yield the scripts of the host that a container begins with."""
        given = [word.text for word in all_words(service)]
        # A shell may be handed more than the path: `chmod +x /start.sh && /start.sh`.
        words = {part for word in given for part in (word, *_PARTED.split(word))}
        shell = any(is_shell(word) for word in words)
        for text, place in mounts:
            source, target = (*text.split(":"), "")[:2]
            if target in words and source[:1] in _AWAY and (shell or _SCRIPT.search(f"{target} ")):
                yield Line(section=STARTED, name=PurePosixPath(source).name, value="", place=place)
            if target in words and source[:1] == ".":
                path = joined(place.file, source)
                told = self.context.read(path) or ""
                if not (shell or _SCRIPT.search(f"{source} {target} ") or is_for_a_shell(told)):
                    continue  # A program, or a folder of them.
                name, at = PurePosixPath(path).name, Place(path, 1) if told else place
                yield Line(section=STARTED, name=name, value=told, place=at)
        for name, target, content in self.contents.given(service):
            if target in words:
                place = replace(content.place, line=content.starts)
                yield Line(section=STARTED, name=name, value=content.text, place=place)

    def _beside(self, name: str) -> Iterator[Line]:
        """Yield what the file says beside its first server."""
        yield from gated(self.project, self.profiles, self.place, self.context)
        yield from self.neighbours.named_by_others(name)
        yield from self.environment.unpassed()
        yield from self._nowhere(serves=True)
        yield from self._lost()
        yield from self._around(serves=True)
        yield from self._foreign()
        for proxy, service in self.project.services.items() if self.engine.verbs else ():
            yield from proxied(proxy, service, service.place.file, self.context)
        for job, service in self.roles.jobs.items() if self.engine.verbs else ():
            yield from self._of_job(job, service)
        for job, service in self.roles.jobs.items():
            # Of the engine's own image, a job has no more programs than the server.
            if "build" not in service.entries and self.engine.is_image(
                self.roles.repository(service)
            ):
                yield from self._run_by(job, service)

    def _of_job(self, job: str, service: Table) -> Iterator[Line]:
        """Yield what a job asks of the server too soon, or lets fail unnoticed."""
        if not service.entries.keys() & {*BEGINS}:
            return  # As most services, it does what its image does.
        box, _ = container_of(f"services.{job}", service, self.project.around)
        scripts, asked = self._scripts(service, box.mounts), self.roles.asked(service)
        known = Job(job, service, box.restart, scripts, self.engine)
        yield from known.lines(self.servers, asked)

    def _run_by(self, job: str, service: Table) -> Iterator[Line]:
        """Yield what a job of the engine's own image runs, and what it hands to the program."""
        every = all_words(service)
        if every[3:] and is_shell(every[0].text) and every[1].text == "-c":
            for word in every[3:]:
                yield Line(section=PAST, name=every[2].text, value=word.text, place=word.place)
        told = words_of(service, "command")
        if told and not service.get("entrypoint"):
            image, words = self.roles.repository(service), " ".join(word.text for word in told)
            place = replace(service.place_of("command"), key=f"services.{job}.command")
            yield Line(section=HANDED, name=image, value=words, place=place)
        for word in every:
            if " " in word.text:
                place = replace(word.place, line=word.starts, key=f"services.{job}")
                yield Line(section=EXECUTED, name="", value=word.text, place=place)

    def _emptied(self, name: str) -> Iterator[Line]:
        """Yield the empty lists that a file lays over those of another."""
        for key, place in dict.fromkeys(self.loader.emptied.get(name, ())):
            yield Line(section=EMPTIED, name=key, value="[]", place=place)

    def _around(self, *, serves: bool) -> Iterator[Line]:
        """Yield the gateways of a project that are asked for every model."""
        if self.engine.verbs:
            yield from asks_all(self.project, self.context, serves=serves)

    def _nowhere(self, *, serves: bool) -> Iterator[Line]:
        """Yield the addresses at which services ask nobody, where the file is not laid over one."""
        if self.engine.verbs and not (self.overlay or self.loader.gaps or self.loader.open):
            yield from nowhere(self.project, self.place, self.context, serves=serves)

    def _lost(self) -> Iterator[Line]:
        """Yield the addresses at which clients ask in vain, where the file is a project."""
        if self.engine.verbs and not (self.overlay or self.loader.gaps or self.loader.open):
            for line in self.lost.lines():
                sure = self.lost.is_linux or not line.section.startswith(DESKTOP)
                yield line if sure else replace(line, section=f"{MAYBE}{line.section}")

    def _foreign(self) -> Iterator[Line]:
        """Yield the scripts that run in images without the engine's program."""
        for name, service in self.project.services.items():
            image = service.text("image")
            if name in self.servers or "build" in service.entries or not is_bare(image):
                continue
            mounts = container_of(f"services.{name}", service, self.project.around)[0].mounts
            scripts = self._scripts(service, mounts)
            for line in scripts_alone(service, scripts, name):
                yield replace(line, section=FOREIGN, name=image)

    def programs(self) -> Iterator[Client]:
        """Yield the programs of the project that ask servers, and are known."""
        for name, service in self.project.services.items():
            image = reference(service, self.project.around)
            known = "" if "build" in service.entries else client_in(image, self.context)
            if known:
                box, _ = container_of(f"services.{name}", service, self.project.around)
                given = self.environment.variables(name, service, None)
                gaps = self.environment.gaps(service)
                found = client(known, box, (one for one, _ in given), gaps)
                more = found.more_variables or name in self.loader.open
                more = more or bool({"configs", "secrets"} & service.entries.keys())
                yield replace(found, more_variables=more)

    def clients(self, programs: Sequence[Client]) -> Iterator[View]:
        """Yield what is wrong with the clients of a project that has no server itself."""
        told = (*self._nowhere(serves=False), *self._lost(), *self._around(serves=False))
        told += (*gated(self.project, self.profiles, self.place, self.context),)
        lines = tuple({one.place: one for one in told}.values())
        if programs:
            yield clients_alone(programs, self.book, self.context, Place(self.place), lines=lines)
        elif lines:
            yield self.context.view(
                self.book,
                self.context.release_for(),
                name=PurePosixPath(self.place).name,
                place=Place(self.place),
                lines=lines,
            )

    def _image(self, name: str, service: Table) -> str:
        """Return the image of a service; one that an overlay leaves out is in the base beside."""
        if not self.overlay or service.text("image"):
            return service.text("image")
        return next((image for one in self._bases if (image := one.text(name, "image"))), "")

    @functools.cached_property
    def _bases(self) -> list[Table]:
        """The services of the files beside an overlay that it may be laid over."""
        found = []
        for base in BASES:
            path = joined(self.place, base)
            text = None if path in self.ranks else self.context.read(path)
            if text is not None:
                with contextlib.suppress(ProfileError):
                    source = Source(path, text)
                    project = load_project([source], Loader(self.context.read))
                    found.append(Table(dict(project.services), Place(path)))
        return found

    def _top(self) -> Iterator[Line]:
        top = self.project.top
        for name in top.entries:
            if value := top.scalar(name):
                place = replace(value.place, key=name)
                yield Line(section="", name=name, value=value.text, place=place)


def _stands(service: Table) -> bool:
    """Return whether a service has what only the whole of one has."""
    return bool(service.entries.keys() & {"restart", "container_name", "volumes", "healthcheck"})


def _of_gpu(service: Table) -> Iterator[Line]:
    """Yield the options of requests for GPUs of NVIDIA, whose driver in Docker reads none."""
    for request in service.items("deploy", "resources", "reservations", "devices"):
        if isinstance(request, Table) and request.text("driver") in {"", "nvidia"}:
            for name, node in request.table("options").entries.items():
                yield Line(section=OF_GPU, name=name, value=plain(node), place=node.place)


def _profiles(service: Table) -> set[str]:
    return {node.text for node in service.items("profiles") if isinstance(node, Scalar)}
