"""Every target, read back by the program that will read it, is the Plan.

Environment, CPU, memory and devices of each profile × target × release, and of the profiles
changed by `--set`.
"""

from pathlib import Path

import pytest

from generator.targets import TARGETS
from tests.consumers import nix
from tests.consumers.targets import consumer, written
from tests.plans import ALONE, PROFILES, RELEASES, shipped

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


EACH = ("systemd", "compose", "quadlet")
"""Targets of whose files a consumer tells each of several servers."""


@pytest.mark.parametrize(
    ("target", "name", "release", "change"),
    [(t, *case) for t in TARGETS for case in CASES if t in EACH or case[0] in ALONE],
    ids=lambda v: v if isinstance(v, str) else str(len(v)),
)
def test_the_consumer_reads_the_plan(
    target: str, name: str, release: str, change: tuple[str, ...], tmp_path: Path
) -> None:
    same(target, name, *change, version=release, folder=tmp_path)


@ids
def test_a_complete_unit_is_the_plan_too(
    name: str, release: str, change: tuple[str, ...], tmp_path: Path
) -> None:
    full = "service.full_unit=true"
    same("systemd", name, *change, full, version=release, folder=tmp_path)


def same(target: str, name: str, *change: str, version: str, folder: Path) -> None:
    plan = shipped(name, *change, version=version)
    written(target, plan, folder)
    ask = consumer(target)
    assert ask.complaints(folder, plan) == []
    for part in plan.parts:
        ask.compare(part, ask.read(folder, part))


@pytest.mark.parametrize("variant", ["unstable", "25.11"])
@pytest.mark.parametrize("name", ALONE)
def test_the_real_module_system_reads_the_plan(
    name: str, variant: nix.Variant, tmp_path: Path
) -> None:
    plan, lib = shipped(name), nix.nixpkgs_lib()
    file = written("nixos", plan, tmp_path) / f"{plan.name}.nix"
    assert nix.verify(file, lib=lib, variant=variant) == []
    consumer("nixos").compare(plan, nix.read(file, lib=lib, variant=variant))
