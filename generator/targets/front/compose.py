"""The container of a front for Compose, the one that others reach, and what it mounts."""

from __future__ import annotations

from posixpath import dirname
from typing import TYPE_CHECKING, Any, Final

from generator.formats.text import Commented
from generator.formats.yaml import compose_string
from generator.targets.container import published_host
from generator.targets.front.config import BIND, FOLDER, NEEDS_BIND, SECRETS, At, front_file
from generator.units import address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from generator.plan import Plan, Service
    from generator.targets.base import File

NAME: Final = "front"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 -- in a network of containers


def address_of(plan: Plan) -> str:
    """Return where the other containers of the project reach the front; empty: there is none."""
    return address(NAME, plan.front.port) if plan.front else ""


def compose_files(plan: Plan, reach: Callable[[Service], str]) -> tuple[File, ...]:
    """Return what the container mounts, from `./front`."""
    front = plan.front
    if front is None:
        return ()
    at = At(
        reach=reach,
        host=EVERYWHERE,
        port=front.port,
        metrics_host=EVERYWHERE,
        folder=SECRETS,
        named=True,
    )
    return (front_file(plan, front, at),)


def compose_services(plan: Plan, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the service of the front; `base` is what each container of the project has."""
    front = plan.front
    if front is None:
        return {}
    metrics = front.metrics_port
    ports = [
        f"{published_host(front.host, 'front.host')}:{front.port}:{front.port}",
        f"{published_host(front.metrics_host, 'front.metrics_host')}:{metrics}:{metrics}",
    ]
    secrets = [{"source": f"{NAME}-{one.name}", "target": one.name} for one in front.secrets]
    service = {
        **base,
        "image": front.image,
        "restart": "unless-stopped",
        "ports": ports,
        "volumes": [f"./{FOLDER}:{dirname(front.config)}:ro"],
        **({"secrets": secrets} if secrets else {}),
        "user": Commented("0:0", "Whose files with keys may be; it has none of root's rights."),
        "cap_drop": ["ALL"],
        **({"cap_add": Commented([BIND], NEEDS_BIND)} if front.kind == "caddy" else {}),
        "security_opt": ["no-new-privileges:true"],
        "read_only": True,
        "stop_grace_period": Commented(f"{front.drain_seconds + 5}s", "Answers that run may end."),
    }
    return {NAME: Commented(service, front.reason, gap=True)}


def compose_secrets(plan: Plan) -> dict[str, Any]:
    """Return the files on the host that the container alone reads, by their names."""
    secrets = plan.front.secrets if plan.front else ()
    return {f"{NAME}-{one.name}": {"file": compose_string(one.path)} for one in secrets}
