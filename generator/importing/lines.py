"""The lines of a View that neither a variable nor a limit nor a field of its container says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.importing.module import KNOWN
from generator.readers.systemd.limits import DIRECTIVES
from generator.view import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.view import View

SECTIONS: Final = frozenset({"Unit", "Service", "Container", "Install"})
_DIRECTIVES: Final = frozenset(
    {
        *DIRECTIVES,
        *("Environment", "EnvironmentFile", "Image", "ContainerName"),
        *("PublishPort", "Volume", "AddDevice"),
    }
)
_SERVICE_KEYS: Final = frozenset(
    {
        *("image", "ports", "volumes", "environment", "env_file", "restart", "user", "privileged"),
        *("network_mode", "runtime", "gpus", "devices"),
    }
)
_COMMANDS: Final = frozenset({"entrypoint", "command"})
_USUAL: Final = frozenset({"serve", "ollama", "ollama serve", "/bin/ollama", "/bin/ollama serve"})
"""What the image runs anyway."""
_SAID_OF_GPUS: Final = "deploy.resources.reservations.devices"


def lines_of(view: View) -> Iterator[Line]:
    """Yield them; what belongs to a service of a compose file under the same section for all."""
    limits = {one.place.key for one in view.bounds}
    if view.phrases.kind == "compose":
        yield from (one for one in _of_service(view) if one.place.key not in limits)
        yield from _jobs(view)
    elif view.phrases.kind == "nixos":
        yield from _of_module(view)
    elif view.phrases.headers:
        for line in view.lines:
            named = line.name and line.value and line.name not in _DIRECTIVES
            boxed = (line.name, line.value) == ("Network", "host") or line.name == "User"
            told = line.name in limits or (boxed and line.section == "Container")
            if named and line.section in SECTIONS and not told:
                yield line


def _of_service(view: View) -> Iterator[Line]:
    top = f"services.{view.name}"
    for line in view.lines:
        if line.section != top and not line.section.startswith(f"{top}."):
            continue
        path = f"{line.section}.{line.name}"[len(top) + 1 :]
        first = path.partition(".")[0]
        if path in _COMMANDS and line.value in _USUAL:
            continue
        if first not in _SERVICE_KEYS and not path.startswith(_SAID_OF_GPUS):
            yield Line(section="services", name=path, value=line.value, place=line.place)


def _jobs(view: View) -> Iterator[Line]:
    """Yield the services beside the server that are about it, and of which no model is told."""
    services = [one for one in view.keys if one.path[:-1] == ("services",)]
    starts = [one.place.line for one in services]
    for one, end in zip(services, [*starts[1:], None], strict=False):
        name, start = one.path[1], one.place.line
        within = (m.place.line for m in view.models if m.place.file == one.place.file)
        told = any(start <= line < (end or line + 1) for line in within)
        if name not in {view.name, *view.neighbours} and not told:
            yield Line(section="services", name=name, value="a service", place=one.place)


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _of_module(view: View) -> Iterator[Line]:
    for one in view.settings:
        first = one.name.partition(".")[0]
        of_unit = one.within == "serviceConfig"
        if (of_unit and one.name in DIRECTIVES) or (not of_unit and first in KNOWN):
            continue
        if one.within != "environment":
            value = _text(one.value)
            yield Line(section=one.within, name=one.name, value=value, place=one.place)
