"""Podman quadlets, podman-systemd.unit(5): the Views of `.container` files that run an engine.

Podman puts the container below the service, so that limits of both hold.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.errors import ProfileError
from generator.readers import container
from generator.readers.base import Context, Source, image_name, is_variable_of
from generator.readers.clients import client, client_in, clients_alone
from generator.readers.dockerfile.built import (
    Built,
    dockerfile_in,
    not_at_hand,
    of_dockerfile,
    over,
)
from generator.readers.given import given
from generator.readers.layers import overruled, said
from generator.readers.quadlet import KUBE, QUADLET
from generator.readers.quadlet.kube import kubes, with_played
from generator.readers.syntax import unit
from generator.readers.syntax.options import Argument, Option, options
from generator.readers.syntax.storage import network, size_option
from generator.readers.systemd.limits import bounds, unread
from generator.readers.systemd.merged import Unit, manager_of, merged, models
from generator.view import Bound, Command, Container, Key, Place, Variable, View, Volume

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.readers.syntax.unit import Assignment
    from generator.view import Line

    Images = Mapping[str, Assignment]

_CONTAINER: Final = "Container"
_QUOTE: Final = "\"'"
_BUILD: Final = ".build"
_WHOLE: Final = {
    "EnvironmentFile": "env-file",
    "PublishPort": "publish",
    "Volume": "volume",
    "Mount": "mount",
    "AddDevice": "device",
    "AddCapability": "cap-add",
    "Network": "network",
    "HealthCmd": "health-cmd",
    "User": "user",
    "Entrypoint": "entrypoint",
    "ReadOnly": "read-only",
    "Tmpfs": "tmpfs",
    "UserNS": "userns",
    "Ulimit": "ulimit",
    "Label": "label",
    "Memory": "memory",
    "PidsLimit": "pids-limit",
    "Secret": "secret",
}
"""Keys of `[Container]` and the option of `podman run` that each becomes."""
_NAMED: Final[dict[str, str | tuple[str, ...]]] = {
    "Volume": ".volume",
    "Network": ".network",
    "Pod": ".pod",
    "Image": (".image", _BUILD),
}
"""Keys of `[Container]` that may name another quadlet, and how that ends."""
_SINGLE: Final = (
    *("AutoUpdate", "ContainerName", "Entrypoint", "Exec", "Group", "HealthCmd", "Image", "Memory"),
    *("PidsLimit", "Pull", "ShmSize", "User", "WorkingDir"),
)
"""Keys of `[Container]` that take one value, of which the last counts."""


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each container that runs the engine. Raises ProfileError as `unit.parse`."""
    kept = [source for source in sources if _end(source) != KUBE]
    views = _containers(kept, context)
    if len(kept) == len(sources):
        return views
    played = kubes([source for source in sources if source not in kept], context)
    return with_played(views, played, alone=not kept)


def _end(source: Source) -> str:
    return PurePosixPath(source.read_as or source.path).suffix


