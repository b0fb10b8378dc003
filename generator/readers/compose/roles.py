"""What the services of a project are to an engine, and what they ask of its program."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, image_name, is_variable_of
from generator.readers.commands.servers import asked_in, servers_in
from generator.readers.compose.container import (
    BEGINS,
    all_words,
    argv,
    ports_of,
    reference,
    texts_of,
    words_of,
)
from generator.readers.compose.project import only_adds
from generator.readers.syntax.shell import Call, calls, is_shell, tokens, use_of
from generator.records import replace
from generator.units import EVERYWHERE
from generator.view import Command, ModelUse, each_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.engines.signs import Signs as Engine
    from generator.readers.compose.project import Project
    from generator.readers.dockerfile.built import Built
    from generator.readers.syntax.yaml_tree import Table
    from generator.view import Place

_BETWEEN: Final = r"[\"',\s]+"
_DEEPEST: Final = 3
_EVERYWHERE: Final = (*EVERYWHERE, "http://0.0.0.0")
_MAKING: Final = frozenset({"image", "build", "command", "entrypoint", "extends"})
"""Keys that say what a service runs; one without them adds to a service of another file."""
_KEEPING: Final = frozenset({"restart", "volumes", "ports"})
"""Keys of a service that stands for itself."""
_ADDRESS: Final = re.compile(r"URL|URI|BASE|ENDPOINT|SERVER")


class Roles:
    """Which services are `servers` of the engine, and which are `jobs` that ask one.

    `built` are the images that they build, by the identity of the service. Of an `overlay` the file
    that it is laid over may be read elsewhere.
    """

    def __init__(
        self,
        project: Project,
        context: Context,
        built: Mapping[int, Built | None],
        *,
        overlay: bool,
    ) -> None:
        self.project, self.context, self.built, self.overlay = project, context, built, overlay
        self.engine = context.engine
        self._commands: dict[int, list[str]] = {}
        every = project.services.items()
        self.servers = {name: one for name, one in every if self._is_server(name, one)}
        others = {name: one for name, one in every if name not in self.servers}
        self.jobs = {name: one for name, one in others.items() if self._is_client(name, one)}

    def _is_server(self, name: str, service: Table) -> bool:
        """Whether a service runs the server: by its command, its image, or where it listens."""
        engine = self.engine
        if self._starts(self._command(service)):
            return True
        if self._is_client(name, service):
            return self._is_meant(name, service)
        if not service.entries.keys() & _MAKING:
            return self._is_told(name, service)
        base = self.repository(service).rpartition("/")[2]
        built = self.built.get(id(service))
        ours = "build" in service.entries and (name == engine.name or self._listens(name, service))
        unread = "build" in service.entries and built is None
        image = reference(service, self.project.around)
        open_ = name == engine.name and image.startswith(("$", "{{"))  # Of whatever fills it in.
        named = unread or open_ or engine.is_named_after(base)
        after = named and self._has_place(name, service, built)
        if after or ours or (built and built.serves) or re.fullmatch(engine.builds, base):
            return True
        told = image.startswith("$") and is_variable_of(engine.name, image)
        if told or re.search(engine.brings, image):
            return True
        return service.text("environment", engine.address).startswith(_EVERYWHERE)

    def _is_meant(self, name: str, service: Table) -> bool:
        """Whether a client has the port of a server published, and asks none but itself."""
        words = argv(service, "command")
        told = {"entrypoint", "network_mode", "build", "env_file"} & service.entries.keys()
        if told or not words or words[0] not in self.engine.verbs:
            return False
        ours = self.engine.is_image(self.repository(service))
        asks = self.engine.address in service.table("environment").entries
        port = str(self.context.catalogue.at(self.engine.name).image.port)
        published = any(text.rpartition(":")[2] == port for text, _ in ports_of(name, service))
        return ours and published and not asks

    def _has_place(self, name: str, service: Table, built: Built | None) -> bool:
        """Whether a service keeps what the server keeps, or has an image that has its port."""
        image = self.context.catalogue.at(self.engine.name).image
        home = re.compile(rf"(?:^|:){re.escape(posixpath.dirname(image.models_path))}(?:[/:]|$)")
        if any(home.search(text) for text in texts_of(service.items("volumes"))):
            return built is None
        ports = ports_of(name, service) if "build" not in service.entries else ()
        return any(text.rpartition(":")[2] == str(image.port) for text, _ in ports)

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

    def adds(self, service: Table) -> bool:
        """Whether it only adds to a service of a file that is not read here, as overlays do."""
        keys = service.entries.keys()
        made = keys & _MAKING
        bare = not keys & _KEEPING or (made == {"build"} and only_adds(service))
        return not made or (self.overlay and bare)

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

    def calls(self, service: Table) -> tuple[Command, ...]:
        """Return the calls of the engine's program that a service is."""
        plain = "entrypoint" not in service.entries
        if self.engine.by_arguments and not (
            plain and self.engine.is_image(self.repository(service))
        ):
            return tuple(self._servers(service))
        program, *words = self._command(service) or [""]
        key = "command" if "command" in service.entries else "entrypoint"
        if program.rpartition("/")[2] != self.engine.name or key not in service.entries:
            return tuple(asked_in(self._placed(service), self.engine))
        places = [service.place_of(key)] * len(words)
        if self.engine.module and words:
            # Its words are judged one by one.
            own = [word.place for word in words_of(service, key)]
            places = [*places, *own][-len(words) :] if len(own) >= len(words) else places
        return (Command(tuple(zip(words, places, strict=True))),)

    def _servers(self, service: Table) -> Iterator[Command]:
        """Yield the server that a service starts, or a shell in it."""
        yield from servers_in(self._placed(service), self.engine)

    def _placed(self, service: Table) -> list[tuple[str, Place]]:
        """Return the words of a service, each where its text begins."""
        words = all_words(service)
        return [(word.text, replace(word.place, line=word.starts)) for word in words]

    def of_jobs(self) -> Iterator[Command]:
        """Yield the calls of the program in the services that ask a server."""
        for job in self.jobs.values() if not self.engine.by_arguments else ():
            yield from self.calls(job)

    def _command(self, service: Table) -> list[str]:
        """Return what a service of the project runs; several ask of each."""
        known = self._commands.get(id(service))
        if known is None:
            known = self._commands[id(service)] = self._run_by(service)
        return known

    def _run_by(self, service: Table) -> list[str]:
        """Return what a service runs, with the entry point of the engine's own image."""
        entry, command = (argv(service, key) for key in BEGINS)
        built = self.built.get(id(service))
        if built is not None and not entry and not command:
            return built.starts.split()
        if not entry and self.engine.is_image(self.repository(service)):
            program, *verb = self.engine.command
            return [program, *(command or verb)]
        return [*entry, *command]

    def repository(self, service: Table) -> str:
        """Return the image of a service, without tag and digest."""
        return image_name(reference(service, self.project.around)).repository

    def models(self, name: str, service: Table, begun: Iterator[ModelUse]) -> tuple[ModelUse, ...]:
        """Return the models that the server's command and scripts ask for, and jobs beside it."""
        ours = [job for job in self.jobs.values() if self.asked(job) in {"", name}]
        asked = (
            use_of(call, asking.place_of(key))
            for asking in (service, *ours)
            for key in ["command" if "command" in asking.entries else "entrypoint"]
            for call in _calls(self._command(asking), self.engine)
        )
        return each_once((*begun, *asked))

    def asked(self, job: Table) -> str:
        """Return the server that a job talks to, empty where it does not say."""
        words = " ".join((job.text("environment", self.engine.address), *argv(job, "command")))
        named = (n for n in self.servers if re.search(rf"(?<![\w.-]){re.escape(n)}:\d", words))
        return next(named, "")


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
