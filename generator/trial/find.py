"""Which Way there is to start a server anew, and what its process got."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.catalogue.catalogue import load_catalogue
from generator.detect.root import open_root
from generator.engines import load_engine, load_signs
from generator.errors import EnvironmentFailure, HostwrightError
from generator.live.client import host_and_port
from generator.live.door import ask
from generator.trial.restart import Restarter
from generator.trial.ways import by_command, by_compose, by_systemd
from generator.units import is_local
from generator.verify.process import environment, processes, servers

if TYPE_CHECKING:
    from generator.plan import Service
    from generator.trial.ways import Way

HINT: Final = "name how by --restart-command or --compose"


def restarter(
    service: Service, url: str, *, command: str | None = None, compose: str | None = None
) -> Restarter:
    """Return who starts the server anew: the command, Compose, or else systemd if it runs it.

    Raises HostwrightError where there is no way.
    """
    way = _way(service, url, command, compose)
    catalogue = load_catalogue()
    facts = catalogue.told(service.engine, service.release)
    running, port = load_engine(service.engine).running(facts), host_and_port(url)[1]

    def there() -> list[dict[str, str]]:
        name = service.listen.variable
        return [
            one
            for one in _environments(service.engine)
            if host_and_port(running.meaning(name, one.get(name, "")))[1] == port
        ]

    return Restarter(way, url, there)


def _way(service: Service, url: str, command: str | None, compose: str | None) -> Way:
    if command is not None and compose is not None:
        message = "--restart-command and --compose are two ways to start the server anew"
        raise HostwrightError(message, hint="leave one out")
    if command is not None:
        return by_command(command)
    if not is_local(host_and_port(url)[0]):
        raise HostwrightError(
            f"{url} is another machine, whose server is not started anew from here",
            hint="run it there, or name a --restart-command that does it",
        )
    if compose is not None:
        if not Path(compose).is_file():
            raise HostwrightError(f"there is no file `{compose}`", hint="name the Compose file")
        return by_compose(Path(compose).absolute(), service.container.name)
    if not _runs(service.unit):
        raise HostwrightError(f"systemd does not run {service.unit} here", hint=HINT)
    return by_systemd(service.unit)


def _runs(unit: str) -> bool:
    """Return whether systemd runs a unit."""
    with suppress(EnvironmentFailure):
        return ask(("systemctl", "is-active", "--quiet", unit)).code == 0
    return False


def _environments(engine: str) -> list[dict[str, str]]:
    """Return the environment of each server of this machine that may be read."""
    root = open_root(None)
    pids = servers(processes(root), load_signs(engine).command)
    return [found for pid in pids if (found := environment(root, pid)) is not None]
