"""`render.yaml`: the services that Render starts of an image or a Dockerfile of the engine."""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import ProfileError
from generator.readers.base import Context, Source, each, image_name
from generator.readers.dockerfile.built import Built, dockerfile_in, of_dockerfile, over
from generator.readers.render import RENDER
from generator.readers.syntax.yaml_tree import Scalar, Table, parse
from generator.view import INGRESS, Asked, Container, Line, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import View

_NAMED: Final = "*.onrender.com"


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each service of the engine. Raises ProfileError as `yaml_tree.parse`."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> list[View]:
    top = parse(source)
    services = top.items("services") if isinstance(top, Table) else ()
    tables = (one for one in services if isinstance(one, Table))
    return [view for one in tables if (view := _view(one, source, context)) is not None]


def _view(service: Table, source: Source, context: Context) -> View | None:
    image, built = service.text("image", "url"), _built(service, source, context)
    ours = context.engine.is_image(image_name(image).repository)
    if not ours and not (built is not None and built.serves):
        return None
    image = built.image if built else image
    url = service.scalar("image", "url") or service.scalar("dockerfilePath")
    name = image_name(image)
    box = Container(
        image=image,
        place=replace(url.place if url else service.place, key="image"),
        tag=name.tag,
        digest=name.digest,
        mounts=tuple(_mounts(service)),
        restart="always",
        exposed=tuple(_exposed(service)),
        asked=(Asked(by="Render", port="", place=service.place),),
    )
    variables = [*(built.variables if built else ()), *_variables(service)]
    told = service.scalar("dockerCommand")
    box = replace(box, program=_program(told)) if told is not None else box
    return context.view(
        RENDER,
        context.release_of(image),
        name=service.text("name") or context.engine.name,
        place=service.place,
        variables=tuple(built.read(variables) if built else variables),
        lines=built.lines if built else (),
        container=over(built, box, told=told is not None),
    )


def _program(told: Scalar) -> tuple[tuple[str, Place], ...]:
    """Return the words of `dockerCommand`; of one that nobody can part, none."""
    try:
        words = shlex.split(told.text)
    except ValueError:
        return ()
    return tuple((word, replace(told.place, line=told.starts)) for word in words)


def _built(service: Table, source: Source, context: Context) -> Built | None:
    """Return what the Dockerfile says that Render builds; None: it builds none."""
    if "docker" not in {service.text("runtime"), service.text("env")}:
        return None
    folder = posixpath.join(posixpath.dirname(source.path), service.text("rootDir"))
    found = dockerfile_in(folder, service.text("dockerfilePath"), context)
    try:
        return of_dockerfile(found, context) if found else None
    except ProfileError:
        return None  # Its own check says so.


def _variables(service: Table) -> Iterator[Variable]:
    for entry in (one for one in service.items("envVars") if isinstance(one, Table)):
        key, value = entry.scalar("key"), entry.scalar("value")
        if isinstance(key, Scalar):
            yield Variable(
                name=key.text,
                value=value.text if value else "",
                place=replace((value or key).place, key=f"envVars.{key.text}"),
                written=value.replaceable if value else "",
                unresolved=value is None,
                named=key.place,
            )


def _mounts(service: Table) -> Iterator[tuple[str, Place]]:
    disk = service.table("disk")
    if path := disk.scalar("mountPath"):
        yield f"{disk.text('name') or 'disk'}:{path.text}", path.place


def _exposed(service: Table) -> Iterator[Line]:
    """Yield the name by which Render opens a web service; a private one has none."""
    kind = service.scalar("type")
    if kind is not None and kind.text == "web":
        yield Line(section=INGRESS, name="render", value=_NAMED, place=kind.place)
