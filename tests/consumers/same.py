"""Comparisons of a Plan with what its consumer has understood, which several targets make."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.plan import Plan
    from tests.consumers.effective import Effective


def bytes_of(plan: Plan, name: str) -> int | None:
    limit = plan.service.limit(name)
    return limit.value if limit and isinstance(limit.value, int) else None


def same_limits(plan: Plan, found: Effective) -> None:
    quota, weight = plan.service.limit("cpu_quota"), plan.service.limit("cpu_weight")
    assert found.cpu_quota_percent == (quota.value if quota else None)
    assert found.cpu_weight == (weight.value if weight else None)
    assert found.memory_max == bytes_of(plan, "memory_max")
    assert found.memory_swap_max == bytes_of(plan, "memory_swap_max")
    locked = plan.service.limit("limit_memlock")
    if locked:
        assert found.limit_memlock == locked.value


def same_in_a_unit(plan: Plan, found: Effective) -> None:
    """Compare the limits of a `[Service]` section, where systemd has a word for each."""
    same_limits(plan, found)
    assert found.memory_high == bytes_of(plan, "memory_high")
    told = found.extra["fields"]
    for name, key in (
        ("allowed_cpus", "AllowedCPUs"),
        ("tasks_max", "TasksMax"),
        ("oom_score_adjust", "OOMScoreAdjust"),
    ):
        limit = plan.service.limit(name)
        if limit:
            assert told[key] == [str(limit.value)], key


def environment_on_the_host(plan: Plan) -> dict[str, str]:
    return {setting.name: setting.value for setting in plan.service.environment}


def environment_in_a_container(plan: Plan) -> dict[str, str]:
    inside = (setting for setting in plan.service.environment if setting.scope == "any")
    return {setting.name: setting.value for setting in inside}


def same_access(plan: Plan, found: Effective) -> None:
    """Open devices for a GPU host only."""
    gpu = plan.service.devices is not None
    assert ("char-nvidia-uvm rwm" in found.extra["devices"]) == gpu


def same_wait(plan: Plan, found: Effective) -> None:
    """Wait for the last device node on a GPU host only."""
    gpu = plan.service.devices is not None
    waits = found.extra["exec"].get("ExecStartPre", [])
    assert any("/dev/nvidia-uvm" in line for line in waits) == gpu
