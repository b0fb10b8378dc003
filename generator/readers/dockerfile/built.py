"""What a container has of the Dockerfile that its image is built from, on the host."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, Source
from generator.readers.beside import installed
from generator.readers.dockerfile.image import Stage, stages
from generator.readers.dockerfile.program import of_engine
from generator.readers.dockerfile.read import box_of, lines_of, variables_of
from generator.records import dataclass
from generator.view import Container, Line, NotJudged, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

NAMES: Final = ("Dockerfile", "Containerfile")


@dataclass(frozen=True, slots=True)
class Built:
    """An image that is built: the reference of its base, and what its Dockerfile says.

    `serves`: it is one of the engine's server.
    """

    image: str
    container: Container
    variables: tuple[Variable, ...]
    lines: tuple[Line, ...]
    serves: bool
    entry: bool
    """Whether it has an entry point of its own."""
    starts: str
    """What a container of it runs."""
    read: Callable[[Iterable[Variable]], Iterator[Variable]]
    """Returns variables of its container with whom they reach: the server, or its scripts."""


def of_dockerfile(
    source: Source, context: Context, target: str = "", told: Mapping[str, str] | None = None
) -> Built | None:
    """Return what a Dockerfile builds; None: it has no stage by the name `target`.

    Raises ProfileError for what no builder takes.
    """
    found = stages(source, told)
    named = [stage for stage in found if stage.name == target.lower()] if target else found
    if not named:
        return None
    stage: Stage = named[-1]
    return Built(
        image=stage.image,
        container=box_of(stage, context),
        variables=tuple(variables_of(stage, source, context)),
        lines=lines_of(stage, source, context),
        serves=stage.serves(context.engine, of_engine(found, context.engine)),
        entry=stage.entry is not None,
        starts=stage.starts(),
        read=lambda found: variables_of(stage, source, context, found),
    )


def over(image: Built | None, box: Container, *, told: bool) -> Container:
    """Return a container with what its image has where it says nothing itself.

    `told`: it names a command or an entry point.
    """
    if image is None:
        return box
    base = image.container
    return replace(
        box,
        image=base.image,
        tag=base.tag,
        user=box.user or base.user,
        healthcheck=box.healthcheck or base.healthcheck,
        program=box.program if told else base.program,
        arguments=base.arguments if not told else () if image.entry else box.arguments,
        moving=True,
    )


def dockerfile_in(folder: str, name: str, context: Context, by: str = "") -> Source | None:
    """Return the Dockerfile of a folder, by its name where one is told; None: not at hand.

    `by` is the file that names it, where it does so by the path at which it will be installed.
    """
    for each in (name,) if name else NAMES:
        path = posixpath.normpath(posixpath.join(folder, each))
        if by:
            source = installed(path, by, context)
        else:
            text = context.read(path)
            source = None if text is None else Source(path, text)
        if source is not None:
            return source
    return None


def not_at_hand(what: str, place: Place) -> NotJudged:
    """Return what is to be said of an image whose Dockerfile nobody can read here."""
    return NotJudged(
        file=place.file,
        part=f"`{what}`",
        line=place.line,
        reason="the Dockerfile is not at hand, and its ENV holds where the service says nothing",
        hint="check it where it is, together with this file",
    )
