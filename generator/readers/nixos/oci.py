"""Containers of `virtualisation.oci-containers` that run an engine, as NixOS has them run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.readers import container
from generator.readers.base import image_name
from generator.readers.nixos import CONTAINER
from generator.readers.nixos.evaluate import Definitions, unit_text
from generator.readers.syntax.options import Argument, Option, options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context, Source
    from generator.readers.nixos.evaluate import Definition
    from generator.view import Place, View

CONTAINERS: Final = ("virtualisation", "oci-containers", "containers")
_DEPTH: Final = len(CONTAINERS) + 1
_LISTS: Final = {
    "ports": "publish",
    "volumes": "volume",
    "environmentFiles": "env-file",
    "devices": "device",
    "networks": "network",
}
_VALUES: Final = frozenset({"user", "privileged"})
_RESTART: Final = "always"  # nixos/modules/virtualisation/oci-containers.nix
_CLIENT: Final = "podman"  # the backend of NixOS unless told otherwise


def views(source: Source, found: Sequence[Definition], context: Context) -> Iterator[View]:
    """Yield a View of each container whose image is the engine's."""
    of_containers = [d for d in found if d.path[: _DEPTH - 1] == CONTAINERS]
    for name in dict.fromkeys(d.path[_DEPTH - 1] for d in of_containers if len(d.path) > _DEPTH):
        held = _Container(source, name, [d for d in of_containers if d.path[3] == name])
        if context.engine.is_image(image_name(held.image).repository):
            yield held.view(context)


class _Container(Definitions):
    def __init__(self, source: Source, name: str, found: Sequence[Definition]) -> None:
        super().__init__(source, found)
        self.name = name
        self.at = {d.path[_DEPTH:]: d for d in found}
        image = self.at.get(("image",))
        self.image = image.value if image and isinstance(image.value, str) else ""

    def view(self, context: Context) -> View:
        place = self.place(self.at["image",])
        told = list(self._options())
        box = container.container(self.image, place, told, _CLIENT, _RESTART)
        return context.view(
            CONTAINER,
            context.release_of(self.image),
            name=".".join((*CONTAINERS, self.name)),
            place=place,
            variables=container.variables(told, context, {}),
            bounds=container.bounds(told),
            lines=tuple(self.lines()),
            container=box,
            acceleration=container.acceleration(box, told),
        )

    def _options(self) -> Iterator[Option]:
        """Yield the options that NixOS calls podman or docker with; `extraOptions` come last."""
        for path, found in self.at.items():
            if path[0] == "environment" and len(path) > 1 and isinstance(found.value, str):
                yield _option("env", f"{path[1]}={found.value}", self.place(found))
            elif path[0] in _VALUES:
                yield _option(path[0], unit_text(found.value), self.place(found))
            elif path[0] == "capabilities" and found.value is True:
                yield _option("cap-add", path[-1], self.place(found))
        for key, name in _LISTS.items():
            yield from (Option(name, one.text, one) for one in self._items(key))
        yield from options([*self._items("preRunExtraOptions"), *self._items("extraOptions")])[0]

    def _items(self, key: str) -> Iterator[Argument]:
        found = self.at.get((key,))
        if found and isinstance(found.value, list):
            for text in filter(lambda item: isinstance(item, str), found.value):
                yield _argument(text, self.place_of(found, text))


def _option(name: str, text: str, place: Place) -> Option:
    return Option(name, text, _argument(text, place))


def _argument(text: str, place: Place) -> Argument:
    return Argument(text, place, lambda head: text[len(head) :] if text.startswith(head) else "")
