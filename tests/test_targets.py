"""What targets do with the corners of a Plan: said to the consumer, or said to the user."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from generator.errors import RenderError
from generator.targets import load_target
from generator.targets.systemd import DROP_INS, JOBS, PLACES
from tests.consumers import compose, systemd
from tests.plans import PROFILES, RELEASES, plan, shipped
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from generator.plan import Plan
    from generator.targets.base import File
    from tests.consumers.effective import Effective

UNITS = "etc/systemd/system"
CARDS = [{"name": "Quadro P4000", "memory": "8GiB"}] * 2
WARM = [{"name": "a:1b", "preload": True}, {"name": "b:1b", "preload": True}]


def put(files: tuple[File, ...], folder: Path) -> Path:
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
    return folder


def text_of(target: str, decided: Plan, path: str) -> str:
    return next(f.text for f in load_target(target).render(decided) if f.path == path)


def told(target: str, decided: Plan) -> dict[str, str]:
    """Return what a target says that it cannot express: the way out, by setting."""
    findings = load_target(target).limitations(decided)
    assert {finding.rule for finding in findings} <= {"HW601"}
    return {finding.where: finding.fix for finding in findings}


# ── compose ───────────────────────────────────────────────────────────────────────────────────


def in_compose(decided: Plan, folder: Path, service: str = "ollama") -> Effective:
    file = put(load_target("compose").render(decided), folder) / "compose.yaml"
    return compose.read(file, service)


@pytest.mark.parametrize(
    ("resources", "limit", "said"),
    [
        ({"memory_swap_max": 0}, None, True),
        ({"memory_swap_max": "2G"}, None, True),
        ({"memory_swap_max": 0, "memory_max": "infinity"}, None, True),
        ({"memory_swap_max": "infinity"}, "-1", False),
        ({"memory_swap_max": 0, "memory_max": "1G"}, str(2**30), False),
        ({"memory_swap_max": "2G", "memory_max": "1G"}, str(3 * 2**30), False),
    ],
)
def test_docker_limits_swap_only_with_memory(
    resources: Mapping[str, object], limit: str | None, said: bool, tmp_path: Path
) -> None:
    decided = plan({"resources": resources})
    found = in_compose(decided, tmp_path).extra["service"].get("memswap_limit")
    assert found == limit
    assert ("resources.memory_swap_max" in told("compose", decided)) == said


@pytest.mark.parametrize(
    ("host", "address"),
    [("localhost", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("::1", "::1")],  # noqa: S104
)
def test_docker_publishes_on_addresses(host: str, address: str, tmp_path: Path) -> None:
    found = in_compose(plan({"ollama": {"host": host}}), tmp_path)
    assert found.extra["ports"][0]["host_ip"] == address


@pytest.mark.parametrize("host", ["box.lan", "fe80::1%eth0"])
def test_docker_does_not_publish_on_names(host: str) -> None:
    with pytest.raises(RenderError, match=r"`ollama\.host`") as caught:
        load_target("compose").render(plan({"ollama": {"host": host}}))
    assert "127.0.0.1" in caught.value.hint


def test_docker_makes_the_models_directory(tmp_path: Path) -> None:
    found = in_compose(plan({"ollama": {"models_dir": "/srv/ollama/models"}}), tmp_path)
    bound = found.extra["volumes"][1]
    assert (bound["type"], bound["source"]) == ("bind", "/srv/ollama/models")
    assert bound["bind"] == {"create_host_path": True}


@pytest.mark.parametrize(
    ("acceleration", "variable"),
    [("rocm", "ROCR_VISIBLE_DEVICES"), ("vulkan", "GGML_VK_VISIBLE_DEVICES")],
)
def test_gpus_without_a_device_list_go_by_their_variable(
    acceleration: str, variable: str, tmp_path: Path
) -> None:
    decided = plan({"ollama": {"acceleration": acceleration}, "gpu": {"visible_devices": [1, 0]}})
    assert in_compose(decided, tmp_path).environment[variable] == "1,0"
    assert told("compose", decided) == {}


@pytest.mark.parametrize(
    ("gpu", "said"),
    [
        ({"visible_devices": [0, 1], "device_order": "FASTEST_FIRST"}, {"gpu.device_order"}),
        ({"visible_devices": [0, 1], "device_order": "PCI_BUS_ID"}, set()),
        ({"visible_devices": ["GPU-1"], "device_order": "FASTEST_FIRST"}, set()),
        ({"visible_devices": [1, 0]}, {"gpu.visible_devices"}),
        ({"device_order": "FASTEST_FIRST"}, set()),
    ],
)
def test_a_device_list_counts_as_nvidia_smi(gpu: Mapping[str, object], said: set[str]) -> None:
    decided = plan({"host": {"gpus": CARDS}, "gpu": gpu})
    assert set(told("compose", decided)) == said


# ── compose: the jobs, run with a stub in place of the ollama program ─────────────────────────


def stub(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def run_job(decided: Plan, service: str, ollama: str, folder: Path) -> tuple[int, list[str]]:
    """Run the job's own command line; return its status and the calls of the ollama program."""
    argv = in_compose(decided, folder, service).extra["service"]["entrypoint"]
    log = folder / "log"
    stub(folder / "bin", "ollama", f'echo "$@" >>{log}\n{ollama}')
    environment = {"PATH": f"{folder / 'bin'}:{os.defpath}"}
    done = subprocess.run(argv, env=environment, timeout=60, check=False, capture_output=True)
    return done.returncode, log.read_text(encoding="utf-8").splitlines()


