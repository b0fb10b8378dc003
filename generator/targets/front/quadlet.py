"""The container of a front for Podman, on the network of the host, and what it mounts."""

from __future__ import annotations

from posixpath import dirname
from typing import TYPE_CHECKING, Final

from generator.formats.unit import Entry, Section, unit_text
from generator.targets.base import File
from generator.targets.front.config import BIND, FOLDER, NEEDS_BIND, SECRETS, front_on_host
from generator.targets.front.units import name_of

if TYPE_CHECKING:
    from generator.front import Front
    from generator.plan import Plan

PODMAN: Final = "/usr/bin/podman"


def quadlet_files(
    plan: Plan, *, quadlets: str, folder: str, mounted: str, target: str
) -> tuple[File, ...]:
    """Return the quadlet below `quadlets`, brought up with `target`, and the file that it mounts.

    That lies in `folder`, which Podman calls `mounted`.
    """
    front = plan.front
    if front is None:
        return ()
    servers = " ".join(service.unit for service in plan.services)
    unit = [
        Entry("Description", f"{front.product} before {plan.services[0].product}", front.reason),
        Entry("After", servers, "It stops before them."),
    ]
    sections = [
        Section("Unit", unit),
        Section("Container", _inside(front, mounted)),
        Section("Service", _around(front)),
        Section("Install", [Entry("WantedBy", target)]),
    ]
    quadlet = File(f"{quadlets}/{name_of(front)}.container", unit_text(plan.header, sections))
    return (quadlet, front_on_host(plan, front, folder, secrets=SECRETS))


def is_of(plan: Plan, file: File) -> bool:
    """Return whether a file is the quadlet of the front."""
    return plan.front is not None and file.path.endswith(f"/{name_of(plan.front)}.container")


def front_words(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return what `apply.sh` is told of the front: the unit that Podman makes of it."""
    return (("front", plan.front.unit),) if plan.front else ()


def _inside(front: Front, mounted: str) -> list[Entry]:
    handed = f"%t/credentials/{front.unit}"
    return [
        Entry("Image", front.image),
        Entry("ContainerName", name_of(front)),
        Entry("Network", "host", "It reaches the servers on the loopback, and sees who asks."),
        Entry("Volume", f"{mounted}/{FOLDER}:{dirname(front.config)}:ro,z"),
        *(
            Entry("Volume", f"{handed}/{one.name}:{SECRETS}/{one.name}:ro", one.reason)
            for one in front.secrets
        ),
        Entry("User", "0", "Whose files with keys are; it has none of root's rights."),
        Entry("Group", "0"),
        Entry("ReadOnly", "true"),
        Entry("DropCapability", "all"),
        *_capability(front),
        Entry("NoNewPrivileges", "true"),
        Entry("StopTimeout", str(front.drain_seconds), "Answers that run may end."),
    ]


def _capability(front: Front) -> list[Entry]:
    if front.kind != "caddy" and not front.low_port:
        return []
    return [Entry("AddCapability", f"CAP_{BIND}", _LOW if front.low_port else NEEDS_BIND)]


_LOW: Final = "It listens on a port that is root's otherwise."


def _around(front: Front) -> list[Entry]:
    again = "A new process answers by the new file, and the old one ends what it has begun."
    reload = f"{PODMAN} kill --signal USR2 {name_of(front)}"
    return [
        *(Entry("LoadCredential", f"{one.name}:{one.path}") for one in front.secrets),
        *([Entry("ExecReload", reload, again)] if front.kind == "haproxy" else []),
        Entry("TimeoutStopSec", str(front.drain_seconds + 5)),
        Entry("Restart", "always"),
        Entry("TimeoutStartSec", "900", "A first start pulls the image."),
    ]
