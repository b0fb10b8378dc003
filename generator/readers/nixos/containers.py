"""Containers of NixOS: `virtualisation.oci-containers`, quadlet-nix, and services of arion."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers import container
from generator.readers.base import Context, Source, image_name
from generator.readers.clients import client, client_in
from generator.readers.nixos import CONTAINER
from generator.readers.nixos.evaluate import Definition, Definitions, unit_text
from generator.readers.syntax.nix import UNKNOWN
from generator.readers.syntax.options import Argument, Option, options
from generator.view import NotJudged, sometimes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.around import Client
    from generator.view import Container as Box
    from generator.view import Line, Phrases, Place, View

OCI: Final = ("virtualisation", "oci-containers", "containers")
QUADLET: Final = ("virtualisation", "quadlet", "containers")
_HELD: Final = "containerConfig"
_OF_QUADLET: Final = {
    "publishPorts": "ports",
    "environments": "environment",
    "addCapabilities": "capabilities",
    "networks": "networks",
    "podmanArgs": "extraOptions",
    "exec": "cmd",
    "tmpfses": "tmpfs",
    "readOnly": "read_only",
}
"""Options of quadlet-nix, and those of `oci-containers` that say the same."""
_LISTS: Final = {
    "ports": "publish",
    "volumes": "volume",
    "environmentFiles": "env-file",
    "env_file": "env-file",
    "devices": "device",
    "networks": "network",
    "tmpfs": "tmpfs",
}
_VALUES: Final = {
    "user": "user",
    "privileged": "privileged",
    "network_mode": "network",
    "healthCmd": "health-cmd",
    "read_only": "read-only",
}
_MOUNTING: Final = frozenset({"volumes", "mounts", "extraOptions"})
_RESTART: Final = "always"  # nixos/modules/virtualisation/oci-containers.nix
_CLIENT: Final = "podman"  # the backend of NixOS unless told otherwise


def is_arion(path: tuple[str, ...]) -> bool:
    """Return whether a path is one below a service of arion: `services.NAME.service`."""
    return bool(_arion(path)[0])


def _arion(path: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what names a service of arion, and the key below it; empty: the path is none."""
    for number, step in enumerate(path):
        below = path[number + 2 :]
        below = below[1:] if below[:1] == ("out",) else below
        if step == "services" and below[:1] == ("service",) and len(below) > 1:
            return path[: number + 2], below[1:]
    return (), ()


