"""Containers of `virtualisation.oci-containers` that run an engine, as NixOS has them run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.readers import container
from generator.readers.base import image_name
from generator.readers.nixos.phrases import CONTAINER
from generator.readers.syntax.options import Argument, Option, options
from generator.view import Line, Place, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.base import Context, Source
    from generator.readers.nixos.evaluate import Definition

CONTAINERS: Final = ("virtualisation", "oci-containers", "containers")
_DEPTH: Final = len(CONTAINERS) + 1
_LISTS: Final = {
    "ports": "publish",
    "volumes": "volume",
    "environmentFiles": "env-file",
    "devices": "device",
    "networks": "network",
}
_VALUES: Final = {"user": "user", "privileged": "privileged"}
_RESTART: Final = "always"  # nixos/modules/virtualisation/oci-containers.nix
_CLIENT: Final = "podman"  # the backend of NixOS unless told otherwise


def views(source: Source, found: Sequence[Definition], context: Context) -> Iterator[View]:
    """Yield a View of each container whose image is the engine's."""
    of_containers = [d for d in found if d.path[: _DEPTH - 1] == CONTAINERS]
    for name in dict.fromkeys(d.path[_DEPTH - 1] for d in of_containers if len(d.path) > _DEPTH):
        held = _Container(source, name, [d for d in of_containers if d.path[3] == name])
        if context.engine.is_image(image_name(held.image).repository):
            yield held.view(context)


class _Container:
    def __init__(self, source: Source, name: str, found: Sequence[Definition]) -> None:
        self.source, self.name, self.found = source, name, found
        self.texts = source.text.split("\n")
        self.at = {d.path[_DEPTH:]: d for d in found}
        image = self.at.get(("image",))
        self.image = image.value if image and isinstance(image.value, str) else ""

    def view(self, context: Context) -> View:
        place = self._place(self.at["image",])
        told = list(self._options())
        box = container.container(self.image, place, told, _CLIENT, _RESTART)
        return context.view(
            CONTAINER,
            context.release_of(image_name(self.image)),
            name=".".join((*CONTAINERS, self.name)),
            place=place,
            variables=container.variables(told, context, {}),
            bounds=container.bounds(told),
            lines=tuple(self._lines()),
            container=box,
            acceleration=container.acceleration(box, told),
        )

    def _options(self) -> Iterator[Option]:
        """Yield the options that NixOS calls podman or docker with; `extraOptions` come last."""
        for path, found in self.at.items():
            if path[0] == "environment" and len(path) > 1 and isinstance(found.value, str):
                argument = self._argument(found, f"{path[1]}={found.value}", found.line)
                yield Option("env", argument.text, argument)
            elif path[0] in _VALUES:
                argument = self._argument(found, _text(found.value), found.line)
                yield Option(_VALUES[path[0]], argument.text, argument)
            elif path[0] == "capabilities" and found.value is True:
                yield Option("cap-add", path[-1], self._argument(found, path[-1], found.line))
        for key, name in _LISTS.items():
            yield from (Option(name, one.text, one) for one in self._items(key))
        yield from options([*self._items("preRunExtraOptions"), *self._items("extraOptions")])[0]

    def _items(self, key: str) -> Iterator[Argument]:
        found = self.at.get((key,))
        values = found.value if found and isinstance(found.value, list) else []
        for text in filter(lambda item: isinstance(item, str), values):
            yield self._argument(self.at[key,], text, self._line_of(self.at[key,], text))

    def _argument(self, found: Definition, text: str, line: int) -> Argument:
        place = Place(self.source.path, line, ".".join(found.path))

        def written(head: str) -> str:
            return text[len(head) :] if text.startswith(head) else ""

        return Argument(text, place, written)

    def _line_of(self, found: Definition, text: str) -> int:
        """Return the line of an item of a list, which begins on the line of its option."""
        lines = enumerate(self.texts[found.line - 1 :] if found.line else [], found.line)
        return next((number for number, line in lines if f'"{text}"' in line), found.line)

    def _lines(self) -> Iterator[Line]:
        for path, found in self.at.items():
            values = found.value if isinstance(found.value, list) else [found.value]
            for value in values:
                section, place = ".".join(found.path[:-1]), self._place(found)
                yield Line(section=section, name=path[-1], value=_text(value), place=place)

    def _place(self, found: Definition) -> Place:
        return Place(self.source.path, found.line, ".".join(found.path))


def _text(value: Any) -> str:  # noqa: ANN401 -- any Nix value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