def _containers(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    named = [s for s in sources if PurePosixPath(s.path).suffix in {".container", ".conf"}]
    images = {}
    for source in (source for source in sources if source not in named):
        if told := unit.named(unit.parse(source), "Image", "Image"):
            images[PurePosixPath(source.path).name] = told[-1]
    units = merged(named, ".container", f"{context.engine.name}.container")
    every = ((one, _built(one, context)) for one in units)
    servers = {
        one.name: _view(one, images, built, context)
        for one, built in every
        if (built is not None and built.serves) or _is_server(one, images, context)
    }
    others = (one for one in units if one.name not in servers)
    clients = (_client(one, images, context, alone=not servers) for one in others)
    return (*servers.values(), *(view for view in clients if view is not None))


def _client(one: Unit, images: Images, context: Context, *, alone: bool) -> View | None:
    """Return the View of a unit that runs a program which asks servers; None: it is none."""
    image = _image(one, images)
    known = client_in(image, context)
    if not known:
        return None
    found = [*_options(one), *_of_pod(one, context)]
    box = container.container(image, _at(one), found, "podman", one.last("Restart"))
    words = container.arguments(found, _run(one))
    box = replace(box, arguments=words, named=_named(one, images))
    variables = (variable for variable, _ in _variables(found, context))
    view = clients_alone(
        [client(known, box, variables, container.gaps(found, context))],
        QUADLET,
        context,
        Place(one.files[0]),
        name=one.name,
        lines=unit.lines(one.assignments),
        keys=tuple(_key(a) for a in one.assignments if a.key),
        unread=(*unread(one.assignments, context.host), *_unread(one)),
        manager=manager_of(one, context),
    )
    return view if alone else replace(view, not_judged=())


def _is_build(one: Unit) -> bool:
    return one.last("Image", _CONTAINER).strip(_QUOTE).endswith(_BUILD)


def _built(one: Unit, context: Context) -> Built | None:
    """Return what the Dockerfile says that a `.build` beside the unit names; None: none is."""
    if not _is_build(one):
        return None
    path = _beside(one.files[0], one.last("Image", _CONTAINER).strip(_QUOTE))
    text = context.read(path)
    lines = unit.parse(Source(path, text)) if text is not None else ()
    told = {a.key: a.value for a in lines if a.section == "Build"}
    folder, file = str(PurePosixPath(path).parent), told.get("File", "")
    directory = told.get("SetWorkingDirectory", "")
    if directory not in {"", "unit", "file"}:
        folder = posixpath.join(folder, directory)
    if not lines or "%" in f"{file}{directory}":
        return None
    by = one.files[0] if directory.startswith("/") or file.startswith("/") else ""
    source = dockerfile_in(folder, file, context, by)
    try:
        return of_dockerfile(source, context, told.get("Target", "")) if source else None
    except ProfileError:
        return None  # Its own check says so.


def _of_pod(one: Unit, context: Context) -> Iterator[Option]:
    """Yield the ports that the pod publishes which `Pod=` names: its containers share them."""
    for named in one.named("Pod", _CONTAINER)[-1:]:
        path = _beside(named.file, named.value)
        text = context.read(path) if named.value.endswith(".pod") else None
        for port in (
            unit.named(unit.parse(Source(path, text)), "PublishPort", "Pod") if text else ()
        ):
            yield Option("publish", port.value, one.argument(port.value, port))


def _beside(file: str, name: str) -> str:
    folder = PurePosixPath(file).parent
    return str((folder.parent if folder.name.endswith(".d") else folder) / name)


def _image(one: Unit, images: Images) -> str:
    """Return the image, also where `Image=` names a quadlet of its own."""
    text = one.expanded(one.last("Image", _CONTAINER)).text.strip(_QUOTE)
    return images[text].value.strip(_QUOTE) if text in images else text


def _at(one: Unit) -> Place:
    """Return where that stands in the quadlet itself."""
    told = one.named("Image", _CONTAINER)
    return told[-1].place() if told else Place(one.files[0])


def _named(one: Unit, images: Images) -> Place | None:
    """Return where a quadlet of its own names the image; None: the container does."""
    text = one.expanded(one.last("Image", _CONTAINER)).text.strip(_QUOTE)
    return images[text].place() if text in images else None


def _further(one: Unit, context: Context) -> Iterator[Assignment]:
    """Yield what the quadlets say that the container names: volumes, networks, a pod, an image."""
    seen: set[str] = set()
    for key, end in _NAMED.items():
        for assignment in one.named(key, _CONTAINER):
            name = assignment.value.strip(_QUOTE).partition(":")[0]
            path = _beside(assignment.file, name)
            if not name.endswith(end) or "/" in name or path in seen:
                continue
            seen.add(path)
            text = context.read(path)
            yield from unit.parse(Source(path, text)) if text is not None else ()


def _is_server(one: Unit, images: Images, context: Context) -> bool:
    image, engine = _image(one, images), context.engine
    stem = one.name.rpartition(".")[0].partition("@")[0]
    if not image:
        return stem.startswith(engine.name)
    called = engine.name in {stem, one.last("ContainerName", _CONTAINER)}
    if _is_build(one) and image.endswith(_BUILD):
        return called  # Nobody can read here what is built.
    if is_variable_of(engine.name, image):
        return True
    return engine.is_build(image_name(image).repository, called=called)


def _view(one: Unit, images: Images, built: Built | None, context: Context) -> View:
    image = built.image if built else _image(one, images)
    found = [*_options(one), *_of_pod(one, context)]
    place, lacks = _at(one), _is_build(one) and built is None
    if lacks:
        # What is built here is never pulled.
        image = f"localhost/{image.removesuffix(_BUILD)}"
    box = container.container(image, place, found, "podman", one.last("Restart"))
    words = container.arguments(found, _run(one))
    shared = box.shared or one.last("ShmSize", _CONTAINER)
    box = replace(box, volumes=tuple(_volumes(box, context)), arguments=words, shared=shared)
    box = replace(box, program=container.program(found, _run(one)))
    box = replace(box, unbound=tuple(_misnamed(one, context)), named=_named(one, images))
    box = over(built, box, told=bool(words or one.named("Entrypoint", _CONTAINER)))
    below = [(v, v.place.file) for v in built.variables] if built else []
    entry = list(_words(one, one.named("Entrypoint", _CONTAINER)[-1:]))
    by_command = [(v, v.place.file) for v in given([*entry, *_run(one)], context.engine)]
    variables = [*below, *_variables(found, context), *by_command]
    effective = [variable for variable, _ in variables]
    lost = [not_at_hand(f"Image={_image(one, images)}", place)] if lacks else []
    called = Command(tuple((word.text, word.place) for word in _run(one)))
    single = [a.said() for key in _SINGLE for a in one.named(key, _CONTAINER)]
    return context.view(
        QUADLET,
        context.release_of(image),
        name=one.name,
        place=Place(one.files[0]),
        variables=tuple(built.read(effective) if built else effective),
        bounds=_tighter(bounds(one.assignments, context.host), container.bounds(found)),
        lines=(*(built.lines if built else ()), *unit.lines(one.assignments)),
        keys=tuple(_key(a) for a in (*one.assignments, *_further(one, context)) if a.key),
        commands=(called,) if called.words and not entry else (),
        unread=(*unread(one.assignments, context.host), *_unread(one)),
        overruled=overruled((*said(variables), *single), one.ranks),
        not_judged=(*lost, *container.gaps(found, context)),
        models=models([one], context.engine),
        container=box,
        adds=not one.whole,
        manager=manager_of(one, context),
        acceleration=container.acceleration(box, found),
    )


def _volumes(box: Container, context: Context) -> Iterator[Volume]:
    """Yield what the quadlets of volumes tell that the container mounts."""
    for text, place in box.mounts:
        name, _, target = text.partition(":")
        path = PurePosixPath(place.file).parent / name
        if PurePosixPath(path.parent).name.endswith(".d"):
            path = path.parent.parent / name
        told = context.read(str(path)) if name.endswith(".volume") else None
        if told is None:
            continue
        lines = unit.parse(Source(str(path), told))
        by_key = {a.key: a for a in lines if a.section == "Volume" and a.value}
        kinds = {key: by_key[key].value for key in ("Type", "Driver", "Device") if key in by_key}
        options = by_key["Options"].value if "Options" in by_key else ""
        first = next((by_key[key].place() for key in kinds), Place(str(path)))
        yield Volume(
            target=target.partition(":")[0],
            place=first,
            size=size_option(options),
            network=network(*kinds.values()),
        )


def _misnamed(one: Unit, context: Context) -> Iterator[tuple[str, Place]]:
    """Yield the names of quadlets that are not there, where one by almost that name is."""
    for key, ends in _NAMED.items():
        for assignment in one.named(key, _CONTAINER):
            name = assignment.value.strip(_QUOTE).partition(":")[0]
            if name.endswith(ends) and not {"/", "%", "$", "{"} & set(name):
                folder = _beside(assignment.file, name)
                beside = {PurePosixPath(path).name for path in context.listed(folder)}
                there = any(path.startswith(name) for path in beside)
                if not there and _letters(name) in map(_letters, beside):
                    yield name, assignment.place()


def _letters(name: str) -> str:
    """Return a name without what people spell in several ways."""
    stem, dot, end = name.lower().rpartition(".")
    return re.sub(r"[-_.]", "", stem).removesuffix("s") + dot + end


def _key(assignment: Assignment) -> Key:
    path = (assignment.section, assignment.key)
    return Key(path=path, place=assignment.place(), value=assignment.value)


def _options(one: Unit) -> Iterator[Option]:
    """Yield what podman is called with: keys first, then `PodmanArgs=`."""
    for key, name in _WHOLE.items():
        for assignment in one.named(key, _CONTAINER):
            argument = one.argument(assignment.value, assignment)
            # Podman takes them off some values, and refuses others with them (HW524).
            text = argument.text.strip(_QUOTE)
            if name == "env-file" and not text.startswith(("/", "%")):
                # It counts from the quadlet's directory.
                text = str(PurePosixPath(assignment.file).parent / text)
            yield Option(name, text, argument)
    for assignment in one.named("Pull", _CONTAINER):
        yield Option("pull", assignment.value, one.argument(assignment.value, assignment))
    for assignment in one.named("AutoUpdate", _CONTAINER):
        argument = one.argument(assignment.value, assignment)
        yield Option("label", f"io.containers.autoupdate={argument.text}", argument)
    for argument in _words(one, one.named("Environment", _CONTAINER)):
        yield Option("env", argument.text, argument)
    found, _ = options(list(_words(one, one.named("PodmanArgs", _CONTAINER))))
    yield from found


def _unread(one: Unit) -> Iterator[Line]:
    """Yield what of `Environment=` is dropped: Podman hands on a name with a blank in it."""
    for line in one.unread(_CONTAINER):
        name, equals, _ = line.value.partition("=")
        if not equals or not name.split()[1:] or '"' in name:
            yield line


def _run(one: Unit) -> list[Argument]:
    """Return the words of `Exec=`, of which the last counts."""
    return list(_words(one, one.named("Exec", _CONTAINER)[-1:]))


def _variables(found: Sequence[Option], context: Context) -> list[tuple[Variable, str]]:
    """Return what the container is given: systemd expands `${NAME}` in a word, and no `$NAME`."""
    return [
        (replace(one, unresolved=False) if _is_plain(one.value) else one, by)
        for one, by in container.variables(found, context, {})
    ]


def _is_plain(value: str) -> bool:
    return "$" in value and "${" not in value and "%" not in value


def _words(one: Unit, assignments: Sequence[Assignment]) -> Iterator[Argument]:
    for assignment in assignments:
        for word in assignment.words():
            yield one.argument(word.text, assignment, word)


def _tighter(service: Sequence[Bound], inner: Sequence[Bound]) -> tuple[Bound, ...]:
    """Return the limits of both, of two under one name the one that is reached first."""
    found = {bound.name: bound for bound in service}
    for bound in inner:
        other = found.get(bound.name)
        before, value = other.value if other else None, bound.value
        if isinstance(before, int) and (
            value is None or (isinstance(value, int) and value >= before)
        ):
            continue
        found[bound.name] = bound
    return tuple(found.values())
