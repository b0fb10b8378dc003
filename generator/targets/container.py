"""What the targets for containers share: the server in its image, and what that leaves out."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import RenderError, Silence
from generator.formats.template import render_template
from generator.formats.text import comment
from generator.plan import Limit, commented
from generator.targets.base import File, LeftOut, placed
from generator.units import limit_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.plan import Argument, Credential, Plan, Service, Setting, Step

MODELFILE_DIR: Final = "/modelfiles"
LOCALHOST: Final = "127.0.0.1"
SHARED: Final = "Memory that its processes share; an engine gives 64 MiB."
SECRETS: Final = "/run/secrets"
"""Where a container has what only the server may read, if nothing looks for it elsewhere."""
_READ: Final = "Keys and models, which another server writes."
_MADE: Final = Silence(rule="HW612", reason="the server that writes the models makes the key first")
READ: Final = commented(_READ, (_MADE,))
"""Why what is in a volume is only read."""


def published(service: Service) -> str:
    """Return `address:port:port`, where the engine publishes the API: an IP address without a zone.

    Raises RenderError for any other.
    """
    host = published_host(service.listen.host, f"{service.wanted}.host")
    return f"{host}:{service.listen.port}:{service.container.port}"


def published_host(host: str, key: str) -> str:
    """Return an address on which an engine publishes a port; see `published`."""
    host = LOCALHOST if host == "localhost" else host
    try:
        zone = getattr(ipaddress.ip_address(host), "scope_id", None)
    except ValueError:
        zone = host
    if zone is None:
        return f"[{host}]" if ":" in host else host
    raise RenderError(
        f"`{key}` is `{host}`, and containers are published on plain IP addresses",
        hint=f"write the address itself, like `{LOCALHOST}` or `0.0.0.0`",
        where=key,
    )


def variables(service: Service, *, decrypted: bool, home: str = "") -> list[Setting]:
    """Return the variables that the server has in a container; see `mounted`."""
    places = {one.variable: path for one, path in mounted(service, decrypted=decrypted, home=home)}
    return [
        replace(setting, value=places.get(setting.name, setting.value))
        for setting in service.environment
        if setting.scope == "any" or setting.name in places
    ]


def guarded(service: Service) -> Iterator[Limit]:
    """Yield the limits that a container has as its guards, in the words of all limits."""
    for guard in service.container.guards:
        if guard.name == "pids_limit":
            value = int(guard.values[0])
            directive, written = limit_line("tasks_max", value)
            yield Limit(
                name="tasks_max",
                value=value,
                directive=directive,
                written=written,
                reason=guard.reason,
                source="derived",
                key="resources.tasks_max",
            )


def arguments(service: Service) -> list[Argument]:
    """Return what the program of the image is told; its port is that of the image."""
    return [each for each in service.arguments if each.scope == "any"]


def build_files(plan: Plan, folder: str) -> tuple[File, ...]:
    """Return what the image is built from, below `folder`: nothing where it is as it is."""
    service = plan.puller
    if service.build is None:
        return ()
    above = [line for text in plan.header for line in comment(text)]
    text = render_template(
        "build/Dockerfile.jinja", above=above, service=service, build=service.build
    )
    return (File(f"{folder}/Dockerfile", text),)


def cache_volume(service: Service) -> str:
    """Return the volume of the cache, which would go with the container; empty: there is none."""
    return f"{service.container.name}-cache" if service.cache else ""


def env_files(service: Service) -> list[str]:
    """Return the files on the host with variables for the container; a later one wins."""
    return list(dict.fromkeys((*service.environment_files, *service.container.env_files)))


def mounted(service: Service, *, decrypted: bool, home: str = "") -> list[tuple[Credential, str]]:
    """Return the credentials, each with its path in the container; `decrypted`: systemd has them,
    so that the encrypted ones are among them. `home` is that of the server, if not the image's.
    """
    home = home or service.container.home_path.rpartition("/")[0]
    return [
        (one, f"{home}/{one.file}" if one.file else f"{SECRETS}/{one.name}")
        for one in service.credentials
        if decrypted or not one.encrypted
    ]


def words(service: Service, step: Step) -> list[str]:
    """Return the arguments of a Step that runs in the container."""
    return placed(step, service.container.program, lambda name: f"{MODELFILE_DIR}/{name}")


def _listed(service: Service) -> tuple[str, ...]:
    """Return the GPUs of a device list; other vendors get the variable itself."""
    devices = service.devices
    return devices.ids if devices and devices.vendor == "nvidia" else ()


def _ordered(service: Service) -> bool:
    ids = _listed(service)
    return list(ids) != sorted(ids, key=lambda i: (len(i), i))


def _counted_by_speed(service: Service) -> bool:
    by_speed = any(
        s.name == "CUDA_DEVICE_ORDER" and s.value == "FASTEST_FIRST" for s in service.environment
    )
    return by_speed and any(i.isdecimal() for i in _listed(service))


NOT_IN_CONTAINERS: Final = (
    LeftOut(
        "a device list says which GPUs, not their order",
        key="gpu.visible_devices",
        asked=_ordered,
        when="of NVIDIA cards that are listed in an order of their own",
    ),
    LeftOut(
        "the indices of a device list count in the order of nvidia-smi, not by speed",
        key="gpu.device_order",
        asked=_counted_by_speed,
        fix="name the GPUs by UUID, or by their index in `nvidia-smi -L`",
        when="with `FASTEST_FIRST`, of NVIDIA cards that are listed by index",
    ),
    LeftOut(
        "the engine opens what it publishes by itself, past the firewall of the host",
        "Listen.open_firewall",
        key="open_firewall",
        asked=lambda service: service.listen.open_firewall and not service.container.rootless,
        fix="leave it out for a container",
        severity="info",
        when="of a rootful engine",
    ),
    LeftOut(
        "an engine that runs as a user opens no firewall",
        key="open_firewall",
        asked=lambda service: service.listen.open_firewall and service.container.rootless,
        fix="open TCP port {port} in the firewall of the host",
        when="of a rootless engine",
    ),
    LeftOut(
        "the image has the program, its command, its user and its backends",
        "Cache.program Store.program "
        "Service.program Service.command Service.user Service.group Service.home "
        "Service.acceleration Service.models_below Service.installed_models",
    ),
    LeftOut("the container is the sandbox", "Service.full_unit Service.hardening"),
    LeftOut(
        "the host must have its driver, and for NVIDIA cards their container toolkit",
        "Devices.access Devices.driver",
    ),
    LeftOut("the header has it in words", "Plan.host"),
    LeftOut("in the commands of the jobs already", "Job.tokens"),
    LeftOut("a Dockerfile gives CMake its flags", "Build.edits Build.blas Build.reads Build.since"),
    LeftOut(
        "a credential is mounted where the server looks for it", "Credential.link Credential.unlink"
    ),
)
