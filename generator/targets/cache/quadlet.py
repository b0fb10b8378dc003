"""The containers of a cache for Podman, on the network of the host, and what they mount."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.cache import KEY
from generator.formats.unit import Entry, Section, environment, exec_word, unit_text
from generator.records import dataclass
from generator.targets.base import File
from generator.targets.cache.config import (
    CONFIG,
    LITELLM,
    PRODUCTS,
    REDIS,
    REDIS_CONF,
    REDIS_USER,
    VARIABLES,
    files_on_host,
)

if TYPE_CHECKING:
    from generator.cache import Cache, Store
    from generator.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where quadlets go and what they mount; `mounted` is that folder as Podman has it.

    `target` is what they are brought up with.
    """

    quadlets: str
    files: str
    mounted: str
    target: str


def quadlet_files(plan: Plan, folders: Folders) -> tuple[File, ...]:
    """Return the quadlets, and the files that they mount."""
    cache = plan.cache
    if cache is None:
        return ()
    servers = [one.unit for one in plan.services]
    first = [REDIS] if cache.store else []
    inside = _litellm_inside(cache, folders.mounted)
    found = [_quadlet(plan, folders, LITELLM, inside, [*first, *servers])]
    if cache.store:
        found.append(
            _quadlet(plan, folders, REDIS, _redis_inside(cache.store, folders.mounted), [])
        )
    return (*found, *files_on_host(plan, folders.files))


def _litellm_inside(cache: Cache, mounted: str) -> list[Entry]:
    argv = ["--config", CONFIG, "--host", cache.host, "--port", str(cache.port)]
    return [
        Entry("Image", cache.image),
        Entry("ContainerName", LITELLM.partition(".")[0]),
        Entry("Exec", " ".join(map(exec_word, argv)), cache.reason),
        Entry("Network", "host", "It reaches the server, and Redis, on the loopback of the host."),
        Entry("Volume", f"{mounted}/litellm.yaml:{CONFIG}:ro,z"),
        *(Entry("Environment", environment(n, v), why) for n, (v, why) in VARIABLES.items()),
        Entry("EnvironmentFile", cache.key_file, f"It sets {KEY}."),
        Entry("NoNewPrivileges", "true"),
    ]


def _redis_inside(store: Store, mounted: str) -> list[Entry]:
    user, _, group = REDIS_USER.partition(":")
    return [
        Entry("Image", store.image),
        Entry("ContainerName", REDIS.partition(".")[0]),
        Entry("Exec", f"redis-server {REDIS_CONF}"),
        Entry("Network", "host", "It listens on the loopback of the host alone."),
        Entry("Volume", f"{mounted}/redis.conf:{REDIS_CONF}:ro,z"),
        Entry("User", user),
        Entry("Group", group),
        Entry("ReadOnly", "true"),
        Entry("DropCapability", "all"),
        Entry("NoNewPrivileges", "true"),
    ]


def _quadlet(
    plan: Plan, folders: Folders, unit: str, inside: list[Entry], needs: list[str]
) -> File:
    name = unit.partition(".")[0]
    servers = " ".join(one.unit for one in plan.services)
    order = [
        Entry("Description", f"{PRODUCTS[unit]} before {plan.services[0].product}"),
        Entry("After", " ".join(needs)),
        Entry("Wants", " ".join(one for one in needs if one == REDIS)),
        Entry("PartOf", servers, "Another text of what it reads restarts it so."),
    ]
    bound = "A first start pulls the image."
    sections = [
        Section("Unit", [entry for entry in order if entry.value]),
        Section("Container", inside),
        Section(
            "Service", [Entry("Restart", "on-failure"), Entry("TimeoutStartSec", "900", bound)]
        ),
        Section("Install", [Entry("WantedBy", f"{folders.target} {servers}")]),
    ]
    return File(f"{folders.quadlets}/{name}.container", unit_text(plan.header, sections))
