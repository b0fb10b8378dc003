"""Compose files: one View for each service that runs an engine's server.

What Compose would take from the shell is not told: such a variable is there, but has no value.
"""

from __future__ import annotations

import contextlib
import functools
import re
from dataclasses import replace
from itertools import chain
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.errors import Problem, ProfileError
from generator.readers.base import (
    Context,
    NeedsMore,
    PartlyRead,
    Source,
    image_name,
    is_variable_of,
    refused,
)
from generator.readers.beside import missing
from generator.readers.commands.servers import servers_in
from generator.readers.compose import BASES, COMPOSE, OVERLAY
from generator.readers.compose.clients import is_bare, nowhere, proxied, scripts_alone
from generator.readers.compose.container import (
    PATHS,
    argv,
    as_written,
    bounds,
    container_of,
    on_host,
    ports_of,
    reference,
    words_of,
)
from generator.readers.compose.project import Loader, Project, files_of, joined, load_project
from generator.readers.compose.routes import asked_by_proxy, routes
from generator.readers.compose.volumes import volumes_of
from generator.readers.container import models_started
from generator.readers.dockerfile.built import (
    Built,
    dockerfile_in,
    not_at_hand,
    of_dockerfile,
    over,
)
from generator.readers.embedded import embedded, with_gaps
from generator.readers.environment.dotenv import unpassed, variables_of
from generator.readers.environment.read import container_file
from generator.readers.given import given_by
from generator.readers.layers import Said, overruled, said
from generator.readers.passed import uses_an_engine
from generator.readers.syntax.shell import Call, calls, is_shell, tokens, use_of
from generator.readers.syntax.yaml_keys import keys_of
from generator.readers.syntax.yaml_tree import Node, Scalar, Table, flat
from generator.units import EVERYWHERE
from generator.view import (
    ASTRAY,
    EXECUTED,
    FOREIGN,
    OF_GPU,
    STARTED,
    TAKEN,
    TUNNEL,
    Command,
    Container,
    Line,
    ModelUse,
    NotJudged,
    Overruled,
    Place,
    Variable,
    View,
    each_once,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.engines.signs import Signs as Engine

_BETWEEN: Final = r"[\"',\s]+"
_DEEPEST: Final = 3
_COMPLETED: Final = "service_completed_successfully"
_EVERYWHERE: Final = (*EVERYWHERE, "http://0.0.0.0")
_MAKING: Final = frozenset({"image", "build", "command", "entrypoint", "extends"})
"""Keys that say what a service runs; one without them adds to a service of another file."""
_KEEPING: Final = frozenset({"restart", "volumes", "ports"})
"""Keys of a service that stands for itself."""
_TUNNEL: Final = re.compile(r"(?:^|/)(?:cloudflared|ngrok|localtunnel|bore|zrok|frpc)\b")
_LOOPBACK: Final = re.compile(r"(?:https?://)?(?:localhost|127\.0\.0\.1|\[::1\]):\d+(?:/\S*)?$")
_OF_BROWSERS: Final = ("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "PUBLIC_", "NUXT_PUBLIC_")
"""How variables begin that a page gets, which asks from where its reader sits."""
_DECLARES: Final = frozenset({"volumes", "networks", "configs", "secrets"})
_ADDRESS: Final = re.compile(r"URL|URI|BASE|ENDPOINT|SERVER")
_ELSEWHERE: Final = frozenset({("environment",), ("env_file",), ("labels",), ("extends",), *PATHS})


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the servers of a project: its file, then those that are laid over it.

    Raises ProfileError with every Problem, for what Compose would refuse, too.
    """
    loader = Loader(context.read)
    project = load_project(sources, loader, context.order)
    if not project.services and "include" not in project.top.entries:
        if _DECLARES & project.top.entries.keys() and "services" not in project.top.entries:
            reason, advice = "it declares things for other files, and runs nothing", "name those"
            raise NeedsMore(sources[0].path, (Problem("", reason, advice, sources[0].path),))
        hint = "a Compose file has `services:` at its beginning"
        raise refused(sources[0].path, "", "this Compose file has no services", hint)
    found = _Services(sources, project, context, loader)
    servers = [found.view(name) for name in found.servers]
    clients = () if servers else found.clients()
    views = (*chain.from_iterable(map(found.with_files, servers)), *found.around(), *clients)
    if loader.problems:
        raise PartlyRead(sources[0].path, tuple(dict.fromkeys(loader.problems)), views)
    if loader.gaps and not views:
        gaps = (Problem(f"line {gap.line}", gap.reason, gap.hint, gap.file) for gap in loader.gaps)
        raise NeedsMore(sources[0].path, tuple(gaps))
    return views


class _Services:
    """The services of a project, by what they are to the engine."""

    def __init__(
        self, sources: Sequence[Source], project: Project, context: Context, loader: Loader
    ) -> None:
        self.project, self.context, self.loader = project, context, loader
        self.engine = context.engine
        every = project.services.items()
        self.built = {id(one): self._built(one) for _, one in every if "build" in one.entries}
        self.servers = {name: one for name, one in every if self._is_server(name, one)}
        others = {name: one for name, one in every if name not in self.servers}
        self.jobs = {name: one for name, one in others.items() if self._is_client(name, one)}
        self.place = sources[0].path
        self.contents: set[str] = set()
        named = OVERLAY.fullmatch(PurePosixPath(sources[0].path).name)
        self.overlay = named is not None and context.order is None
        self.ranks = {source.path: (at, 0) for at, source in enumerate(sources, 1)}
        self.profiles = {name: _profiles(one) for name, one in every}
        # A file's keys are judged once, with the first of its servers.
        self.keys = {name: tuple(keys_of(project.top)) for name in [*self.servers][:1]}

    def view(self, name: str) -> View:
        """Return what the files say of a server."""
        service, key = self.servers[name], f"services.{name}"
        built = self.built.get(id(service))
        known = self.project.top.table("services").places.get(name)
        here = known if known and known.file == service.place.file else service.place
        container, acceleration = container_of(key, service, self.project.around)
        named = bool({"command", "entrypoint"} & service.entries.keys())
        container = over(built, container, told=named)
        if not container.restart and any(self._waiting(name, _COMPLETED)):
            container = replace(container, restart="no")  # It is a job: it is to end.
        volumes = tuple(volumes_of(container, self.project.top.table("volumes")))
        variables = self._variables(name, service)
        effective = {one.name: one for one, _ in variables}.values()
        begun = (
            *(built.lines if built else ()),
            *self._scripts(service, container.mounts),
        )
        return self.context.view(
            COMPOSE,
            self.context.release_of(built.image if built else self._image(name, service)),
            name=name,
            place=Place(here.file, here.line),
            variables=tuple(built.read(effective) if built else effective),
            overruled=(*overruled(said(variables), self.ranks), *self._around()),
            bounds=bounds(key, service, self.loader),
            lines=(
                *begun,
                *self._top(),
                *flat(key, service, _ELSEWHERE),
                *(self._beside(name) if name in self.keys else ()),
                *self._astray(name),
                *self._taken(name, container),
                *_of_gpu(service),
            ),
            models=self._models(name, service, models_started(begun, self.engine)),
            commands=self._calls(service),
            container=replace(
                container,
                volumes=volumes,
                waited_for=tuple(self._waiting(name)),
                exposed=(*self._tunnels(name), *routes(service)),
                asked=(*container.asked, *asked_by_proxy(service)),
            ),
            acceleration=acceleration,
            adds=self._adds(service) or name in self.loader.open,
            more_variables=name in self.loader.open,
            not_judged=(*self.loader.gaps, *self._gaps(service)),
            neighbours=self._neighbours(name),
            keys=self.keys.get(name, ()),
        )

    def _scripts(self, service: Table, mounts: Sequence[tuple[str, Place]]) -> Iterator[Line]:
        """Yield the scripts of the host that a container begins with."""
        words = {word for key in ("entrypoint", "command") for word in argv(service, key)}
        for text, place in mounts:
            source, _, target = text.removesuffix(":ro").partition(":")
            if target in words and source[:1] == "." and target.endswith((".sh", ".bash")):
                path = joined(place.file, source)
                told = self.context.read(path) or ""
                name, at = PurePosixPath(path).name, Place(path, 1) if told else place
                yield Line(section=STARTED, name=name, value=told, place=at)
        for name, target, content in self._given(service):
            if target in words:
                place = replace(content.place, line=content.starts)
                yield Line(section=STARTED, name=name, value=content.text, place=place)

    def _beside(self, name: str) -> Iterator[Line]:
        """Yield what the file says beside its first server."""
        yield from self._named_by_others(name)
        yield from self._unpassed()
        yield from self._nowhere(serves=True)
        yield from self._foreign()
        for proxy, service in self.project.services.items() if self.engine.verbs else ():
            yield from proxied(proxy, service, service.place.file, self.context)
        for job, service in self.jobs.items():
            # Of the engine's own image, a job has no more programs than the server.
            if "build" not in service.entries and self.engine.is_image(self._repository(service)):
                for key in ("entrypoint", "command"):
                    for word in words_of(service, key):
                        if " " in word.text:
                            place = replace(word.place, line=word.starts, key=f"services.{job}")
                            yield Line(section=EXECUTED, name="", value=word.text, place=place)

    def _nowhere(self, *, serves: bool) -> Iterator[Line]:
        """Yield the addresses at which services ask nobody, where the file is not laid over one."""
        if self.engine.verbs and not (self.overlay or self.loader.gaps or self.loader.open):
            yield from nowhere(self.project, self.place, self.context, serves=serves)

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

    def clients(self) -> Iterator[View]:
        """Yield what is wrong with the clients of a project that has no server itself."""
        lines = tuple(self._nowhere(serves=False))
        if lines:
            yield self.context.view(
                COMPOSE,
                self.context.release_for(),
                name=PurePosixPath(self.place).name,
                place=Place(self.place),
                lines=lines,
            )

    def _named_by_others(self, server: str) -> Iterator[Line]:
        """Yield the networks, services and variables that lists of the other services name."""
        for name, service in self.project.services.items():
            section = f"beside.{name}"
            for key in ("networks", "depends_on") if name != server else ():
                for node in service.items(key):
                    if isinstance(node, Scalar):
                        yield Line(section=section, name=key, value=node.text, place=node.place)
            given = service.table("environment").entries if name != server else {}
            for variable, node in given.items():
                text = f"{variable}={_text(node)}"
                yield Line(section=section, name="variable", value=text, place=node.place)

    def _astray(self, server: str) -> Iterator[Line]:
        """Yield the addresses of their own container at which the other services ask."""
        taken = {name for name in self.servers if name != server}
        mode = self.project.services[server].text("network_mode")
        for name, key, node in self._at_home:
            service = self.project.services[name]
            shared = service.text("network_mode") in {"host", f"service:{server}"}
            # An image may bring a server of its own, as `open-webui:ollama` does.
            shared = shared or self.engine.name in image_name(service.text("image")).tag
            if not (name in {server, *taken} or shared or mode == f"service:{name}"):
                place = replace(node.place, key=f"services.{name}.environment.{key}")
                yield Line(section=f"{ASTRAY}.{name}", name=key, value=node.text, place=place)

    @functools.cached_property
    def _at_home(self) -> list[tuple[str, str, Scalar]]:
        """The variables of services that name an address of their own container."""
        return [
            (name, key, node)
            for name, service in self.project.services.items()
            for key, node in service.table("environment").entries.items()
            if isinstance(node, Scalar) and not key.startswith(_OF_BROWSERS)
            if _LOOPBACK.match(node.text)
        ]

    def _taken(self, name: str, box: Container) -> Iterator[Line]:
        """Yield what of the host a service wants that one has which runs beside it as well."""
        called = self.project.services[name].scalar("container_name")
        if called is not None and (other := self._rival(name, f"name {called.text}")):
            yield Line(section=TAKEN, name=other, value="name", place=called.place)
        for text, place in box.ports:
            if (port := on_host(text)) and (other := self._rival(name, port[1], port[0])):
                yield Line(section=TAKEN, name=other, value=f"port {port[1]}", place=place)

    def _rival(self, name: str, what: str, address: str = "") -> str:
        """Return who else wants the same of the host; of two it is told to the one with a profile.

        Where both have none, or the same ones, it is told to the later one.
        """
        own, wanted = self.profiles[name], self._wanted.get(what, [])[:_MOST_RIVALS]
        at = wanted.index((name, address)) if (name, address) in wanted else len(wanted)
        for rank, (other, host) in enumerate(wanted):
            others = self.profiles[other]
            together = not (own and others) or not own.isdisjoint(others)
            first = not others if bool(own) != bool(others) else rank < at
            same = host == address or "" in {host, address}
            if other != name and together and same and (first or other not in self.servers):
                return other
        return ""

    @functools.cached_property
    def _wanted(self) -> dict[str, list[tuple[str, str]]]:
        """What services want of the host: a name, or a port with its address."""
        found: dict[str, list[tuple[str, str]]] = {}
        for name, service in self.project.services.items():
            number = service.text("scale") or service.text("deploy", "replicas")
            if number == "0" or "network_mode" in service.entries:
                continue
            if called := service.text("container_name"):
                found.setdefault(f"name {called}", []).append((name, ""))
            for text, _ in ports_of(name, service):
                if port := on_host(text):
                    found.setdefault(port[1], []).append((name, port[0]))
        return found

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

    def with_files(self, server: View) -> tuple[View, ...]:
        """Return a server, and what the files say that it is given by `configs`, each once."""
        found, gaps = [server], []
        for name, target, content in self._contents(server.name):
            at, line = content.place.file, content.starts
            views, unread = embedded(content.text, target, at, line, self.context)
            told = (server.release, server.release_told)
            found += [replace(v, release=told[0], release_told=told[1]) for v in views]
            gaps += unread
            if not views and not unread and uses_an_engine(content.text):
                part = f"configs.{name}.content"
                reason, hint = "it is of no kind that is checked", "check what it sets by hand"
                gaps.append(NotJudged(file=at, reason=reason, hint=hint, part=part, line=line))
        return with_gaps(found, gaps)

    def around(self) -> Iterator[View]:
        """Yield the proxies and what else stands around a server, by files of their `configs`."""
        for service in self.project.services.values():
            for name, target, content in self._given(service):
                if name not in self.contents:
                    self.contents.add(name)
                    at, line = content.place.file, content.starts
                    views, _ = embedded(content.text, target, at, line, self.context)
                    yield from (v for v in views if v.hops or v.gateway or v.watched)

    def _contents(self, server: str) -> Iterator[tuple[str, str, Scalar]]:
        """Yield the files whose text stands in the project, each once."""
        for name, target, content in self._given(self.servers[server]):
            if name not in self.contents:
                self.contents.add(name)
                yield name, target, content

    def _given(self, service: Table) -> Iterator[tuple[str, str, Scalar]]:
        """Yield the files that a service is given by their text: name, path in it, content."""
        for node in service.items("configs"):
            name = node.text("source") if isinstance(node, Table) else _text(node)
            target = (node.text("target") if isinstance(node, Table) else "") or f"/{name}"
            content = self.project.top.table("configs").scalar(name, "content")
            if content is not None:
                yield name, target, content

    def _neighbours(self, name: str) -> tuple[str, ...]:
        """Return what runs beside a server; of two servers only one profile may be on."""
        here = self.profiles[name]
        servers = self.servers if here else ()
        apart = {n for n in servers if self.profiles[n] and here.isdisjoint(self.profiles[n])}
        away = {name, *apart, *self.jobs}
        return tuple(each for each in self.project.services if each not in away)

    @functools.cached_property
    def _depending(self) -> dict[str, Table]:
        """What a service depends on, where that is more than a list of names."""
        every = self.project.services.items()
        return {name: table for name, one in every if (table := one.table("depends_on")).entries}

    def _waiting(self, name: str, until: str = "service_healthy") -> Iterator[str]:
        """Yield the services that wait until this one is healthy, or has done its work."""
        for other, table in self._depending.items():
            if table.text(name, "condition") == until:
                yield other

    @functools.cached_property
    def _leading(self) -> list[tuple[str, str, Place]]:
        """The services that lead somewhere from the internet: name, command, place."""
        found = []
        for name, service in self.project.services.items():
            told = (one for one in service.table("environment").entries.values())
            given = [one.text for one in told if isinstance(one, Scalar)]
            words = " ".join((*argv(service, "command"), *given))
            image = image_name(reference(service, self.project.around)).repository
            if _TUNNEL.search(image) or _TUNNEL.search(words):
                found.append((name, words, service.place_of("command")))
        return found

    def _tunnels(self, name: str) -> Iterator[Line]:
        """Yield the services that lead to this one from the internet."""
        port = self.context.catalogue.at(self.engine.name).image.port
        names = {name, self.project.services[name].text("container_name") or name}
        goal = re.compile(rf"(?:^|[/\s=])(?:{'|'.join(map(re.escape, names))}):{port}\b")
        for other, words, place in self._leading:
            if other != name and goal.search(words):
                yield Line(section=TUNNEL, name=other, value=words, place=place)

    def _calls(self, service: Table) -> tuple[Command, ...]:
        """Return the calls of the engine's program that a service is."""
        plain = "entrypoint" not in service.entries
        if self.engine.by_arguments and not (
            plain and self.engine.is_image(self._repository(service))
        ):
            return tuple(self._servers(service))
        program, *words = self._command(service) or [""]
        key = "command" if "command" in service.entries else "entrypoint"
        if program.rpartition("/")[2] != self.engine.name or key not in service.entries:
            return ()
        places = [service.place_of(key)] * len(words)
        if self.engine.module and words:
            # Its words are judged one by one.
            own = [word.place for word in as_written(service, key)]
            places = [*places, *own][-len(words) :] if len(own) >= len(words) else places
        return (Command(tuple(zip(words, places, strict=True))),)

    def _servers(self, service: Table) -> Iterator[Command]:
        """Yield the server that a service starts, or a shell in it."""
        words = [word for key in ("entrypoint", "command") for word in as_written(service, key)]
        told = [(word.text, replace(word.place, line=word.starts)) for word in words]
        yield from servers_in(told, self.engine)

    def _top(self) -> Iterator[Line]:
        top = self.project.top
        for name in top.entries:
            if value := top.scalar(name):
                place = replace(value.place, key=name)
                yield Line(section="", name=name, value=value.text, place=place)

    def _is_server(self, name: str, service: Table) -> bool:
        """Whether a service runs the server: by its command, its image, or where it listens."""
        engine = self.engine
        if self._starts(self._command(service)):
            return True
        if self._is_client(name, service):
            return False
        if not service.entries.keys() & _MAKING:
            return self._is_told(name, service)
        base = self._repository(service).rpartition("/")[2]
        built = self.built.get(id(service))
        ours = "build" in service.entries and (name == engine.name or self._listens(name, service))
        if ours or (built and built.serves) or re.fullmatch(engine.builds, base):
            return True
        image = reference(service, self.project.around)
        told = image.startswith("$") and is_variable_of(engine.name, image)
        if told or re.search(engine.brings, image):
            return True
        return service.text("environment", engine.address).startswith(_EVERYWHERE)

    def _listens(self, name: str, service: Table) -> bool:
        """Whether a service that is built has the name and the port of the server."""
        port = self.context.catalogue.at(self.engine.name).image.port
        named = re.fullmatch(
            rf"(?:[\w-]+[-_])?{self.engine.name}(?:[-_](?:ser?ver?|srv|service|llm|gpu|cpu))?\d*",
            name,
        )
        inside = re.compile(rf"(?:.*:)?{port}")
        at_hand = id(service) in self.built and self.built[id(service)] is not None
        ports = ports_of(name, service) if named and not at_hand else ()
        return any(inside.fullmatch(text) for text, _ in ports)

    def _starts(self, words: list[str]) -> bool:
        """Whether a command starts the server."""
        engine = self.engine
        command = rf"\b{_BETWEEN.join(engine.command)}\b"
        return bool(re.search(command, " ".join(words)) or (engine.module and engine.starts(words)))

    def _adds(self, service: Table) -> bool:
        """Whether it only adds to a service of a file that is not read here, as overlays do."""
        keys = service.entries.keys()
        return not keys & _MAKING or (self.overlay and not keys & _KEEPING)

    def _is_told(self, name: str, service: Table) -> bool:
        """Whether a service that another file makes is the server: by its name, or by variables.

        Who has the address of a server, or a variable that ends like one, is a client.
        """
        engine, address = self.engine, service.text("environment", self.engine.address)
        if re.fullmatch(rf"(?:.*[-_.])?{engine.builds}\d*", name):
            return True
        told = [key for key in service.table("environment").entries if key != engine.address]
        asks = any(key.startswith(engine.prefixes) and _ADDRESS.search(key) for key in told)
        if asks or (address and not address.startswith((*_EVERYWHERE, "127.", "localhost"))):
            return False
        facts = self.context.catalogue.at(engine.name, self.context.release_for()[0])
        ours = (facts.variable(key) for key in told if key.startswith(engine.prefixes))
        return any(one is not None and one.known and one.scope != "client" for one in ours)

    def _is_client(self, name: str, service: Table) -> bool:
        """Whether a service is a client: by what it runs, or by the server that it names."""
        words, engine = self._command(service), self.engine
        host = service.text("environment", engine.address).rpartition("://")[2].partition(":")[0]
        elsewhere = host != name and host in self.project.services
        asks = re.search(engine.asks, " ".join(words))
        return elsewhere or bool(asks) or any(_calls(words, engine))

    def _command(self, service: Table) -> list[str]:
        """Return what a service runs, with the entry point of the engine's own image."""
        words = as_written if self.engine.module else words_of
        entry, command = (
            [word.text for word in words(service, key)] for key in ("entrypoint", "command")
        )
        built = self.built.get(id(service))
        if built is not None and not entry and not command:
            return built.starts.split()
        if not entry and self.engine.is_image(self._repository(service)):
            program, *verb = self.engine.command
            return [program, *(command or verb)]
        return [*entry, *command]

    def _repository(self, service: Table) -> str:
        return image_name(reference(service, self.project.around)).repository

    def _variables(self, name: str, service: Table) -> list[tuple[Variable, str]]:
        node = service.get("environment")
        if isinstance(node, Scalar) and node.kind == "null":
            place = service.place_of("environment")
            message = f"`services.{name}.environment` is empty, which Compose refuses"
            self.loader.fail_at(place, message, "take the key out, or write variables below it")
        built = self.built.get(id(service))
        below = [(one, one.place.file) for one in (built.variables if built else ())]
        told = [word for key in ("entrypoint", "command") for word in words_of(service, key)]
        by_command = ((one, one.place.file) for one in given_by(told, self.engine))
        return [*below, *self._from_files(service), *self._own(name, service), *by_command]

    def _around(self) -> tuple[Overruled, ...]:
        """Return what the `.env` of the project says twice of the engine."""
        file = joined(self.place, ".env")
        entries = self.loader.variables(file, {})
        ours = (e for e in entries if e.name.startswith(self.engine.prefixes) and e.value)
        every = (Said(e.name, e.value or "", Place(file, e.line, e.name), file) for e in ours)
        return overruled(every, {})

    def _unpassed(self) -> Iterator[Line]:
        """Yield what stands in the `.env` of the project, and reaches nothing."""
        path = joined(self.place, ".env")
        source = Source(path, self.context.read(path) or "")
        if self.context.order is None:
            yield from unpassed(source, variables_of(source), self.context)

    def _own(self, name: str, service: Table) -> Iterator[tuple[Variable, str]]:
        """Yield what `environment` sets: of each variable what counts, last."""
        for key, node in service.table("environment").entries.items():
            if isinstance(node, Scalar):
                for each in (*self.loader.said_before.get(id(node), ()), node):
                    yield self._variable(name, key, each), each.place.file

    def _variable(self, name: str, key: str, node: Scalar) -> Variable:
        passed = node.kind == "null"
        value = self.project.around.get(key) if passed else node.text
        return Variable(
            name=key,
            value=value or "",
            place=replace(node.place, key=f"services.{name}.environment.{key}"),
            written="" if passed else node.replaceable,
            unresolved=value is None or not node.explicit,
        )

    def _built(self, service: Table) -> Built | None:
        """Return what the Dockerfile of a service says; None: it is not at hand."""
        build = service.get("build")
        about = build if isinstance(build, Table) else Table({}, service.place_of("build"))
        folder = build if isinstance(build, Scalar) else about.scalar("context")
        inline, named = about.scalar("dockerfile_inline"), about.scalar("dockerfile")
        target = about.text("target")
        told = {
            name: node.text
            for name, node in about.table("args").entries.items()
            if isinstance(node, Scalar) and node.explicit and node.kind != "null"
        }
        if inline is not None:
            # Read beside its own lines: what it says stands in this file.
            text = "\n" * (inline.starts - 1) + inline.text
            source: Source | None = Source(inline.place.file, text)
        elif any(one is not None and not one.explicit for one in (folder, named)):
            return None
        else:
            place = service.place_of("build") if folder is None else folder.place
            where = joined(place.file, folder.text if folder else ".")
            source = dockerfile_in(where, named.text if named else "", self.context)
        try:
            return of_dockerfile(source, self.context, target, told) if source else None
        except ProfileError:
            return None  # Its own check says so.

    def _gaps(self, service: Table) -> Iterator[NotJudged]:
        """Yield the files of variables, and the Dockerfile, that are not at hand."""
        if self.built.get(id(service), "") is None:
            yield not_at_hand("build", service.place_of("build"))
        for named in files_of(service):
            path = named.path
            if not path.explicit or self.loader.read(joined(path.place.file, path.text)) is None:
                gap = missing(f"env_file: {path.written or path.text}", path.place)
                optional = "it is optional and not at hand; where there is one, what it sets wins"
                reason = optional if named.optional else gap.reason
                yield replace(gap, reason=reason, variables=not named.optional)

    def _from_files(self, service: Table) -> Iterator[tuple[Variable, str]]:
        """Yield what the files of `env_file` set, beside the file that names each."""
        for named in files_of(service):
            path = named.path
            file = joined(path.place.file, path.text)
            if named.raw and path.explicit:
                source = Source(file, self.context.read(file) or "")
                yield from ((one, path.place.file) for one in container_file(source))
            if named.raw or not path.explicit:
                continue
            for entry in self.loader.variables(file, self.project.around):
                variable = Variable(
                    name=entry.name,
                    value=entry.value or "",
                    place=Place(file, entry.line, entry.name),
                    written=entry.written,
                    unresolved=entry.value is None,
                )
                yield variable, path.place.file

    def _models(self, name: str, service: Table, begun: Iterator[ModelUse]) -> tuple[ModelUse, ...]:
        """Return the models that the server's command and scripts ask for, and jobs beside it."""
        ours = [job for job in self.jobs.values() if self._asked(job) in {"", name}]
        asked = (
            use_of(call, asking.place_of(key))
            for asking in (service, *ours)
            for key in ["command" if "command" in asking.entries else "entrypoint"]
            for call in _calls(self._command(asking), self.engine)
        )
        return each_once((*begun, *asked))

    def _asked(self, job: Table) -> str:
        """Return the server that a job talks to, empty where it does not say."""
        words = " ".join((job.text("environment", self.engine.address), *argv(job, "command")))
        named = (n for n in self.servers if re.search(rf"(?<![\w.-]){re.escape(n)}:\d", words))
        return next(named, "")


def _of_gpu(service: Table) -> Iterator[Line]:
    """Yield the options of requests for GPUs of NVIDIA, whose driver in Docker reads none."""
    for request in service.items("deploy", "resources", "reservations", "devices"):
        if isinstance(request, Table) and request.text("driver") in {"", "nvidia"}:
            for name, node in request.table("options").entries.items():
                yield Line(section=OF_GPU, name=name, value=_text(node), place=node.place)


def _text(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""


_MOST_RIVALS: Final = 20


def _profiles(service: Table) -> set[str]:
    return {node.text for node in service.items("profiles") if isinstance(node, Scalar)}


def _calls(words: list[str], engine: Engine, depth: int = 0) -> Iterator[Call]:
    """Yield the calls of a command, also those of a shell inside a shell, and of the API."""
    yield from calls(words, engine)
    # `curl URL -d '{"name": …}'` is several words.
    yield from (Call(verb, model) for verb, model in re.findall(engine.api_call, " ".join(words)))
    inner = [at for at, word in enumerate(words[:-2]) if is_shell(word)]
    for at in inner if depth < _DEEPEST else ():
        if words[at + 1] == "-c":
            if at:
                yield from calls(words[at:], engine)
            yield from _calls(tokens(words[at + 2]), engine, depth + 1)
