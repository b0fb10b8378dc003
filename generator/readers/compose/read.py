"""Compose files: one View for each service that runs an engine's server.

What Compose would take from the shell is not told: such a variable is there, but has no value.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import ProfileError
from generator.readers.base import not_a_file
from generator.readers.compose.container import argv, container_of, image_of, image_told
from generator.readers.compose.limits import PATHS, bounds
from generator.readers.compose.phrases import COMPOSE
from generator.readers.compose.project import Loader, joined, load_project
from generator.readers.syntax.shell import Call, calls
from generator.readers.syntax.yaml_tree import Scalar, Table, flat
from generator.view import Line, ModelUse, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Context, Source
    from generator.readers.compose.project import Project

_SHELL: Final = re.compile(r"(?:.*/)?(?:ba|da)?sh")
_BETWEEN: Final = r"[\"',\s]+"
_DEEPEST: Final = 3
_EVERYWHERE: Final = ("0.0.0.0", "[::]", "::", "http://0.0.0.0")  # noqa: S104 -- to recognise
_ELSEWHERE: Final = frozenset({("environment",), ("env_file",), ("labels",), ("extends",), *PATHS})


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return the servers of a project: its file, then those that are laid over it.

    Raises ProfileError with every Problem, for what Compose would refuse, too.
    """
    loader = Loader(context.read)
    project = load_project(sources, loader)
    if not project.services and "include" not in project.top.entries:
        hint = "a Compose file has `services:` at its beginning"
        raise not_a_file(sources[0].path, "", "this Compose file has no services", hint)
    views = _views(project, sources, context, loader)
    if loader.problems:
        raise ProfileError(sources[0].path, tuple(dict.fromkeys(loader.problems)))
    return views


def _views(
    project: Project, sources: Sequence[Source], context: Context, loader: Loader
) -> tuple[View, ...]:
    engine = context.engine
    servers = {n: s for n, s in project.services.items() if _is_server(n, s, project, engine)}
    jobs = {
        name: service
        for name, service in project.services.items()
        if name not in servers and _asks(name, service, project, engine)
    }
    neighbours = [name for name in project.services if name not in jobs]
    top = tuple(
        Line(section="", name=name, value=value.text, place=replace(value.place, key=name))
        for name in project.top.entries
        if (value := project.top.scalar(name)) is not None
    )
    return tuple(
        context.view(
            COMPOSE,
            context.release_of(image_told(service)),
            name=name,
            place=Place(service.place.file or sources[0].path, _line(project, name, service)),
            variables=_variables(name, service, project, loader),
            bounds=bounds(f"services.{name}", service, loader),
            lines=(*top, *flat(f"services.{name}", service, _ELSEWHERE)),
            models=_models(name, service, jobs, servers, project, engine),
            container=(held := container_of(f"services.{name}", service, project.around))[0],
            acceleration=held[1],
            neighbours=tuple(other for other in neighbours if other != name),
        )
        for name, service in servers.items()
    )


def _line(project: Project, name: str, service: Table) -> int:
    known = project.top.table("services").places.get(name)
    return known.line if known and known.file == service.place.file else service.place.line


def _is_server(name: str, service: Table, project: Project, engine: Engine) -> bool:
    """Whether a service runs the server: by its command, its image, or where it listens."""
    image = image_of(service, project.around)
    text = " ".join(_command(service, project, engine))
    if re.search(rf"\b{_BETWEEN.join(engine.command)}\b", text):
        return True
    if _asks(name, service, project, engine):
        return False
    base = image.repository.rpartition("/")[2]
    if re.fullmatch(engine.builds, base) or (name == engine.name and "build" in service.entries):
        return True
    return service.text("environment", engine.address).startswith(_EVERYWHERE)


def _asks(name: str, service: Table, project: Project, engine: Engine) -> bool:
    """Whether a service is a client: by what it runs, or by the server that it names."""
    words = _command(service, project, engine)
    host = service.text("environment", engine.address).rpartition("://")[2].partition(":")[0]
    elsewhere = host != name and host in project.services
    return elsewhere or bool(re.search(engine.asks, " ".join(words))) or any(_calls(words, engine))


