"""NixOS modules, evaluated by Nix with stand-ins for nixpkgs: the engine's service, its containers.

The evaluation is pure and bounded: no store, no network, no file but the module.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from generator.errors import Problem, ProfileError
from generator.readers import container
from generator.readers.base import Context, NeedsMore, Source, each, image_name, problem_at, refused
from generator.readers.nixos import CONTAINER, FLAKE, MODULE
from generator.readers.nixos.evaluate import Definition, Definitions, evaluate, in_force, unit_text
from generator.readers.syntax import unit
from generator.readers.syntax.options import Argument, Option, options
from generator.readers.syntax.words import expand
from generator.readers.systemd import limits
from generator.view import Bound, Line, ModelUse, Place, Variable, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_VERSION: Final = re.compile(r"\d+\.\d+(?:\.\d+)?(?:-rc\d+)?", re.ASCII)
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


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of what each module says of the service, and of each container of Ollama.

    Raises ProfileError for what Nix or NixOS would refuse and what needs more than stand-ins,
    EnvironmentFailure where Nix is not there.
    """
    views = each(sources, lambda source: _views(source, context))
    return tuple(view for several in views for view in several)


def _views(source: Source, context: Context) -> list[View]:
    """Return the service, and the containers beside it. Raises as `read`."""
    if PurePosixPath(source.path).name == FLAKE:
        message = "is a flake, which puts modules together"
        raise refused(source.path, "", message, "name the modules, or their directory")
    found = in_force(evaluate(source))
    views = list(_containers(source, found, context))
    module = _Module(source, context, found)
    if any(d.path[:2] == module.options or d.path[:3] == module.unit for d in found):
        return [module.view(), *views]
    if not views:
        message = f"this module says nothing of {'.'.join(module.options)}"
        problem = Problem("", message, "name the module that sets it", source.path)
        raise NeedsMore(source.path, (problem,))
    return views


class _Module(Definitions):
    """What a module says of the service."""

    def __init__(self, source: Source, context: Context, found: list[Definition]) -> None:
        super().__init__(source, found)
        self.context, self.engine = context, context.engine
        self.problems: list[Problem] = []
        self.options = ("services", self.engine.name)
        self.unit = ("systemd", *self.options)
        self.config = (*self.unit, "serviceConfig")
        self.service = f"{self.engine.name}.service"

    def view(self) -> View:
        package = self.value(*self.options, "package")
        version = package.get("version", "") if isinstance(package, dict) else ""
        first = min((d.line for d in self.found), default=0)
        enable = next((d for d in self.found if d.path == (*self.options, "enable")), None)
        view = self.context.view(
            MODULE,
            self.context.release_for(version if _VERSION.fullmatch(version) else ""),
            name=".".join(self.options),
            place=Place(self.source.path, first),
            variables=tuple(self._variables()),
            bounds=tuple(self._bounds()),
            lines=tuple(self.lines()),
            unread=tuple(self._unread()),
            models=tuple(self._models()),
            acceleration=self._acceleration(package),
            starts=self.place(enable) if enable and enable.value is True else None,
        )
        if self.problems:
            raise ProfileError(self.source.path, tuple(self.problems))
        return view

    def _variables(self) -> Iterator[Variable]:
        for found in self.found:
            name = found.path[-1]
            above = found.path[:-1]
            if found.value is None:
                continue
            own = above == (*self.options, "environmentVariables")
            # The module sets some itself, over what these say.
            kept = own and name not in self.engine.nixos_overwritten
            if kept or above == (*self.unit, "environment"):
                yield from self._variable(found, name)
            elif found.path == (*self.config, "Environment"):
                for one in self._assignments(found):
                    for variable in unit.variables(one, self.service):
                        yield replace(variable, place=self.place(found))
            elif above == self.options and name in self.engine.nixos_variables:
                yield from self._variable(found, self.engine.nixos_variables[name])
        yield from self._listen()

    def _variable(self, found: Definition, name: str) -> Iterator[Variable]:
        value = found.value.get("package", "") if isinstance(found.value, dict) else found.value
        if not isinstance(value, str):
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            message = f"`{'.'.join(found.path)}` is no string, and NixOS takes nothing else"
            hint = f'write `"{shown}"`' if isinstance(value, int | float) else "quote it"
            self.problems.append(problem_at(self.place(found), message, hint))
            return
        expanded = expand(value, self.service)
        yield Variable(
            name=name,
            value=expanded.text if expanded else value,
            place=self.place(found),
            written=self.written(found, value),
            unresolved=expanded is None or expanded.unresolved,
        )

    def _listen(self) -> Iterator[Variable]:
        """Yield the address, which the module puts together from two options."""
        keys = [(*self.options, "host"), (*self.options, "port")]
        told = [d for d in self.found if d.path in keys]
        if not told:
            return
        parts = zip(keys, self.engine.nixos_address, strict=True)
        text = ":".join(str(self.value(*key) or default) for key, default in parts)
        expanded = expand(text, self.service)
        yield Variable(
            name=self.engine.address,
            value=expanded.text if expanded else text,
            place=self.place(told[0]),
            written=self.written(told[0], str(told[0].value)),
        )

    def _assignments(self, found: Definition) -> list[unit.Assignment]:
        """Return a key of `serviceConfig` as the lines that NixOS writes into the unit."""
        return [
            unit.one_line(self.source.path, "Service", found.path[-1], text, found.line)
            for text in map(unit_text, found.values)
        ]

    def _limits(self) -> Iterator[tuple[Definition, list[unit.Assignment]]]:
        for found in self.found:
            if found.path[:-1] == self.config:
                yield found, self._assignments(found)

    def _bounds(self) -> Iterator[Bound]:
        for found, lines in self._limits():
            for bound in limits.bounds(lines, self.context.host):
                written = self.written(found, str(found.value))
                yield replace(bound, place=self.place(found), written=written)

    def _unread(self) -> Iterator[Line]:
        """Yield the limits that systemd ignores; NixOS passes them on as they are."""
        for found, lines in self._limits():
            for line in limits.unread(lines, self.context.host):
                yield replace(line, place=self.place(found))

    def _models(self) -> Iterator[ModelUse]:
        for found in self.found:
            if found.path == (*self.options, "loadModels") and isinstance(found.value, list):
                for name in filter(lambda item: isinstance(item, str), found.value):
                    yield ModelUse(name=name, place=self.place_of(found, name))

    def _acceleration(self, package: Any) -> str:  # noqa: ANN401 -- any Nix value
        option = self.value(*self.options, "acceleration")
        if option is False:
            return "cpu"
        name = package.get("package", "") if isinstance(package, dict) else ""
        kind = option if isinstance(option, str) else name.partition("-")[2]
        return kind if kind in {"cpu", "cuda", "rocm", "vulkan"} else ""


def _containers(source: Source, found: Sequence[Definition], context: Context) -> Iterator[View]:
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
            variables=tuple(one for one, _ in container.variables(told, context, {})),
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
