"""`quadlet`: read by Podman's generator, and what that writes by systemd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from generator.targets import limitations
from tests.consumers import quadlet
from tests.consumers.same import bytes_of, environment_in_a_container, same_wait

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan
    from tests.consumers.effective import Effective


def _folders(folder: Path, plan: Plan) -> tuple[Path, Path]:
    if plan.puller.container.rootless:
        return folder / ".config/containers/systemd", folder / ".config/systemd/user"
    return folder / "etc/containers/systemd", folder / "etc/systemd/system"


def complaints(folder: Path, plan: Plan) -> list[str]:
    return quadlet.verify(*_folders(folder, plan), rootless=plan.puller.container.rootless)


def read(folder: Path, plan: Plan) -> Effective:
    service = plan.service
    rootless = service.container.rootless
    return quadlet.read(*_folders(folder, plan), service.unit, rootless=rootless)


def compare(plan: Plan, found: Effective) -> None:
    service, options = plan.service, found.extra["options"]
    assert found.environment == environment_in_a_container(plan)
    assert found.extra["image"] == f"docker.io/ollama/ollama:{service.release}"
    host = f"[{service.listen.host}]" if ":" in service.listen.host else service.listen.host
    assert _all(options, "publish") == [f"{host}:{service.listen.port}:11434"]
    assert _all(options, "health-cmd") == ["ollama list"]
    assert _all(options, "health-startup-cmd") == ["ollama list"]
    assert _all(options, "sdnotify") == ["healthy"]
    assert found.extra["fields"]["Type"] == ["notify"]
    assert found.restart == "always"
    _same_limits(plan, found)
    _same_devices(plan, options)
    same_wait(plan, found)


def _all(options: list[tuple[str, str]], name: str) -> list[str]:
    return [value for option, value in options if option == name]


def _same_limits(plan: Plan, found: Effective) -> None:
    """Compare what the unit bounds, and what Podman does, less what the target says it loses."""
    said = {finding.where for finding in limitations("quadlet", plan)}
    wanted: dict[str, Any] = {
        limit.name: limit.value for limit in plan.service.limits if limit.key not in said
    }
    assert found.cpu_quota_percent == wanted.get("cpu_quota")
    assert found.cpu_weight == wanted.get("cpu_weight")
    assert found.memory_max == bytes_of(plan, "memory_max")
    assert found.memory_high == bytes_of(plan, "memory_high")
    assert found.memory_swap_max == bytes_of(plan, "memory_swap_max")
    if "allowed_cpus" in wanted:
        assert found.extra["fields"]["AllowedCPUs"] == [wanted["allowed_cpus"]]
    options = found.extra["options"]
    wanted.setdefault("tasks_max", 4096)  # of a container that nobody bounds
    for name, option in (("tasks_max", "pids-limit"), ("oom_score_adjust", "oom-score-adj")):
        assert _all(options, option) == ([str(wanted[name])] if name in wanted else [])
    locked = wanted.get("limit_memlock")
    value = {"infinity": -1}.get(str(locked), locked)
    assert _all(options, "ulimit") == ([] if locked is None else [f"memlock={value}:{value}"])


def _same_devices(plan: Plan, options: list[tuple[str, str]]) -> None:
    devices = plan.service.devices
    ids = (devices.ids or ("all",)) if devices else ()
    assert _all(options, "device") == [f"nvidia.com/gpu={name}" for name in ids]
