"""`fly.toml`: the machine that Fly.io starts of an image, its variables, volume and memory."""

from __future__ import annotations

import posixpath
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from generator.errors import ProfileError
from generator.readers.base import Context, Source, each, image_name, refused
from generator.readers.dockerfile.built import Built, dockerfile_in, of_dockerfile, over
from generator.readers.fly import FLY
from generator.readers.syntax import docker
from generator.view import INGRESS, MISLAID, Asked, Bound, Container, Line, Place, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import View

_TABLES: Final = {
    "build": {"image", "dockerfile", "builder", "buildpacks", "build-target", "ignorefile"},
    "deploy": {"release_command", "release_command_timeout"},
    "http_service": {"internal_port", "force_https", "auto_stop_machines", "auto_start_machines"}
    | {"min_machines_running"},
    "": {"primary_region", "kill_signal", "kill_timeout", "swap_size_mb", "console_command"},
}
"""Keys by the table in which flyctl looks for them. Source: fly.io/docs/reference/configuration."""
_KEY: Final = re.compile(r"[ \t]*[\"']?([^\s\"'=]+)[\"']?[ \t]*=")


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each file that starts the engine's image. Raises ProfileError as TOML."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> list[View]:
    try:
        data = tomllib.loads(source.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        hint = "mend the TOML syntax"
        raise refused(source.path, "", f"is not TOML: {error}", hint) from None
    image = str(_table(data, "build").get("image", ""))
    built = None if image else _built(source, _table(data, "build"), context)
    if not context.engine.is_image(image_name(image).repository) and not (built and built.serves):
        return []
    fly = _Fly(source, data)
    image = built.image if built else image
    name = image_name(image)
    box = Container(
        image=image,
        place=fly.place("image" if built is None else "build"),
        tag=name.tag,
        digest=name.digest,
        mounts=tuple(fly.mounts()),
        restart="always",
        exposed=tuple(fly.exposed()),
        program=tuple(fly.program()),
        asked=tuple(fly.asked()),
    )
    variables = [*(built.variables if built else ()), *fly.variables()]
    return [
        context.view(
            FLY,
            context.release_of(image),
            name=str(data.get("app", context.engine.name)),
            place=Place(source.path, 1),
            variables=tuple(built.read(variables) if built else variables),
            lines=(*(built.lines if built else ()), *fly.mislaid()),
            acceleration=fly.acceleration(),
            bounds=tuple(fly.bounds()),
            container=over(built, box, told="processes" in data or bool(box.program)),
        )
    ]


def _built(source: Source, build: dict[str, Any], context: Context) -> Built | None:
    """Return what the Dockerfile says that Fly builds; None: it builds none, or another way."""
    if "builder" in build or "buildpacks" in build:
        return None
    name = str(build.get("dockerfile", ""))
    found = dockerfile_in(posixpath.dirname(source.path), name, context)
    try:
        return of_dockerfile(found, context, str(build.get("build-target", ""))) if found else None
    except ProfileError:
        return None  # Its own check says so.


def _table(data: Any, key: str) -> dict[str, Any]:  # noqa: ANN401 -- any TOML value
    found = data.get(key) if isinstance(data, dict) else None
    found = found[0] if isinstance(found, list) and found else found
    return found if isinstance(found, dict) else {}


class _Fly:
    def __init__(self, source: Source, data: dict[str, Any]) -> None:
        self.source, self.data = source, data
        self.lines: dict[str, int] = {}
        for number, text in enumerate(source.text.split("\n"), 1):
            if found := _KEY.match(text):
                self.lines.setdefault(found[1], number)

    def place(self, key: str) -> Place:
        """Return where a key is first assigned."""
        return Place(self.source.path, self.lines.get(key, 1), key)

    def variables(self) -> Iterator[Variable]:
        for name, value in _table(self.data, "env").items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            plain = isinstance(value, str)
            yield Variable(
                name=name, value=text, place=self.place(name), written=f'"{text}"' if plain else ""
            )

    def program(self) -> Iterator[tuple[str, Place]]:
        """Yield the entry point that is named instead of the image's, and what it is told."""
        own = _table(self.data, "experimental")
        for key in ("entrypoint", "cmd") if own.get("entrypoint") else ():
            words = own.get(key)
            for word in words if isinstance(words, list) else ():
                if isinstance(word, str):
                    yield word, self.place(key)

    def mislaid(self) -> Iterator[Line]:
        """Yield the keys that stand at the top, or among the variables, and belong elsewhere."""
        for where, keys in (("", self.data), ("env", _table(self.data, "env"))):
            for table, known in _TABLES.items():
                for key in keys if table != where else ():
                    if key in known and not isinstance(keys[key], dict):
                        yield Line(section=MISLAID, name=key, value=table, place=self.place(key))

    def bounds(self) -> Iterator[Bound]:
        """Yield the memory of the machine, which is all that the server has."""
        vm = _table(self.data, "vm")
        key = "memory" if "memory" in vm else "memory_mb"
        told = str(vm.get(key, ""))
        # A bare number counts MiB.
        told = f"{told}m" if told.isdecimal() else told
        try:
            size = docker.size(told)
        except ValueError:
            return
        yield Bound(name="memory_max", value=size, place=self.place(key), written=told)

    def acceleration(self) -> str:
        """Return what the machine computes on: Fly's GPUs are all of NVIDIA."""
        vm = _table(self.data, "vm")
        gpu = str(vm.get("gpu_kind") or "") or str(vm.get("size", ""))
        return "cuda" if re.match(r"(?:a10|a100|l40s)\b", gpu) else ""

    def mounts(self) -> Iterator[tuple[str, Place]]:
        key = "mounts" if "mounts" in self.data else "mount"
        given = _table(self.data, key)
        if target := str(given.get("destination", "")):
            yield f"{given.get('source', '')}:{target}", self.place("destination")

    def exposed(self) -> Iterator[Line]:
        """Yield the name under which Fly's proxy leads to the machine from the internet."""
        app = str(self.data.get("app", ""))
        if app and ("http_service" in self.data or "services" in self.data):
            place = self.place("internal_port")
            yield Line(section=INGRESS, name="fly", value=f"{app}.fly.dev", place=place)

    def asked(self) -> Iterator[Asked]:
        """Yield the port of the machine that Fly's proxy hands requests to."""
        for key in ("http_service", "services"):
            port = _table(self.data, key).get("internal_port")
            if isinstance(port, int):
                yield Asked(by="Fly's proxy", port=str(port), place=self.place("internal_port"))
