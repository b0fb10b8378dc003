"""`verify.py` of a bundle: on captured machines, by `apply.sh`, and with whatever answers."""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from generator.formats.template import TEMPLATES
from generator.profiles.load import read_document
from generator.targets.bundle import held_by_unit, scripts, wanted
from generator.units import LIMITS
from generator.verify.manager import held
from tests.cli.test_verify_command import MACHINES, SMALL, replayed, rows
from tests.host import Host, stub
from tests.live.hostile import LATE, NONSENSE, Serve, body
from tests.live.stub import Installed, Stub, serving
from tests.plans import plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.plan import Plan, Service

SHOW = ".hostwright/tools/systemctl-show.txt"
TAGS = ".hostwright/tools/api-tags.json"
VERSION = ".hostwright/tools/api-version.json"
ENVIRON = "proc/714/environ"
SLICE = "sys/fs/cgroup/system.slice"
UNIT = f"{SLICE}/ollama.service"
THERE = '{"models": [{"name": "%s"}]}'


def asked_for(decided: Plan) -> Any:
    """Return what the program is told of a host whose server is no container."""
    return json.loads(wanted(decided, [held_by_unit(decided.service)]).text)


def script() -> Any:
    """Return the program as a module."""
    spec = importlib.util.spec_from_file_location("verify", TEMPLATES / "bundle/verify.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_needs_python_alone() -> None:
    text = next(file.text for file in scripts() if file.path == "verify.py")
    tree = ast.parse(text, feature_version=(3, 8))
    every = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    own = {a.name for n in every if isinstance(n, ast.Import) for a in n.names}
    own |= {n.module or "" for n in every if isinstance(n, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in own} <= sys.stdlib_module_names


# ── captured machines: what gen verify says ───────────────────────────────────────────────────


def faults(machine: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """Return what the program has against each setting on a captured machine."""
    program = script()
    monkeypatch.setattr(program, "ROOT", machine)
    stub(folder / "bin", "systemctl", f"cat '{machine / SHOW}'")
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
    tags, version = (json.loads((machine / name).read_text()) for name in (TAGS, VERSION))
    there = [Installed(model["name"]) for model in tags["models"]]
    small = plan(dict(read_document(SMALL).data))
    with serving(Stub(there, version=version["version"])) as server:
        found, unasked = program.compare(asked_for(small), server.url)
    assert unasked == []
    return {row.setting: row.fault for row in found}


CHANGES: dict[str, tuple[str, str, str]] = {
    "nothing": (SHOW, "", ""),
    "another value": (SHOW, "KEEP_ALIVE=24h", "KEEP_ALIVE=5m"),
    "a value with a space": (SHOW, "OLLAMA_KEEP_ALIVE=24h", '"OLLAMA_KEEP_ALIVE=24 h"'),
    "quoted in vain": (SHOW, "OLLAMA_KEEP_ALIVE=24h", '"OLLAMA_KEEP_ALIVE=24h"'),
    "taken away": (SHOW, "UnsetEnvironment=", "UnsetEnvironment=OLLAMA_KEEP_ALIVE"),
    "not there": (SHOW, "OLLAMA_KEEP_ALIVE=24h", ""),
    "more of the CPU": (SHOW, "=500ms", "=1min 4s"),
    "the same of the CPU": (SHOW, "=500ms", "=0.5s"),
    "all of the CPU": (SHOW, "=500ms", "=infinity"),
    "another weight": (SHOW, "CPUWeight=200", "CPUWeight=[not set]"),
    "less memory": (SHOW, "MemoryMax=536870912", "MemoryMax=1073741824"),
    "all memory": (SHOW, "MemoryMax=536870912", "MemoryMax=infinity"),
    "any number of tasks": (SHOW, "TasksMax=100", "TasksMax=infinity"),
    "started with another value": (ENVIRON, "NUM_PARALLEL=2", "NUM_PARALLEL=3"),
    "started without": (ENVIRON, "OLLAMA_NUM_PARALLEL=2\0", ""),
    "the kernel applies another quota": (f"{UNIT}/cpu.max", "50000", "75000"),
    "the kernel applies none": (f"{UNIT}/cpu.max", "50000", "max"),
    "a slice has less of the CPU": (f"{SLICE}/cpu.max", "max", "10000"),
    "the kernel applies no memory": (f"{UNIT}/memory.max", "536870912", "max"),
    "a slice has less memory": (f"{SLICE}/memory.max", "max", "4096"),
    "no control groups to see": ("proc/714/cgroup", "0::", "1:cpu:"),
    "a model": (TAGS, '{"models":[]}', THERE % "tiny:1b"),
    "a model in capitals": (TAGS, '{"models":[]}', THERE % "TINY:1B"),
    "another model": (TAGS, '{"models":[]}', THERE % "tiny"),
    "a release": (VERSION, "0.0.0", "0.32.15"),
    "a release of another era": (VERSION, "0.0.0", "0.24.0"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_it_says_of_a_machine_what_gen_verify_says(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = tmp_path / "machine"
    shutil.copytree(MACHINES / "as-wanted", machine)
    file, old, new = CHANGES[change]
    text = (machine / file).read_text()
    assert old in text
    (machine / file).write_text(text.replace(old, new))
    agrees(machine, tmp_path, monkeypatch)


def test_it_says_of_an_overridden_machine_what_gen_verify_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = MACHINES / "overridden"
    agrees(machine, tmp_path, monkeypatch)
    found = faults(machine, tmp_path, monkeypatch)
    assert found["OLLAMA_HOST"] == "systemd holds 0.0.0.0:11434"
    assert found["CPUQuota"] == "systemd holds 75%"


def agrees(machine: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {name: bool(f) for name, f in faults(machine, folder, monkeypatch).items()}
    said = rows(replayed(machine, "--json"))
    theirs = {name: row["verdict"] in {"drift", "shadowed"} for name, row in said.items()}
    assert {"OLLAMA_HOST", "CPUQuota", "MemoryMax", "release", "model tiny:1b"} <= mine.keys()
    assert mine == {name: theirs[name] for name in mine}


# What systemd 252 and 257, each the first process, print of one unit and its overriding drop-in;
# but for the number of the process it is the same.
SHOWN = Path(__file__).parent / "show.txt"
HELD = {
    "CPUQuota": "75", "CPUWeight": "200", "AllowedCPUs": "0-1", "MemoryMax": "536870912",
    "MemoryHigh": "402653184", "MemorySwapMax": "0", "NUMAPolicy": "interleave", "NUMAMask": "0",
    "IOWeight": "50", "Nice": "-5", "TasksMax": "100", "LimitMEMLOCK": "infinity",
    "OOMScoreAdjust": "-500",
}  # fmt: skip


def test_what_systemd_prints_is_read_by_both() -> None:
    program, text = script(), SHOWN.read_text(encoding="utf-8")
    told = dict(line.split("=", 1) for line in text.splitlines())
    assert {name: program.held(name, told, {}) for name in HELD} == HELD
    theirs = held("ollama.service", text)
    assert theirs is not None
    limits = {LIMITS[name]: value for name, value in theirs.limits.items()}
    assert {n: "infinity" if v is None else str(v) for n, v in limits.items()} == HELD
    given = program.handed(told)
    assert given == theirs.variables
    assert (given["OLLAMA_HOST"], given["OLLAMA_ORIGINS"]) == ("0.0.0.0:11434", "a b")


# ── at the end of apply.sh ────────────────────────────────────────────────────────────────────

DATA: dict[str, Any] = {
    "ollama": {"env": {"OWN": "hush"}},
    "resources": {"memory_max": "7G", "cpu_quota": "150%"},
    "models": [{"name": "a:1b"}],
}


class Applied:
    """A host with Python, whose server runs with what a bundle wants, and is asked."""

    def __init__(self, host: Host, server: Stub) -> None:
        self.host = host
        host.stub("python3", f'exec {sys.executable} "$@"')
        port = int(server.url.rpartition(":")[2])
        self.data = {**DATA, "ollama": {**DATA["ollama"], "port": port}}
        self.service = host.plan(self.data).service
        self.holds(*show(self.service))
        self.got(*(f"{s.name}={s.value}" for s in self.service.environment))

    def holds(self, *lines: str, unit: str = "ollama.service") -> None:
        (self.host.state / "held").mkdir(exist_ok=True)
        (self.host.state / "held" / unit).write_text("\n".join(("LoadState=loaded", *lines)))

    def got(self, *pairs: str) -> None:
        folder = self.host.root / "proc/7"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "environ").write_text("\0".join(pairs))

    def apply(self) -> tuple[int, list[str], list[str]]:
        """Return the status, the last line, and the errors."""
        done = self.host.run("sh", self.host.bundle(self.data) / "apply.sh")
        return done.returncode, done.stdout.splitlines()[-1:], done.stderr.splitlines()


def show(service: Service) -> list[str]:
    """Return what systemd holds of a service that is all as wanted."""
    return [
        "MainPID=7",
        "Environment=" + " ".join(f"{s.name}={s.value}" for s in service.environment),
        *("CPUQuotaPerSecUSec=1s 500ms", f"MemoryMax={7 << 30}", "MemorySwapMax=0"),
        *(f"{limit.directive}={limit.value}" for limit in service.limits if limit.name[0] != "m"),
    ]


@pytest.fixture
def server() -> Iterator[Stub]:
    with serving(Stub([Installed("a:1b")], version="0.32.15")) as one:
        yield one


@pytest.fixture
def applied(tmp_path: Path, server: Stub) -> Applied:
    return Applied(Host(tmp_path), server)


def test_what_is_as_wanted_is_counted(applied: Applied) -> None:
    status, last, errors = applied.apply()
    number = len(applied.service.environment) + len(applied.service.limits) + 2
    assert (status, errors) == (0, [])
    assert last == [f"{number} settings of this bundle are in effect."]


def test_what_is_not_has_a_line_and_a_status_and_stays_in_place(applied: Applied) -> None:
    lines = show(applied.service)
    applied.holds(*(line.replace(f"={7 << 30}", "=1073741824") for line in lines))
    applied.got("OWN=other")
    for _ in range(2):  # put in place, and again where nothing is to be changed
        status, _, errors = applied.apply()
        assert status == 4
        assert "MemoryMax: wanted 7G, systemd holds 1G" in errors
        assert "OWN: wanted what is not shown here, the process has another one" in errors
        assert not {"hush", "other"} & {*" ".join(errors).split()}
        assert errors[-1].endswith(" settings of this bundle are not in effect.")
        assert any("ollama.service.d" in path for path in applied.host.files)


def test_the_line_that_wins_is_named(applied: Applied) -> None:
    override = applied.host.unit.with_suffix(".service.d") / "override.conf"
    override.parent.mkdir()
    override.write_text("[Service]\nMemoryMax=1G\n")
    applied.holds(*show(applied.service), "NeedDaemonReload=yes")
    status, _, errors = applied.apply()
    assert (status, errors[0].partition(":")[0]) == (4, "files")
    applied.holds(*(line.replace(f"={7 << 30}", "=1073741824") for line in show(applied.service)))
    status, _, errors = applied.apply()
    assert status == 4
    assert errors[-1] == f"MemoryMax of this bundle has no effect: {override}:2 says otherwise."


def test_a_model_that_a_job_is_about_to_fetch_is_not_missed(applied: Applied, server: Stub) -> None:
    server.models.clear()
    applied.holds("ActiveState=activating", unit="ollama-pull.service")
    status, last, _ = applied.apply()
    assert (status, last[0].endswith(", and of 1 nobody tells.")) == (0, True)
    applied.holds("ActiveState=failed", "Job=0", unit="ollama-pull.service")
    status, _, errors = applied.apply()
    assert (status, errors[0]) == (4, "model a:1b: wanted there, the server does not have it")


def test_who_cannot_be_asked_is_no_failure(applied: Applied, server: Stub) -> None:
    (applied.host.state / "held/ollama.service").unlink()
    server.version = "\x1b[2J"
    status, _, errors = applied.apply()
    assert status == 0
    assert [line.partition(":")[0] for line in errors[:-1]] == ["Not asked"] * 2
    assert errors[-1] == "Nobody tells what is in effect of this bundle."


def test_a_process_that_only_root_sees_is_unknown(applied: Applied) -> None:
    applied.got()
    status, last, errors = applied.apply()
    assert (status, errors) == (0, [])
    assert last[0].endswith(f", and of {len(applied.service.environment)} nobody tells.")


# ── whatever answers ──────────────────────────────────────────────────────────────────────────


BAD = {
    **LATE,
    **{kind: answer for kind, (answer, *_) in NONSENSE.items()},
    "wrong models": body(b'{"version": "0.32.15", "models": 7}'),
    "wrong release": body(b'{"version": [1], "models": []}'),
    "an escape": body(b'{"version": "\\u001b[2J", "models": []}'),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_server_that_answers_anything_ends_in_one_line(
    kind: str,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    program = script()
    monkeypatch.setattr(program, "SECONDS", 0.3)
    monkeypatch.setattr(program, "__file__", str(tmp_path / "verify.py"))
    monkeypatch.setenv("PATH", str(tmp_path))  # no systemctl
    (tmp_path / "verify.json").write_text(json.dumps(asked_for(plan(DATA))))
    assert program.main([serve(BAD[kind])]) == 3
    systemd, server, last = capsys.readouterr().out.splitlines()
    assert systemd.startswith("Not asked: systemctl: ")
    assert server.startswith("Not asked: ")
    assert server.isprintable()
    assert last == "Nobody tells what is in effect of this bundle."


def test_a_server_alone_does_not_say_that_all_is_in_effect(
    server: Stub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    program = script()
    monkeypatch.setattr(program, "__file__", str(tmp_path / "verify.py"))
    monkeypatch.setenv("PATH", str(tmp_path))  # no systemctl
    (tmp_path / "verify.json").write_text(json.dumps(asked_for(plan(DATA))))
    assert program.main([server.url]) == 3
    assert capsys.readouterr().out.startswith("Not asked: systemctl: ")


@pytest.mark.parametrize("address", ["127.0.0.1:99999999", "http://a:123456"])
def test_an_address_that_is_none_is_told(address: str) -> None:
    program = script()
    with pytest.raises(program.Unasked, match="no address with a port"):
        program.of_server(asked_for(plan({})), address)


def test_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert script().main(["a", "b"]) == 2
    assert script().main(["--help"]) == 0
    assert script().main([]) == 2  # there is no verify.json beside the template
    assert "does not say what is wanted" in capsys.readouterr().out
