"""Every target, read back by the program that will read it, is the Plan.

Environment, CPU, memory and devices of each profile × target × release, and of the profiles
changed by `--set`.
"""

from pathlib import Path

import pytest

from generator.plan import Plan
from generator.targets import load_target
from tests.consumers import compose, nix, systemd
from tests.consumers.effective import Effective
from tests.plans import PROFILES, RELEASES, shipped

CHANGES: list[tuple[str, ...]] = [
    (),
    ("resources.cpu_quota=350%", "resources.memory_max=7G", "resources.memory_swap_max=0"),
    ("ollama.port=8000", "ollama.host=::1", "ollama.keep_alive=-1", "threads.count=3"),
    (
        "ollama.env.HOSTWRIGHT_A=''' $x ${y} %n \"q\" 'z' \\ # : - {} é漢🦙 '''",
        "ollama.env.HOSTWRIGHT_B=",
        "resources.cpu_weight=200",
        "resources.limit_memlock=infinity",
    ),
    (
        "resources.allowed_cpus=0-1",
        "resources.memory_high=3G",
        "resources.tasks_max=512",
        "resources.oom_score_adjust=-200",
    ),
]
CASES = [
    *((name, release, ()) for name in PROFILES for release in RELEASES),
    *((name, RELEASES[-1], change) for name in PROFILES for change in CHANGES[1:]),
]
ids = pytest.mark.parametrize(
    ("name", "release", "change"), CASES, ids=lambda v: v if isinstance(v, str) else str(len(v))
)


def written(target: str, plan: Plan, folder: Path) -> Path:
    for file in load_target(target).render(plan):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    return folder


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


def same_on_the_host(plan: Plan, found: Effective) -> None:
    """Compare the limits that only systemd, or each consumer in its own words, tells."""
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


def same_in_a_container(plan: Plan, found: Effective) -> None:
    same_limits(plan, found)
    service = found.extra["service"]
    for name, key in (
        ("allowed_cpus", "cpuset"),
        ("tasks_max", "pids_limit"),
        ("oom_score_adjust", "oom_score_adj"),
    ):
        limit = plan.service.limit(name)
        assert service.get(key) == (limit.value if limit else None), key
    said = {finding.where for finding in load_target("compose").limitations(plan)}
    assert found.memory_high is None
    assert ("resources.memory_high" in said) == (plan.service.limit("memory_high") is not None)


def host_environment(plan: Plan) -> dict[str, str]:
    return {s.name: s.value for s in plan.service.environment}


def same_access(plan: Plan, found: Effective) -> None:
    """Open devices for a GPU host only."""
    gpu = plan.service.devices is not None
    assert ("char-nvidia-uvm rwm" in found.extra["devices"]) == gpu


def same_wait(plan: Plan, found: Effective) -> None:
    """Wait for the last device node on a GPU host only."""
    gpu = plan.service.devices is not None
    waits = found.extra["exec"].get("ExecStartPre", [])
    assert any("/dev/nvidia-uvm" in line for line in waits) == gpu


@ids
def test_systemd_reads_the_plan(
    name: str, release: str, change: tuple[str, ...], tmp_path: Path
) -> None:
    plan = shipped(name, *change, version=release)
    units = written("systemd", plan, tmp_path) / "etc/systemd/system"
    jobs = [f"{unit.name}.service" for unit in plan.service.jobs]
    assert systemd.verify(units, ["ollama.service", *jobs]) == []
    found = systemd.read(units)
    assert found.environment == host_environment(plan)
    same_on_the_host(plan, found)
    assert found.restart == "always"
    same_access(plan, found)
    same_wait(plan, found)


@ids
def test_a_complete_unit_is_the_plan_too(
    name: str, release: str, change: tuple[str, ...], tmp_path: Path
) -> None:
    plan = shipped(name, *change, "service.full_unit=true", version=release)
    units = written("systemd", plan, tmp_path) / "etc/systemd/system"
    assert systemd.verify(units, ["ollama.service"]) == []
    found = systemd.read(units)
    assert found.environment == host_environment(plan) | {"HOME": "/var/lib/ollama"}
    same_on_the_host(plan, found)
    same_access(plan, found)
    same_wait(plan, found)


@ids
def test_nixos_reads_the_plan(
    name: str, release: str, change: tuple[str, ...], tmp_path: Path
) -> None:
    check_nixos(shipped(name, *change, version=release), tmp_path, lib=None)


@pytest.mark.parametrize("variant", ["new", "25.11"])
@pytest.mark.parametrize("name", PROFILES)
def test_the_real_module_system_reads_the_plan(
    name: str, variant: nix.Variant, tmp_path: Path
) -> None:
    check_nixos(shipped(name), tmp_path, lib=nix.nixpkgs_lib(), variant=variant)


def check_nixos(
    plan: Plan, folder: Path, *, lib: Path | None, variant: nix.Variant = "new"
) -> None:
    file = written("nixos", plan, folder) / f"{plan.name}.nix"
    nix.parse(file)
    found = nix.read(file, lib=lib, variant=variant)
    expected = host_environment(plan)
    assert {k: found.environment[k] for k in expected} == expected
    assert set(found.environment) - set(expected) <= {"HOME", "OLLAMA_MODELS"}
    same_on_the_host(plan, found)
    assert found.restart == "always"
    same_wait(plan, found)
    answer = found.extra["nix"]
    assert answer["ollama"]["loadModels"] == list(
        dict.fromkeys(model.name for model in plan.service.models)
    )
    assert answer["warnings"] == []
    devices = plan.service.devices
    modules = {name.replace("_", "-") for name in devices.modules} if devices else set()
    assert modules <= {name.replace("_", "-") for name in answer["kernel_modules"]}
    jobs = {unit.name for unit in plan.service.jobs if unit.kind != "pull"}
    assert {f"{job}.service" for job in jobs} <= set(answer["units"])
    assert nix.verify(file, lib=lib, variant=variant) == []


@ids
def test_compose_reads_the_plan(
    name: str, release: str, change: tuple[str, ...], tmp_path: Path
) -> None:
    plan = shipped(name, *change, version=release)
    file = written("compose", plan, tmp_path) / "compose.yaml"
    assert compose.verify(file) == []
    found = compose.read(file)
    inside = (setting for setting in plan.service.environment if setting.scope == "any")
    assert found.environment == {setting.name: setting.value for setting in inside}
    same_in_a_container(plan, found)
    assert found.extra["service"]["image"] == f"ollama/ollama:{plan.service.release}"
    port = found.extra["ports"][0]
    listen = plan.service.listen
    assert (port["host_ip"], port["published"]) == (listen.host, str(listen.port))
    assert found.extra["service"]["healthcheck"]["test"] == ["CMD", "ollama", "list"]
    same_devices(plan, found)


def same_devices(plan: Plan, found: Effective) -> None:
    if plan.service.devices is None:
        assert found.extra["devices"] == []
        return
    device = found.extra["devices"][0]
    assert device["driver"] == "nvidia"
    assert tuple(device.get("device_ids", ())) == plan.service.devices.ids