def test_a_model_that_is_there_is_not_pulled(tmp_path: Path) -> None:
    decided = plan({"models": WARM})
    calls = run_job(decided, "ollama-pull", '[ "$1" = show ]', tmp_path)
    assert calls == (0, ["show a:1b", "show b:1b"])


def test_a_model_that_is_missing_is_pulled(tmp_path: Path) -> None:
    decided = plan({"models": WARM})
    calls = run_job(decided, "ollama-pull", '[ "$1 $2" != "show b:1b" ]', tmp_path)
    assert calls == (0, ["show a:1b", "show b:1b", "pull b:1b"])


def test_a_failed_pull_is_a_failed_job(tmp_path: Path) -> None:
    status, calls = run_job(plan({"models": WARM}), "ollama-pull", "exit 3", tmp_path)
    assert (status, calls) == (3, ["show a:1b", "pull a:1b"])


def test_a_warm_up_may_fail(tmp_path: Path) -> None:
    calls = run_job(plan({"models": WARM}), "ollama-warmup", '[ "$1" = show ]', tmp_path)
    assert calls == (0, ["show a:1b", "run a:1b", "show b:1b", "run b:1b"])


def test_one_bound_for_the_whole_warm_up(tmp_path: Path) -> None:
    decided = plan({"models": WARM, "warmup": {"timeout": "1s"}})
    before = time.monotonic()
    status, calls = run_job(decided, "ollama-warmup", '[ "$1" = show ] || exec sleep 20', tmp_path)
    assert (status, calls) == (124, ["show a:1b", "run a:1b"])
    assert time.monotonic() - before < 15
    job = in_compose(decided, tmp_path, "ollama-warmup").extra["service"]
    assert job["entrypoint"][:2] == ["timeout", "1"]


def test_jobs_say_why() -> None:
    text = text_of("compose", plan({"models": WARM}), "compose.yaml")
    lines = text.splitlines()
    for key in ("  ollama-pull:", "    healthcheck:", '    restart: "on-failure:5"'):
        assert lines[lines.index(key) - 1].lstrip().startswith("# "), key


# ── systemd: units ────────────────────────────────────────────────────────────────────────────


def in_systemd(decided: Plan, folder: Path) -> Effective:
    return systemd.read(put(load_target("systemd").render(decided), folder) / UNITS)