def _command(service: Table, project: Project, engine: Engine) -> list[str]:
    """Return what a service runs, with the entry point of the engine's own image."""
    entry, command = (argv(service, key) for key in ("entrypoint", "command"))
    image = image_of(service, project.around)
    if not entry and engine.is_image(image.repository):
        program, *verb = engine.command
        return [program, *(command or verb)]
    return [*entry, *command]


def _variables(name: str, service: Table, project: Project, loader: Loader) -> tuple[Variable, ...]:
    found = _from_files(service, project, loader)
    node = service.get("environment")
    if isinstance(node, Scalar) and node.kind == "null":
        place = service.place_of("environment")
        message = f"`services.{name}.environment` is empty, which Compose refuses"
        hint = "take the key out, or write variables below it"
        raise not_a_file(place.file, f"line {place.line}", message, hint)
    for variable in _own(name, service.table("environment"), project.around):
        found.pop(variable.name, None)
        found[variable.name] = variable
    return tuple(found.values())


def _own(name: str, table: Table, around: Mapping[str, str | None]) -> Iterator[Variable]:
    for key, node in table.entries.items():
        if not isinstance(node, Scalar):
            continue
        passed = node.kind == "null"
        value = around.get(key) if passed else node.text
        yield Variable(
            name=key,
            value=value or "",
            place=Place(node.place.file, node.place.line, f"services.{name}.environment.{key}"),
            written="" if passed else node.replaceable,
            unresolved=value is None or not node.explicit,
        )


def _from_files(service: Table, project: Project, loader: Loader) -> dict[str, Variable]:
    """Return what the files of `env_file` set, later ones winning."""
    found: dict[str, Variable] = {}
    for node in service.items("env_file"):
        path = node.scalar("path") if isinstance(node, Table) else node
        if not isinstance(path, Scalar) or not path.explicit:
            continue
        file = joined(path.place.file, path.text)
        for entry in loader.variables(file, project.around):
            found.pop(entry.name, None)
            found[entry.name] = Variable(
                name=entry.name,
                value=entry.value or "",
                place=Place(file, entry.line, entry.name),
                written=entry.written,
                unresolved=entry.value is None,
            )
    return found


def _models(
    name: str,
    service: Table,
    jobs: Mapping[str, Table],
    servers: Mapping[str, Table],
    project: Project,
    engine: Engine,
) -> tuple[ModelUse, ...]:
    """Return the models that the server's own command asks for, and the jobs beside it."""
    found: dict[str, ModelUse] = {}
    ours = [job for job in jobs.values() if _asked(job, servers, engine) in {"", name}]
    for asking in (service, *ours):
        key = "command" if "command" in asking.entries else "entrypoint"
        place = asking.place_of(key)
        for call in _calls(_command(asking, project, engine), engine):
            warmed = call.verb in {"run", "generate", "chat"}
            before = found.get(call.model)
            warmed = warmed or (before is not None and before.warmed)
            found[call.model] = ModelUse(
                name=call.model, place=before.place if before else place, warmed=warmed
            )
    return tuple(found.values())


def _asked(job: Table, servers: Mapping[str, Table], engine: Engine) -> str:
    """Return the server that a job talks to, empty where it does not say."""
    words = " ".join((job.text("environment", engine.address), *argv(job, "command")))
    return next((n for n in servers if re.search(rf"(?<![\w.-]){re.escape(n)}:\d", words)), "")


def _calls(words: list[str], engine: Engine, depth: int = 0) -> Iterator[Call]:
    """Yield the calls of a command, also those of a shell inside a shell, and of the API."""
    yield from calls(words, engine)
    # `curl URL -d '{"name": …}'` is several words.
    yield from (Call(verb, model) for verb, model in re.findall(engine.api_call, " ".join(words)))
    inner = [at for at, word in enumerate(words[:-2]) if _SHELL.fullmatch(word)]
    for at in inner if depth < _DEEPEST else ():
        if words[at + 1] == "-c":
            if at:
                yield from calls(words[at:], engine)
            yield from _calls(_split(words[at + 2]), engine, depth + 1)


def _split(script: str) -> list[str]:
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return []
