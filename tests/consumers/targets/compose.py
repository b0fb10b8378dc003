"""`compose`: read by Docker Compose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.targets import limitations
from tests.consumers import compose
from tests.consumers.same import environment_in_a_container, same_limits

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan
    from tests.consumers.effective import Effective


def complaints(folder: Path, plan: Plan) -> list[str]:
    return compose.verify(folder / "compose.yaml")


def read(folder: Path, plan: Plan) -> Effective:
    return compose.read(folder / "compose.yaml", plan.service.container.service)


def compare(plan: Plan, found: Effective) -> None:
    assert found.environment == environment_in_a_container(plan)
    same_limits(plan, found)
    _same_keys(plan, found)
    assert found.extra["service"]["image"] == f"ollama/ollama:{plan.service.release}"
    port, listen = found.extra["ports"][0], plan.service.listen
    assert (port["host_ip"], port["published"]) == (listen.host, str(listen.port))
    assert found.extra["service"]["healthcheck"]["test"] == ["CMD", "ollama", "list"]
    _same_devices(plan, found)


def _same_keys(plan: Plan, found: Effective) -> None:
    service = found.extra["service"]
    for name, key in (
        ("allowed_cpus", "cpuset"),
        ("tasks_max", "pids_limit"),
        ("oom_score_adjust", "oom_score_adj"),
    ):
        limit = plan.service.limit(name)
        unbound = 4096 if key == "pids_limit" else None
        assert service.get(key) == (limit.value if limit else unbound), key
    said = {finding.where for finding in limitations("compose", plan)}
    assert found.memory_high is None
    assert ("resources.memory_high" in said) == (plan.service.limit("memory_high") is not None)


def _same_devices(plan: Plan, found: Effective) -> None:
    if plan.service.devices is None:
        assert found.extra["devices"] == []
        return
    device = found.extra["devices"][0]
    assert device["driver"] == "nvidia"
    assert tuple(device.get("device_ids", ())) == plan.service.devices.ids
