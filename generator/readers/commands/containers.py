"""Servers that a command line runs in a container."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from generator.readers import container
from generator.readers.base import image_name, is_variable_of
from generator.readers.clients import client, client_in
from generator.readers.commands.servers import servers_in
from generator.readers.commands.words import client_at, dashed
from generator.readers.layers import overruled, said
from generator.readers.syntax.options import Argument, Option, Run, run
from generator.view import Command, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.around import Client
    from generator.engines.signs import Signs as Engine
    from generator.readers.base import Context
    from generator.view import ModelUse, Phrases, Place, View

_OFTEN: Final = "always"  # what a service of a swarm does unless told otherwise


def _ran(words: Sequence[Argument]) -> Run | None:
    """Return what a command line runs in a container."""
    at = client_at(words)
    if at is None:
        return None
    client = dataclasses.replace(words[at], text=words[at].text.lstrip("@-"))
    return run([client, *map(dashed, words[at + 1 :])])


def asking(words: Sequence[Argument], context: Context) -> Client | None:
    """Return the program that a command line runs in a container, and that asks servers."""
    held = _ran(words)
    known = client_in(held.image.text, context) if held else ""
    if held is None or not known:
        return None
    options = list(held.options)
    box = container.container(held.image.text, held.image.place, options, held.client, "")
    box = dataclasses.replace(box, arguments=container.arguments(options, held.rest))
    given = (variable for variable, _ in container.variables(options, context, None))
    return client(known, box, given, container.gaps(options, context))


def started(words: Sequence[Argument], engine: Engine) -> Run | None:
    """Return the server that a command line runs in a container."""
    found = _ran(words)
    if found is None or not is_a_server(found, engine):
        return None
    return None if _runs_another(found, engine) else found


def is_a_server(held: Run, engine: Engine) -> bool:
    """Return whether an image is the engine's, or somebody's of that name with its port."""
    image, port = image_name(held.image.text).repository, str(engine.nixos_address[1])
    if engine.is_image(image) or is_variable_of(engine.name, held.image.text):
        return True
    ports = [one.value.rpartition(":")[2] for one in held.options if one.name == "publish"]
    return engine.is_named_after(image) and port in ports


_OTHERS: Final = re.compile(
    r"(?:.*/)?(?:nvidia-smi|nvcc|rocm-?smi|rocminfo|cat|ls|env|printenv|which|true|id|pip3?|find|du)"
)
_INTERPRETERS: Final = re.compile(r"(?:.*/)?(?:python[\d.]*|(?:ba|da|z)?sh)")


def _runs_another(held: Run, engine: Engine) -> bool:
    """Return whether the image's own program gives way to one that surely is no server."""
    entry = next((one for one in held.options if one.name == "entrypoint"), None)
    if entry is None or _OTHERS.fullmatch(entry.value):
        return entry is not None
    if not _INTERPRETERS.fullmatch(entry.value) or [w.text for w in held.rest[:1]] != ["-c"]:
        return False
    words = [(entry.value, entry.argument.place), *((w.text, w.place) for w in held.rest)]
    told = " ".join(word.text for word in held.rest)
    unknown = "$" in told or re.search(r"[\w-]\.sh\b", told)
    started = " ".join(engine.command) in told or next(servers_in(words, engine), None)
    return not unknown and not started


def asked_of_image(held: Run, engine: Engine) -> Command | None:
    """Return what the program of an image is asked, where it is not the server."""
    own = not any(option.name == "entrypoint" for option in held.options)
    words = tuple((word.text, word.place) for word in held.rest)
    return Command(words) if own and words and words[0][0] in engine.verbs else None


def view_of(
    held: Run,
    book: Phrases,
    context: Context,
    models: tuple[ModelUse, ...],
    beside: Iterable[Line],
    *,
    removed: bool,
) -> View:
    """Return the View of a container; `removed`: the script takes it away again."""
    options = list(held.options)
    gone = removed or any(option.name == "rm" and option.on for option in options)
    restart = _OFTEN if held.swarm else "no" if gone else ""
    box = container.container(held.image.text, held.image.place, options, held.client, restart)
    box = dataclasses.replace(
        box,
        arguments=_arguments(held, context.engine),
        program=container.program(options, held.rest),
    )
    given = container.variables(options, context, None)
    return context.view(
        dataclasses.replace(book, publishes_local=False) if held.swarm else book,
        context.release_of(held.image.text),
        name=named(held) or context.engine.name,
        place=held.image.place,
        variables=tuple(variable for variable, _ in given),
        overruled=overruled(said(given), {}),
        not_judged=container.gaps(options, context),
        bounds=container.bounds(options),
        lines=(*_told(held, options), *beside),
        models=models,
        container=box,
        acceleration=container.acceleration(box, options),
    )


def _arguments(held: Run, engine: Engine) -> tuple[tuple[str, Place], ...]:
    """Return what the server of an image is told, whatever program it is started by."""
    entry = [option for option in held.options if option.name == "entrypoint"]
    if not entry or not engine.by_arguments:
        return container.arguments(held.options, held.rest)
    words = [(option.value, option.argument.place) for option in entry[-1:]]
    words += [(word.text, word.place) for word in held.rest]
    return next((command.words[1:] for command in servers_in(words, engine)), ())


def named(held: Run) -> str:
    """Return the name that a container is given, or nothing."""
    return next((option.value for option in held.options if option.name == "name"), "")


def _told(held: Run, options: Iterable[Option]) -> Iterable[Line]:
    """Yield the program of a container and what it is asked, where they are said."""
    entry = next((option.value for option in options if option.name == "entrypoint"), "")
    command = " ".join(word.text for word in held.rest)
    for key, value in (("entrypoint", entry), ("command", command)):
        if value:
            yield Line(section="", name=key, value=value, place=held.image.place)
