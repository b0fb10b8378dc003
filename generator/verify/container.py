"""What docker or podman hold of a container: `inspect`, read into the Plan's words and units."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from generator.units import SHARES_PER_WEIGHT, address, whole
from generator.verify.observed import Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.plan import Service
    from generator.verify.observed import Via

ENGINES: Final[tuple[Via, ...]] = ("docker", "podman")
_NANO: Final = 10**7  # of a CPU that are a percent
_PERIOD: Final = 100_000
_MOST: Final = 2**63  # of what an engine counts in


def file(by: str) -> str:
    """Return the name under which a capture keeps that."""
    return f"{by}-inspect.json"


def names(by: str, service: Service) -> tuple[str, ...]:
    """Return what an engine calls the container: as Compose does, or as its file or a person."""
    box = service.container
    return tuple(dict.fromkeys((box.in_docker, box.name))) if by == "docker" else (box.name,)


def argv(by: str, *names: str) -> tuple[str, ...]:
    """Return the command that tells what an engine holds of a container by one of the names."""
    return (by, "inspect", "--type", "container", *names)


def held(by: Via, name: str, told: str) -> Held | None:
    """Return what `inspect` tells; None where there is no such container, or it tells nonsense.

    `name` is what it is called if that does not tell.
    """
    try:
        every = json.loads(told)
    except (RecursionError, ValueError):
        return None
    one = every[0] if isinstance(every, list) and every else None
    if not isinstance(one, dict):
        return None
    state, config, host = (_table(one, key) for key in ("State", "Config", "HostConfig"))
    environment = config.get("Env")
    pairs = [str(item).partition("=") for item in environment or () if isinstance(item, str)]
    pid = state.get("Pid")
    return Held(
        by=by,
        name=str(one.get("Name") or name).lstrip("/"),
        variables={key: value for key, _, value in pairs},
        limits=dict(_limits(host)),
        pid=pid if isinstance(pid, int) else 0,
        started=str(state.get("StartedAt") or ""),
        published=tuple(_published(host)),
    )


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def _number(data: Mapping[str, Any], key: str) -> int:
    found = data.get(key)
    return found if isinstance(found, int) and abs(found) < _MOST else 0


def _limits(host: Mapping[str, Any]) -> Iterator[tuple[str, int | str | None]]:
    """Yield the limits; 0 stands for none, a negative number for no bound."""
    quota, period = _number(host, "CpuQuota"), _number(host, "CpuPeriod") or _PERIOD
    percent = _number(host, "NanoCpus") // _NANO or max(quota, 0) * 100 // period
    shares = _number(host, "CpuShares")
    memory, both = _number(host, "Memory"), _number(host, "MemorySwap")
    yield "cpu_quota", percent or None
    yield "cpu_weight", round(shares / SHARES_PER_WEIGHT) if shares else 100
    yield "allowed_cpus", str(host.get("CpusetCpus") or "") or None
    yield "memory_max", memory or None
    yield "memory_swap_max", both - memory if both > 0 else None
    yield "tasks_max", max(_number(host, "PidsLimit"), 0) or None
    yield "oom_score_adjust", _number(host, "OomScoreAdj")
    for one in _records(host.get("Ulimits")):
        if str(one.get("Name", "")).lower().endswith("memlock"):
            soft = _number(one, "Soft")
            yield "limit_memlock", soft if soft >= 0 else None


def _records(found: object) -> list[Mapping[str, Any]]:
    every = found if isinstance(found, list) else []
    return [one for one in every if isinstance(one, dict)]


def _published(host: Mapping[str, Any]) -> Iterator[str]:
    """Yield `address:port:port` for each port that is reached from outside."""
    for inner, every in _table(host, "PortBindings").items():
        for one in _records(every):
            outer = whole(str(one.get("HostPort") or "")) or 0
            at = str(one.get("HostIp") or "0.0.0.0")  # noqa: S104 -- what an empty one means
            yield f"{address(at, outer)}:{inner.partition('/')[0]}"


def outer_port(published: str) -> int | None:
    """Return the port of `address:port:port` at which a container is reached."""
    return whole(published.rsplit(":", 2)[-2]) if published.count(":") > 1 else None
