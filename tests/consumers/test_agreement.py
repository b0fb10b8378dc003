"""Three ways to one service: the `nixos` target, a plan with `modules/`, and the `systemd` target.

Where they describe the same thing, systemd understands the same of all three: environment, limits,
restart, the wait for the GPU, and what each job runs.
"""

import json
import re
from pathlib import Path

import pytest

from generator.codec import to_dict
from generator.plan import Plan
from generator.targets import load_target
from tests.consumers import nix, systemd
from tests.consumers.effective import Effective
from tests.nix.test_modules import host
from tests.plans import ALONE, shipped

EVERYTHING = (
    *("ollama.port=8000", "ollama.host=::1", "ollama.keep_alive=-1", "ollama.models_dir=/srv/m"),
    "ollama.env.HOSTWRIGHT_A=''' $x ${y} %n \"q\" 'z' \\ # : - {} é漢🦙 '''",
    *("resources.cpu_quota=350%", "resources.cpu_weight=200", "resources.io_weight=300"),
    *("resources.memory_high=3G", "resources.memory_max=7G", "resources.memory_swap_max=0"),
    *("resources.allowed_cpus=0-1", "resources.tasks_max=512", "resources.nice=5"),
    *("resources.numa_policy=bind", "resources.numa_mask=0", "resources.limit_memlock=infinity"),
    *("resources.oom_score_adjust=-200", "service.restart=on-failure"),
    *("service.restart_seconds=7", "warmup.enable=true", "warmup.timeout=90s"),
)
CASES: list[tuple[str, str, tuple[str, ...]]] = [
    *((name, "0.32.15", ()) for name in ALONE),
    *((name, "0.9", ()) for name in ("xeon-cpu", "dual-pascal")),
    ("dgx-spark", "0.24", ()),
    *((name, "0.32.15", EVERYTHING) for name in ("container-dev", "dual-pascal")),
    ("xeon-cpu", "0.9", EVERYTHING),
]
LIMITS = (
    *("cpu_quota_percent", "cpu_weight", "memory_max", "memory_high", "memory_swap_max"),
    *("limit_memlock", "restart"),
)
FIELDS = (
    *("AllowedCPUs", "IOWeight", "Nice", "NUMAPolicy", "NUMAMask", "OOMScoreAdjust", "TasksMax"),
    *("RestartSec", "TimeoutStartSec"),
)
# Where upstream's module has a name or a path of its own.
NIXOS_ONLY = {"HOME", "OLLAMA_MODELS"}
PROGRAM = re.compile(r"/nix/store/[0-9a-z]{32}-ollama[\w-]*/bin/ollama|/usr/local/bin/ollama")
MODELFILE = re.compile(r"/\S*Modelfile\S*")


def units_of(file: Path, folder: Path) -> tuple[Path, dict[str, str]]:
    """Write what NixOS would write for `file`; return where, and the text of each unit."""
    units: dict[str, str] = nix.evaluate(file)["units"]
    folder.mkdir()
    for name, text in units.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder, units


def three_ways(plan: Plan, folder: Path) -> dict[str, Path]:
    """Return for each way the directory of its units."""
    (folder / "plan.json").write_text(json.dumps(to_dict(plan)), encoding="utf-8")
    target = folder / "target.nix"
    target.write_text(load_target("nixos").render(plan)[0].text, encoding="utf-8")
    for file in load_target("systemd").render(plan):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    module = host(folder, f"  hostwright.profile = {folder}/plan.json;")
    return {
        "systemd": folder / "etc/systemd/system",
        "nixos": units_of(target, folder / "nixos")[0],
        "modules": units_of(module, folder / "modules")[0],
    }


def same_commands(found: dict[str, Effective], kind: str) -> None:
    lines = {
        way: [
            MODELFILE.sub("MODELFILE", PROGRAM.sub("OLLAMA", line))
            for line in one.extra["exec"].get(kind, [])
        ]
        for way, one in found.items()
    }
    assert lines["modules"] == lines["nixos"] == lines["systemd"], kind


def same_fields(found: dict[str, Effective], plan: Plan) -> None:
    told = {way: one.extra["fields"] for way, one in found.items()}
    for key in FIELDS:
        assert told["modules"].get(key) == told["nixos"].get(key), key
    # The installed unit beside the drop-ins has no sandbox that changes these.
    for key in FIELDS:
        assert told["nixos"].get(key) == told["systemd"].get(key), (key, plan.name)


@pytest.mark.parametrize(("name", "release", "change"), CASES, ids=lambda v: str(v)[:24])
def test_the_three_ways_agree(
    name: str, release: str, change: tuple[str, ...], tmp_path: Path
) -> None:
    plan = shipped(name, *change, version=release)
    ways = three_ways(plan, tmp_path)
    found = {way: systemd.read(units) for way, units in ways.items()}

    environments = {way: one.environment for way, one in found.items()}
    assert environments["modules"] == environments["nixos"]
    beyond = set(environments["nixos"]) - set(environments["systemd"])
    assert beyond <= NIXOS_ONLY
    for variable, value in environments["systemd"].items():
        assert environments["nixos"][variable] == value, variable

    for limit in LIMITS:
        assert len({getattr(one, limit) for one in found.values()}) == 1, limit
    same_fields(found, plan)
    same_commands(found, "ExecStartPre")

    for unit in (unit for unit in plan.service.jobs if unit.kind != "pull"):
        jobs = {way: systemd.read(units, f"{unit.name}.service") for way, units in ways.items()}
        for kind in ("ExecStartPre", "ExecStart", "ExecStop"):
            same_commands(jobs, kind)
        assert jobs["modules"].environment == jobs["nixos"].environment
        same_fields(jobs, plan)
