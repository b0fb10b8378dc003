"""`verify.py` beside a container: what Docker or Podman holds, and systemd around it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from generator.targets import all_files
from generator.units import LIMITS
from generator.verify.container import held
from tests.cli.test_verify_command import MACHINES
from tests.host import stub
from tests.live.stub import Installed, Stub, serving
from tests.plans import plan
from tests.targets.test_bundle_verify import script

if TYPE_CHECKING:
    from pathlib import Path

    from generator.verify.observed import Via

DATA: dict[str, Any] = {
    "ollama": {"keep_alive": "24h", "host": "127.0.0.1"},
    "resources": {"cpu_quota": "150%", "memory_max": "7G", "memory_high": "6G", "nice": -5},
    "models": [{"name": "a:1b"}],
}
BOX: dict[str, Any] = {
    "Id": "c3a8db2dce0e",
    "State": {"Pid": 7, "Running": True},
    "Config": {"Env": ["PATH=/bin", "OLLAMA_HOST=0.0.0.0:11434", "OLLAMA_KEEP_ALIVE=24h0m0s"]},
    "HostConfig": {
        "NanoCpus": 1500000000,
        "Memory": 7 << 30,
        "MemorySwap": 7 << 30,
        "PidsLimit": 4096,
        "PortBindings": {"11434/tcp": [{"HostIp": "127.0.0.1", "HostPort": "11434"}]},
    },
}
UNIT = """\
LoadState=loaded
CPUQuotaPerSecUSec=1s 500ms
MemoryMax=7516192768
MemoryHigh=6442450944
MemorySwapMax=0
Nice=-5
"""


class Machine:
    """A machine with one container, and what its programs answer."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
        self.folder, self.program = folder, script()
        monkeypatch.setattr(self.program, "ROOT", folder / "root")
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
        files = {file.path: file.text for file in all_files(target, plan(DATA))}
        self.wanted = json.loads(files["verify.json"])
        self.box = json.loads(json.dumps(BOX))
        for name, value in self.wanted["variables"].items():
            if name != "OLLAMA_KEEP_ALIVE":
                self.box["Config"]["Env"].append(f"{name}={value}")
        self.unit = UNIT

    def runs(self, environ: list[str], group: str) -> None:
        """Let the container have a process."""
        proc = self.folder / "root/proc/7"
        proc.mkdir(parents=True)
        (proc / "environ").write_text("\0".join(environ), encoding="utf-8")
        (proc / "cgroup").write_text(f"0::{group}\n", encoding="utf-8")

    def faults(self) -> dict[str, str | None]:
        """Return what is said of each setting; everybody must have been asked."""
        for engine in ("docker", "podman"):
            (self.folder / engine).write_text(json.dumps([self.box]), encoding="utf-8")
            stub(self.folder / "bin", engine, f"cat '{self.folder / engine}'")
        (self.folder / "show").write_text(self.unit, encoding="utf-8")
        stub(self.folder / "bin", "systemctl", f"cat '{self.folder / 'show'}'")
        with serving(Stub([Installed("a:1b")], version="0.32.15")) as server:
            found, unasked = self.program.compare(self.wanted, server.url)
        assert unasked == []
        return {row.setting: row.fault for row in found}


@pytest.fixture(params=["compose", "quadlet"])
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    return Machine(tmp_path, monkeypatch, request.param)


def test_all_is_as_wanted(machine: Machine) -> None:
    machine.runs(machine.box["Config"]["Env"], "/system.slice/docker-c3a8db2dce0e.scope")
    found = machine.faults()
    assert {name: fault for name, fault in found.items() if fault != ""} == {}
    assert {"OLLAMA_KEEP_ALIVE", "CPUQuota", "MemoryMax", "published"} <= found.keys()
    # Docker has no word for these, and Podman leaves them to the unit.
    quadlet = machine.wanted["manager"] == "podman"
    assert ({"MemoryHigh", "Nice"} <= found.keys()) == quadlet
    assert "OLLAMA_HOST" not in found


