"""What `gen` has rendered and imports again is the Plan that it was rendered from."""

from pathlib import Path
from typing import Any

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.importing.importing import ImportRequest, imported
from generator.plan import Model, Plan
from generator.profiles.document import Document
from generator.profiles.load import read_document
from generator.profiles.validate import validate
from generator.resolve import resolve
from generator.targets import all_files
from tests.host import put
from tests.importing.texts import profile
from tests.plans import ALONE, shipped

TARGETS = ("systemd", "compose", "quadlet", "nixos")
IN_CONTAINERS = {"compose", "quadlet"}
WITHOUT_JOBS = {"compose": {"resume"}, "nixos": {"create", "resume", "warmup"}}
"""Jobs that a target cannot have, or that no reader finds in what it writes."""
RELEASES = ("0.9", "0.32.15")
CHANGES: list[tuple[str, ...]] = [
    ("service.full_unit=true", "service.binary=/opt/ollama/bin/ollama"),
    (
        "ollama.host=::1",
        "ollama.port=8000",
        "ollama.keep_alive=-1",
        "ollama.debug=true",
        "ollama.noprune=true",
        "ollama.no_cloud=true",
        "ollama.max_queue=64",
        "ollama.load_timeout=10m",
        'ollama.origins=["https://a.lan", "http://b.lan"]',
        "ollama.prompt_cache=infinity",
        "ollama.gpu_overhead=1G",
        "ollama.sched_spread=false",
    ),
    (
        "resources.cpu_quota=350%",
        "resources.memory_high=3G",
        "resources.memory_max=infinity",
        "resources.memory_swap_max=0",
        "resources.io_weight=50",
        "resources.tasks_max=infinity",
        "resources.limit_memlock=infinity",
        "resources.allowed_cpus=0-1",
        "resources.nice=5",
        "resources.oom_score_adjust=-200",
        "resources.numa_policy=interleave",
        "resources.numa_mask=0-1",
    ),
    (
        "service.user=llm",
        "service.group=gpu",
        "service.home=/srv/llm",
        "service.restart=on-failure",
        "service.restart_seconds=90",
        "ollama.env.HOSTWRIGHT_A=a $b % \"c\" 'd' \\ é",
    ),
]
CONTAINER = (
    "container.image=registry.lan/ollama",
    "container.tag=mine",
    "container.name=llm",
    "container.volume=data",
    "container.network=web",
    "ollama.host=192.0.2.7",
    "ollama.port=8000",
    "resources.cpus=2",
    "resources.memory_max=7G",
)
CASES = [
    *((t, name, release, ()) for t in TARGETS for name in ALONE for release in RELEASES),
    *(("systemd", "xeon-cpu", RELEASES[-1], change) for change in CHANGES),
    ("systemd", "dual-pascal", RELEASES[-1], CHANGES[0]),
    *((target, "container-dev", RELEASES[-1], CONTAINER) for target in ("compose", "quadlet")),
    ("quadlet", "container-dev", RELEASES[-1], ("container.rootless=true",)),
]


def said(plan: Plan, target: str) -> dict[str, Any]:
    """Return what the files of a Plan say of its service."""
    service, boxed = plan.service, target in IN_CONTAINERS
    variables = (one for one in service.environment if not boxed or one.scope == "any")
    jobs = (job for job in service.jobs if job.kind not in WITHOUT_JOBS.get(target, ()))
    places = ("image", "name", "volume", "network", "rootless") if boxed else ()
    return {
        "environment": {(one.name, one.value) for one in variables},
        "container": [getattr(service.container, name) for name in places],
        "limits": {(one.name, one.value) for one in service.limits},
        "listen": (service.listen.host, service.listen.port),
        "models": [_model(one, target) for one in service.models],
        "jobs": {(job.kind, job.models) for job in jobs},
        "restart": (service.restart.policy, service.restart.seconds) if target != "compose" else (),
        **{
            name: getattr(service, name)
            for name in ("release", "acceleration", "models_dir", "program", "full_unit", "unit")
        },
        "who": (service.user, service.group, service.home),
    }


def _model(one: Model, target: str) -> tuple[object, ...]:
    if target == "nixos":  # It has no word for what a model is made of.
        return (one.name,)
    return (one.name, one.serve_as, [(p.name, p.value) for p in one.parameters])


@pytest.mark.parametrize(
    ("target", "name", "release", "change"),
    CASES,
    ids=lambda v: v if isinstance(v, str) else len(v),
)
def test_nothing_is_lost_and_nothing_is_added(
    target: str,
    name: str,
    release: str,
    change: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")  # Nix would read modules, and take its time.
    plan = shipped(name, *change, version=release)
    put(all_files(target, plan), tmp_path)
    host = read_document(name).data["host"]
    found = imported(ImportRequest(paths=(str(tmp_path),), host=host))
    document = Document("again.toml", profile(found), {}, "")
    again = resolve(validate(document), load_catalogue(), source="again.toml")
    assert said(again, target) == said(plan, target)
    assert [one.name for one in found.lost] == []
    assert found.added == ()