def _oci(path: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what names a container, and the key below it; empty: the path is none."""
    named = path[: len(OCI)] == OCI and len(path) > len(OCI) + 1
    return (path[: len(OCI) + 1], path[len(OCI) + 1 :]) if named else ((), ())


def _quadlet(path: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the same of a container of quadlet-nix, by the names of `oci-containers`."""
    # A function of somebody's own may hand the options on from elsewhere.
    start = next((n for n in range(len(path) - 2) if path[n + 2] == _HELD), -1)
    handed = start >= 0 and path[start] == "containers"
    size = start + 2 if handed else len(QUADLET) + 1
    if not handed and (path[: len(QUADLET)] != QUADLET or len(path) <= size):
        return (), ()
    first, *rest = path[size:]
    if first == _HELD and rest:
        first, *rest = (_OF_QUADLET.get(rest[0], rest[0]), *rest[1:])
    return path[:size], (first, *rest)


def containers(source: Source, found: Sequence[Definition], context: Context) -> Iterator[View]:
    """Yield a View of each container whose image is the engine's."""
    for name, held in _every(source, found):
        unknown = not held.image and name == context.engine.name
        if unknown or context.engine.is_image(image_name(held.image).repository):
            yield held.view(CONTAINER, context)


def clients(source: Source, found: Sequence[Definition], context: Context) -> Iterator[Client]:
    """Yield the programs that ask servers, each with its container."""
    for _, held in _every(source, found):
        if asks := held.client(context):
            yield asks


def _every(source: Source, found: Sequence[Definition]) -> Iterator[tuple[str, _Container]]:
    for split in (_oci, _quadlet, _arion):
        parted = [(split(d.path), d) for d in found]
        for base in dict.fromkeys(name for (name, _), _ in parted if name):
            own = {key: d for (name, key), d in parted if name == base}
            yield base[-1], _Container(source, ".".join(base), own, composed=split is _arion)


def handed_on(source: Source, found: Sequence[Definition], context: Context) -> Iterator[View]:
    """Yield the containers of quadlet-nix that somebody's own function or options hand on."""
    of_quadlet = [d for d in found if _HELD in d.path and d.path[: len(QUADLET)] != QUADLET]
    for view in containers(source, of_quadlet, context):
        reason = "something of somebody's own hands it to quadlet-nix, and may add to it"
        hint = "check the quadlet on the host"
        place = view.place
        gap = NotJudged(file=source.path, reason=reason, hint=hint, part=view.name, line=place.line)
        yield replace(view, not_judged=(gap,))


class _Container(Definitions):
    def __init__(
        self,
        source: Source,
        name: str,
        at: Mapping[tuple[str, ...], Definition],
        *,
        composed: bool,
    ) -> None:
        super().__init__(source, list(at.values()))
        self.name, self.at, self.composed = name, at, composed
        image = self.at.get(("image",))
        self.image = image.value if image and isinstance(image.value, str) else ""

    def view(self, book: Phrases, context: Context) -> View:
        told, box = list(self._options()), self._box()
        unknown = any(d.unresolved for path, d in self.at.items() if path[0] in _MOUNTING)
        return context.view(
            replace(book, volumes_told=book.volumes_told and not unknown),
            context.release_of(self.image),
            name=self.name,
            place=box.place,
            variables=tuple(one for one, _ in container.variables(told, context, {})),
            bounds=container.bounds(told),
            lines=(*self.lines(), *self._chosen(box.place)),
            container=box,
            acceleration=container.acceleration(box, told),
        )

    def _chosen(self, place: Place) -> Iterator[Line]:
        started = self.at.get(("autoStart",))
        if started is not None and started.value is not True:
            yield sometimes("autoStart", place)
        elif any(d.maybe for d in self.at.values()):
            yield sometimes("mkIf", place)

    def _box(self) -> Box:
        image = self.at.get(("image",)) or next(iter(self.at.values()))
        told = list(self._options())
        box = container.container(self.image, self.place(image), told, _CLIENT, _RESTART)
        box = replace(box, healthcheck=self._test() or box.healthcheck)
        if not self.image:
            box = replace(box, digest=True)  # Something else says which.
        words = [*self._words("cmd"), *self._words("command")]
        entry = list(self._entry())
        if ("entrypoint",) not in self.at:
            return replace(box, arguments=container.arguments(told, words))
        return replace(box, program=container.program(entry, words) if entry else ())

    def _words(self, key: str) -> Iterator[Argument]:
        """Yield the words of a command, which quadlet-nix and arion also take on one line."""
        found = self.at.get((key,))
        if found and isinstance(found.value, str) and not found.unresolved:
            yield from (_argument(word, self.place(found)) for word in _split(found.value))
        yield from self._items(key)

    def _test(self) -> tuple[tuple[str, ...], Place] | None:
        """Return the health check of a service of arion, which is one of Compose."""
        found = self.at.get(("healthcheck", "test"))
        if found is None or not self.composed:
            return None
        listed = isinstance(found.value, list)
        words = [one.text for one in self._items_of(found)] if listed else [UNKNOWN]
        words = ["CMD-SHELL", found.value] if isinstance(found.value, str) else words
        return tuple(words), self.place(found)

    def _entry(self) -> Iterator[Option]:
        """Yield the words of the entry point; that of a service of arion is one of Compose."""
        found = self.at.get(("entrypoint",))
        value = found.value if found and not found.unresolved else None
        if found and isinstance(value, str):
            words = _split(value) if self.composed else [value]
            yield from (_option("entrypoint", word, self.place(found)) for word in words)
        yield from (Option("entrypoint", one.text, one) for one in self._items("entrypoint"))

    def client(self, context: Context) -> Client | None:
        """Return the program that it runs, where that asks servers."""
        known = client_in(self.image, context)
        if not known:
            return None
        told = list(self._options())
        variables = (one for one, _ in container.variables(told, context, {}))
        return client(known, self._box(), variables, container.gaps(told, context))

    def _options(self) -> Iterator[Option]:
        """Yield the options that NixOS calls podman or docker with; `extraOptions` come last."""
        for path, found in self.at.items():
            if found.unresolved and path[0] == "environment" and len(path) > 1:
                argument = replace(_argument(f"{path[1]}=", self.place(found)), unresolved=True)
                yield Option("env", argument.text, argument)
            elif found.unresolved:
                continue
            elif path[0] == "environment" and len(path) > 1 and isinstance(found.value, str):
                yield _option("env", f"{path[1]}={found.value}", self.place(found))
            elif path[0] in _VALUES:
                yield _option(_VALUES[path[0]], unit_text(found.value), self.place(found))
            elif path[0] == "capabilities" and found.value is True:
                yield _option("cap-add", path[-1], self.place(found))
        for key, name in _LISTS.items():
            yield from (Option(name, one.text, one) for one in self._items(key))
        yield from options([*self._items("preRunExtraOptions"), *self._items("extraOptions")])[0]

    def _items(self, key: str) -> Iterator[Argument]:
        found = self.at.get((key,))
        yield from self._items_of(found) if found else ()

    def _items_of(self, found: Definition) -> Iterator[Argument]:
        if isinstance(found.value, list):
            for text in filter(lambda item: isinstance(item, str), found.value):
                yield _argument(text, self.place_of(found, text))


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _option(name: str, text: str, place: Place) -> Option:
    return Option(name, text, _argument(text, place))


def _argument(text: str, place: Place) -> Argument:
    return Argument(text, place, lambda head: text[len(head) :] if text.startswith(head) else "")
