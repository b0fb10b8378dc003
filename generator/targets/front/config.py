"""The file of a Plan's front, as any target has it: `haproxy.cfg` or a `Caddyfile`.

A target says, by an At, where it has the servers, the files for keys, and the front itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.records import dataclass
from generator.targets.base import File
from generator.targets.front.caddy import caddyfile
from generator.targets.front.haproxy import haproxy
from generator.units import address

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.front import Front
    from generator.plan import Plan, Service

FILES: Final = {"haproxy": "haproxy.cfg", "caddy": "Caddyfile"}
WRITERS: Final = {"haproxy": haproxy, "caddy": caddyfile}
FOLDER: Final = "front"
"""The folder of that file: a container that mounts it sees each new text of it."""
BIND: Final = "NET_BIND_SERVICE"
NEEDS_BIND: Final = "Its program is not started without it."
SECRETS: Final = "/run/secrets"
"""Where a container has the files for keys and certificates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """Where a target has what a front needs.

    `reach` says at which `address:port` the front reaches a Service, `host` and `port` where it
    listens, `metrics_host` where its metrics are. `folder` has the files for keys and certificates
    under their names; empty: systemd hands them over. `socket` is where it takes commands (empty:
    nowhere). `named`: `reach` gives names that may come and go, as those of containers. `many` says
    how many servers a name may stand for (None: each for one). `drain_seconds`: answers that run
    have these to end (0: those of the front).
    """

    reach: Callable[[Service], str]
    host: str
    port: int
    metrics_host: str
    folder: str = ""
    socket: str = ""
    named: bool = False
    many: Callable[[Service], int] | None = None
    drain_seconds: int = 0


def front_file(plan: Plan, front: Front, at: At, folder: str = FOLDER) -> File:
    """Return the configuration of the front, in `folder`."""
    return File(f"{folder}/{FILES[front.kind]}", WRITERS[front.kind](plan, front, at))


def front_on_host(
    plan: Plan, front: Front, folder: str, *, socket: str = "", secrets: str = ""
) -> File:
    """Return that of a front in the network of the host; `secrets` is the folder of its keys."""
    at = At(
        reach=beside,
        host=front.host,
        port=front.port,
        metrics_host=front.metrics_host,
        folder=secrets,
        socket=socket,
    )
    return front_file(plan, front, at, f"{folder}/{FOLDER}")


def beside(service: Service) -> str:
    """Return where a front on the same host reaches a server, which may listen everywhere."""
    listen = service.listen
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- what others listen on
    return address(everywhere.get(listen.host, listen.host), listen.port)