def test_what_is_not_is_told(machine: Machine) -> None:
    by = machine.wanted["manager"]
    machine.box["Config"]["Env"] = ["OLLAMA_KEEP_ALIVE=5m"]
    machine.box["HostConfig"]["Memory"] = 1 << 30
    machine.box["HostConfig"]["PortBindings"]["11434/tcp"][0]["HostIp"] = ""
    found = machine.faults()
    assert found["OLLAMA_KEEP_ALIVE"] == f"{by} holds 5m"
    assert found["MemoryMax"] == f"{by} holds 1G"
    assert found["TasksMax"] == ""
    assert found["published"] == f"{by} publishes 0.0.0.0:11434:11434"
    assert found["CPUQuota"] == ""


def test_a_limit_of_the_unit_that_podman_does_not_have_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path, monkeypatch, "quadlet")
    machine.box["HostConfig"] |= {"NanoCpus": 0, "Memory": 0}
    machine.unit = UNIT.replace("=7516192768", "=infinity")
    found = machine.faults()
    assert (found["CPUQuota"], found["MemoryMax"]) == ("", "podman holds infinity")


def test_a_process_of_another_machine_is_none_of_it(machine: Machine) -> None:
    machine.runs(["OLLAMA_KEEP_ALIVE=1m"], "/system.slice/cron.service")
    assert machine.faults()["OLLAMA_KEEP_ALIVE"] is None


def test_a_model_that_a_job_is_about_to_fetch_is_not_missed(machine: Machine) -> None:
    machine.wanted["models"] = ["b:1b"]
    if machine.wanted["manager"] == "podman":
        machine.unit += "ActiveState=activating\n"
    assert machine.faults()["model b:1b"] is None
    machine.wanted["jobs"] = []
    assert machine.faults()["model b:1b"] == "the server does not have it"


HOSTS: list[dict[str, Any]] = [
    {},
    BOX["HostConfig"],
    {"CpuQuota": 75000, "CpuPeriod": 50000, "CpuShares": 2048, "CpusetCpus": "0-3,8"},
    {"CpuQuota": -1, "Memory": 2**30, "MemorySwap": 2**30, "PidsLimit": -1, "OomScoreAdj": -500},
    {"MemorySwap": -1, "PidsLimit": 77, "Ulimits": [{"Name": "memlock", "Soft": -1}]},
    {"Ulimits": [{"Name": "RLIMIT_MEMLOCK", "Soft": 4096}, 7], "NanoCpus": "many", "Memory": 2**70},
]


@pytest.mark.parametrize("host", HOSTS)
def test_limits_are_read_as_gen_verify_reads_them(host: dict[str, Any]) -> None:
    theirs = held("docker", "ollama", json.dumps([{"HostConfig": host}]))
    assert theirs is not None
    limits = {
        LIMITS[name]: "infinity" if v is None else str(v) for name, v in theirs.limits.items()
    }
    assert script().bounds({"HostConfig": host}) == limits


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_what_real_engines_print_is_read_as_gen_verify_reads_it(engine: Via) -> None:
    text = (MACHINES / engine / f".hostwright/tools/{engine}-inspect.json").read_text()
    theirs, program, box = held(engine, "ollama", text), script(), json.loads(text)[0]
    assert theirs is not None
    assert program.given(box) == theirs.variables
    assert program.reached(box) == [*(theirs.published or ())]
    limits = ((LIMITS[name], value) for name, value in theirs.limits.items())
    assert program.bounds(box) == {n: "infinity" if v is None else str(v) for n, v in limits}


@pytest.mark.parametrize("told", ["", "[]", "{}", "[1]", "[[]]", "no such object", "[" * 9999])
def test_nonsense_of_an_engine_is_one_line(
    told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = script()
    (tmp_path / "told").write_text(told, encoding="utf-8")
    stub(tmp_path, "docker", f"cat '{tmp_path / 'told'}'")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(program.Unasked, match="docker does not tell of ollama: "):
        program.inspect("docker", "ollama")


def test_what_a_container_has_may_be_anything() -> None:
    box = {
        "State": [],
        "Config": {"Env": {"A": 1}},
        "HostConfig": {"Ulimits": 7, "PortBindings": [1]},
    }
    program = script()
    assert (program.given(box), program.reached(box)) == ({}, [])
