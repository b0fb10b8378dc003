"""The unit of a front on a host that systemd runs it on, and what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.formats.unit import (
    Entry,
    Section,
    environment,
    exec_line,
    specifier_escape,
    unit_text,
)
from generator.targets.base import File
from generator.targets.front.config import front_on_host

if TYPE_CHECKING:
    from generator.front import Front
    from generator.plan import Plan


def unit_files(plan: Plan, units: str, folder: str) -> tuple[File, ...]:
    """Return the unit, and the file that it reads from `/folder`."""
    front = plan.front
    if front is None:
        return ()
    file = front_on_host(plan, front, folder, socket=f"/run/{name_of(front)}/admin.sock")
    return (_unit(plan, front, units, f"/{file.path}"), file)


def front_words(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return what `apply.sh` is told of the front: its unit, and the program that must be there."""
    front = plan.front
    if front is None:
        return ()
    return (("job", front.unit), ("front", front.unit), ("need", front.program))


def name_of(front: Front) -> str:
    """Return the name of its unit, without what kind it is of."""
    return front.unit.removesuffix(".service")


def _unit(plan: Plan, front: Front, folder: str, path: str) -> File:
    servers = " ".join(service.unit for service in plan.services)
    unit = [
        Entry("Description", f"{front.product} before {plan.services[0].product}", front.reason),
        Entry("Wants", "network-online.target"),
        Entry("After", f"network-online.target {servers}", "It stops before them."),
    ]
    entries = [
        *_run(front, path),
        Entry("KillMode", "mixed"),
        Entry("TimeoutStopSec", str(front.drain_seconds + 5), "Answers that run may end."),
        Entry("Restart", "always"),
        Entry("RestartSec", "2"),
        Entry("DynamicUser", "yes", "It has no user and no files of its own."),
        Entry("RuntimeDirectory", name_of(front)),
        *(
            Entry("LoadCredential", specifier_escape(f"{one.name}:{one.path}"), one.reason)
            for one in front.secrets
        ),
        *(Entry(one.name, one.value, one.reason) for one in front.confined),
    ]
    sections = [
        Section("Unit", unit),
        Section("Service", entries),
        Section("Install", [Entry("WantedBy", "multi-user.target")]),
    ]
    return File(f"{folder}/{front.unit}", unit_text(plan.header, sections))


def _run(front: Front, path: str) -> list[Entry]:
    """Return how it is started, told of another configuration, and stopped."""
    again = "A new process answers by the new file, and the old one ends what it has begun."
    if front.kind == "caddy":
        return _run_caddy(front, path)
    start = [front.program, "-Ws", "-f", path]
    return [
        Entry("Type", "notify"),
        Entry("ExecStart", exec_line(start)),
        Entry("ExecReload", exec_line([front.program, "-c", "-q", "-f", path])),
        Entry("ExecReload", "/bin/kill -USR2 $MAINPID", again),
        Entry("KillSignal", "SIGUSR1", "Takes no more requests, and ends with the last answer."),
    ]


def _run_caddy(front: Front, path: str) -> list[Entry]:
    file = ["--config", path, "--adapter", "caddyfile"]
    told = ["--address", f"unix//run/{name_of(front)}/admin.sock", "--force"]
    home = f"/run/{name_of(front)}"
    return [
        Entry("Type", "notify"),
        Entry("Environment", environment("HOME", home), "Where it notes what it reads."),
        Entry("ExecStart", exec_line([front.program, "run", *file])),
        Entry("ExecReload", exec_line([front.program, "reload", *file, *told]), _TAKES_OVER),
    ]


_TAKES_OVER: Final = "Answers by the new file, and ends by the old one what it has begun."
