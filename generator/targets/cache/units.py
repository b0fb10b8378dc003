"""The units of a cache on a host that systemd runs it on, and what they read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from generator.cache import KEY
from generator.formats.unit import (
    Entry,
    Section,
    environment,
    exec_line,
    specifier_escape,
    unit_text,
)
from generator.targets.base import File
from generator.targets.cache.config import LITELLM, PRODUCTS, REDIS, VARIABLES, files_on_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.cache import Cache, Store
    from generator.plan import Plan

_SANDBOX: Final = (
    ("DynamicUser", "yes", "It needs no rights, and owns nothing beside its state."),
    ("NoNewPrivileges", "yes", ""),
    ("CapabilityBoundingSet", "", ""),
    ("LockPersonality", "yes", ""),
    ("PrivateDevices", "yes", ""),
    ("ProtectClock", "yes", ""),
    ("ProtectControlGroups", "yes", ""),
    ("ProtectHome", "yes", ""),
    ("ProtectHostname", "yes", ""),
    ("ProtectKernelLogs", "yes", ""),
    ("ProtectKernelModules", "yes", ""),
    ("ProtectKernelTunables", "yes", ""),
    ("ProtectProc", "invisible", ""),
    ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX", ""),
    ("RestrictNamespaces", "yes", ""),
    ("RestrictRealtime", "yes", ""),
    ("SystemCallArchitectures", "native", ""),
    ("UMask", "0077", ""),
)


def units_of(plan: Plan) -> tuple[str, ...]:
    """Return the units that the cache of a plan is, where systemd runs it: what it needs first."""
    if plan.cache is None:
        return ()
    return (REDIS, LITELLM) if plan.cache.store else (LITELLM,)


def unit_files(plan: Plan, units: str, folder: str) -> tuple[File, ...]:
    """Return the units, and the files that they read from `/folder`."""
    cache, made = plan.cache, files_on_host(plan, folder)
    if cache is None:
        return ()
    texts = {file.path: file.text for file in made}
    servers = [*([plan.front.unit] if plan.front else []), *(one.unit for one in plan.services)]
    first = [REDIS] if cache.store else []
    found = [_unit(plan, units, LITELLM, _litellm(cache, folder, texts), [*first, *servers])]
    if cache.store:
        found.append(_unit(plan, units, REDIS, _redis(cache.store, folder, texts), []))
    return (*found, *made)


def _unit(plan: Plan, units: str, name: str, entries: list[Entry], needs: list[str]) -> File:
    first = " ".join(one for one in needs if one == REDIS)
    wanted = " ".join(["multi-user.target", *(service.unit for service in plan.services)])
    order = [
        Entry("Description", f"{PRODUCTS[name]} before {plan.services[0].product}"),
        Entry("After", " ".join(needs)),
        Entry("Wants", first),
    ]
    sections = [
        Section("Unit", [entry for entry in order if entry.value]),
        Section("Service", entries),
        Section("Install", [Entry("WantedBy", wanted, "It comes with the server as well.")]),
    ]
    return File(f"{units}/{name}", unit_text(plan.header, sections))


def _litellm(cache: Cache, folder: str, texts: Mapping[str, str]) -> list[Entry]:
    config = f"{folder}/litellm.yaml"
    argv = [
        cache.program,
        "--config",
        f"/{config}",
        "--host",
        cache.host,
        "--port",
        str(cache.port),
    ]
    return [
        Entry("Type", "exec"),
        Entry("ExecStart", exec_line(argv), cache.reason),
        *(Entry("Environment", environment(n, v), why) for n, (v, why) in VARIABLES.items()),
        Entry("EnvironmentFile", specifier_escape(cache.key_file), f"It sets {KEY}."),
        Entry("StateDirectory", "hostwright-litellm", "What it writes beside its logs."),
        Entry("WorkingDirectory", "/var/lib/hostwright-litellm"),
        *_around(texts[config]),
    ]


def _redis(store: Store, folder: str, texts: Mapping[str, str]) -> list[Entry]:
    config = f"{folder}/redis.conf"
    return [
        Entry("Type", "exec"),
        Entry("ExecStart", exec_line([store.program, f"/{config}"])),
        Entry("StateDirectory", "hostwright-redis"),
        Entry("WorkingDirectory", "/var/lib/hostwright-redis"),
        *_around(texts[config]),
    ]


def _around(config: str) -> list[Entry]:
    digest = hashlib.sha256(config.encode()).hexdigest()[:16]
    return [
        Entry("Restart", "on-failure"),
        Entry("RestartSec", "5"),
        Entry("X-Config", digest, "Another text of what it reads makes this another unit."),
        *(Entry(name, value, why) for name, value, why in _SANDBOX),
    ]