def tmpfiles(decided: Plan, folder: Path) -> dict[str, int]:
    """Let the real systemd-tmpfiles make the directories; return them with their modes."""
    put(load_target("systemd").render(decided), folder)
    user, group = decided.service.user, decided.service.group
    (folder / "etc/passwd").write_text(f"{user}:x:{os.getuid()}:{os.getgid()}::/:/bin/sh\n")
    (folder / "etc/group").write_text(f"{group}:x:{os.getgid()}:\n")
    argv = [require("systemd-tmpfiles"), f"--root={folder}", "--create", "hostwright-ollama.conf"]
    done = subprocess.run(argv, capture_output=True, timeout=30, check=False, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    made = [path for path in folder.rglob("*") if path.is_dir()]
    return {
        f"/{path.relative_to(folder)}": path.stat().st_mode & 0o777
        for path in made
        if path.relative_to(folder).parts[0] != "etc"
    }


def test_a_home_of_ones_own_is_made(tmp_path: Path) -> None:
    service = {"full_unit": True, "home": "/srv/ai", "user": "ai", "group": "llm"}
    decided = plan({"service": service, "ollama": {"models_dir": "/srv/ai/models"}})
    made = tmpfiles(decided, tmp_path)
    assert (made["/srv/ai"], made["/srv/ai/models"]) == (0o750, 0o750)
    users = text_of("systemd", decided, "etc/sysusers.d/hostwright-ollama.conf").splitlines()
    assert users[-2:] == ["u ai - Ollama /srv/ai", "m ai llm"]


def test_the_state_directory_is_made_by_the_unit() -> None:
    decided = plan({"service": {"full_unit": True}})
    paths = [file.path for file in load_target("systemd").render(decided)]
    assert "etc/tmpfiles.d/hostwright-ollama.conf" not in paths
    assert "StateDirectory=ollama" in text_of("systemd", decided, f"{UNITS}/ollama.service")


def test_a_home_and_a_models_directory_in_one_place_are_one_line() -> None:
    service = {"full_unit": True, "home": "/srv/ai"}
    decided = plan({"service": service, "ollama": {"models_dir": "/srv/ai"}})
    text = text_of("systemd", decided, "etc/tmpfiles.d/hostwright-ollama.conf")
    assert text.count("\nd ") == 1


def test_drop_ins_carry_the_home_too(tmp_path: Path) -> None:
    decided = plan({"service": {"home": "/srv/ai", "user": "ai"}})
    assert in_systemd(decided, tmp_path).environment["HOME"] == "/srv/ai"
    assert "/srv/ai" in tmpfiles(decided, tmp_path)


def test_systemd_has_no_firewall() -> None:
    assert told("systemd", plan({"ollama": {"open_firewall": True}})).keys() == {
        "ollama.open_firewall"
    }
    assert told("systemd", plan({})) == {}


# ── systemd: the scripts, run against a directory and with stubs for the host's programs ──────

HOST = ("systemctl", "modprobe", "systemd-tmpfiles", "systemd-sysusers", "id")
INSTALLED = "[Service]\nExecStart=/usr/local/bin/ollama serve\n"
FULL = {"service": {"full_unit": True}}
LARGE: dict[str, Any] = {
    "host": {"gpus": CARDS},
    "ollama": {"models_dir": "/srv/models", "keep_alive": "1h", "env": {"A": "1"}},
    "resources": {"memory_max": "7G"},
    "threads": {"count": 2},
    "models": [{"name": "a:1b", "preload": True, "parameters": {"num_ctx": 4096}}],
    "service": {"resume_fix": True},
}


class Host:
    """A directory in place of `/`, with the unit that Ollama's installer makes."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.folder = folder
        self.unit = self.root / UNITS / "ollama.service"
        self.unit.parent.mkdir(parents=True)
        self.unit.write_text(INSTALLED, encoding="utf-8")
        for name in HOST:
            stub(folder / "bin", name, f'echo "{name} $*" >>{folder}/calls')

    def run(self, decided: Plan, script: str) -> subprocess.CompletedProcess[str]:
        """Write the bundle afresh and run one of its scripts."""
        target = load_target("systemd")
        (self.folder / "calls").write_text("", encoding="utf-8")
        bundle = self.folder / f"bundle-{time.monotonic_ns()}"
        put((*target.render(decided), *target.install_note(decided)), bundle)
        return subprocess.run(
            ["sh", str(bundle / script)],
            env={"PATH": f"{self.folder}/bin:{os.defpath}", "DESTDIR": str(self.root)},
            capture_output=True,
            timeout=60,
            check=False,
            encoding="utf-8",
        )

    def apply(self, decided: Plan) -> str:
        done = self.run(decided, "apply.sh")
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def remove(self, decided: Plan) -> None:
        done = self.run(decided, "remove.sh")
        assert (done.returncode, done.stderr) == (0, "")

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text(encoding="utf-8").splitlines()

    @property
    def files(self) -> dict[str, str]:
        return {
            path.relative_to(self.root).as_posix(): path.read_text(encoding="utf-8")
            for path in self.root.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def rendered(decided: Plan) -> dict[str, str]:
    return {file.path: file.text for file in load_target("systemd").render(decided)}


OURS = {f"{UNITS}/ollama.service": INSTALLED}


def scripts() -> Iterator[Plan]:
    yield from (shipped(name, version=release) for name in PROFILES for release in RELEASES)
    yield from (plan(LARGE), plan({}), plan(FULL))


def test_the_scripts_are_posix_shell_and_executable() -> None:
    for decided in scripts():
        for file in load_target("systemd").install_note(decided):
            if file.path.endswith(".sh"):
                assert file.executable
                done = subprocess.run(
                    ["sh", "-n"], input=file.text, encoding="utf-8", timeout=20, check=False
                )
                assert done.returncode == 0
                assert "\n\n\n" not in file.text


def test_every_file_has_a_place_that_the_scripts_know() -> None:
    for decided in scripts():
        for path in rendered(decided):
            known = path in PLACES or path.startswith("etc/hostwright/Modelfile.")
            assert known, path
        assert {unit.name for unit in decided.units} <= set(JOBS)
    drop_ins = [path for path in rendered(plan(LARGE)) if ".service.d/" in path]
    assert [f"{UNITS}/ollama.service.d/{name}.conf" for name in DROP_INS] == drop_ins


def test_apply_puts_the_bundle_in_place_and_starts_it(host: Host) -> None:
    decided = plan(LARGE)
    host.apply(decided)
    assert host.files == OURS | rendered(decided)
    assert host.calls == [
        "systemctl cat ollama.service",
        "id -u ollama",
        "modprobe -a nvidia_uvm",
        "systemd-tmpfiles --create hostwright-ollama.conf",
        "systemctl daemon-reload",
        "systemctl enable " + " ".join(f"{job}.service" for job in JOBS),
        "systemctl restart ollama.service",
    ]


@pytest.mark.parametrize("data", [LARGE, FULL, {}])
def test_apply_twice_is_apply_once(data: Mapping[str, object], host: Host) -> None:
    host.apply(plan(data))
    once = host.files
    host.apply(plan(data))
    assert host.files == once


def test_what_an_earlier_bundle_had_goes(host: Host) -> None:
    host.apply(plan(LARGE))
    host.apply(plan({}))
    assert host.files == OURS | rendered(plan({}))
    stopped = [call for call in host.calls if "disable" in call]
    assert stopped == [f"systemctl disable --now {job}.service" for job in JOBS]


def test_what_is_not_ours_stays(host: Host) -> None:
    mine = {f"{UNITS}/ollama.service.d/20-limits.conf": "[Service]\nNice=5\n"}
    theirs = {f"{UNITS}/ollama.service.d/override.conf": "[Service]\nNice=7\n"}
    files = ((path, text) for path, text in (mine | theirs).items())
    for path, text in files:
        (host.root / path).parent.mkdir(parents=True, exist_ok=True)
        (host.root / path).write_text(text, encoding="utf-8")
    said = host.apply(plan(LARGE))
    assert "20-limits.conf.before-hostwright" in said
    kept = {f"{path}.before-hostwright": text for path, text in mine.items()}
    assert host.files == OURS | rendered(plan(LARGE)) | theirs | kept
    host.remove(plan(LARGE))
    assert host.files == OURS | mine | theirs


def test_a_kept_file_is_never_replaced(host: Host) -> None:
    path = host.root / UNITS / "ollama.service.d/20-limits.conf"
    path.parent.mkdir(parents=True)
    path.write_text("first\n", encoding="utf-8")
    host.apply(plan(LARGE))
    path.write_text("second\n", encoding="utf-8")
    before = host.files
    done = host.run(plan(LARGE), "apply.sh")
    assert done.returncode == 1
    assert "is kept from before already" in done.stderr
    assert host.files == before


@pytest.mark.parametrize(
    ("program", "said"), [("systemctl", "no ollama.service"), ("id", "no user ollama")]
)
def test_without_ollama_nothing_is_touched(program: str, said: str, host: Host) -> None:
    stub(host.folder / "bin", program, "exit 1")
    before = host.files
    done = host.run(plan(LARGE), "apply.sh")
    assert done.returncode == 1
    assert said in done.stderr
    assert host.files == before


def test_remove_leaves_nothing_of_ours(host: Host) -> None:
    host.apply(plan(LARGE))
    host.remove(plan(LARGE))
    assert host.files == OURS
    assert not (host.root / "etc/hostwright").exists()
    assert not (host.root / UNITS / "ollama.service.d").exists()
    assert host.calls == [
        *(f"systemctl disable --now {job}.service" for job in JOBS),
        "systemctl daemon-reload",
        "systemctl cat ollama.service",
        "systemctl try-restart ollama.service",
    ]


def test_a_complete_unit_keeps_the_installed_one(host: Host) -> None:
    said = host.apply(plan(FULL))
    kept = f"{UNITS}/ollama.service.before-hostwright"
    assert kept in said
    assert host.files == {kept: INSTALLED} | rendered(plan(FULL))
    assert "systemctl enable ollama.service" in host.calls
    assert "systemd-sysusers hostwright-ollama.conf" in host.calls
    host.remove(plan(FULL))
    assert host.files == OURS
    assert host.calls[0] == "systemctl disable --now ollama.service"
    assert host.calls[-1] == "systemctl enable --now ollama.service"


def test_drop_ins_after_a_complete_unit_are_for_the_installed_one(host: Host) -> None:
    host.apply(plan(FULL))
    host.apply(plan({}))
    assert host.files == OURS | rendered(plan({}))


def test_drop_ins_are_not_for_a_complete_unit_of_ours(host: Host) -> None:
    host.unit.unlink()
    host.apply(plan(FULL))
    before = host.files
    done = host.run(plan({}), "apply.sh")
    assert done.returncode == 1
    assert "remove.sh" in done.stderr
    assert (host.files, host.calls) == (before, [])
    host.remove(plan({}))
    assert host.files == {}


def test_a_missing_kernel_module_is_told(host: Host) -> None:
    stub(host.folder / "bin", "modprobe", "exit 1")
    done = host.run(plan(LARGE), "apply.sh")
    assert done.returncode == 0
    assert "without the GPU" in done.stderr
    assert "systemctl restart ollama.service" in host.calls
