"""What targets do with the corners of a Plan: said to the consumer, or said to the user."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from generator.errors import RenderError
from generator.targets import limitations, load_target
from tests.consumers import compose, nix, systemd
from tests.host import UNITS, put, stub
from tests.plans import plan, shipped
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.plan import Plan
    from tests.consumers.effective import Effective

CARDS = [{"name": "Quadro P4000", "memory": "8GiB"}] * 2
WARM = [{"name": "a:1b", "preload": True}, {"name": "b:1b", "preload": True}]


def text_of(target: str, decided: Plan, path: str) -> str:
    return next(f.text for f in load_target(target).render(decided) if f.path == path)


def told(target: str, decided: Plan) -> dict[str, str]:
    """Return what a target says that it cannot express: the way out, by setting."""
    findings = limitations(target, decided)
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


@pytest.mark.parametrize("target", ["compose", "quadlet"])
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
def test_a_device_list_counts_as_nvidia_smi(
    gpu: Mapping[str, object], said: set[str], target: str
) -> None:
    decided = plan({"host": {"gpus": CARDS}, "gpu": gpu})
    assert set(told(target, decided)) == said


def test_the_name_of_the_container_is_that_of_its_services(tmp_path: Path) -> None:
    tuned = [{"name": "a:1b", "preload": True, "parameters": {"num_ctx": 4096}}]
    decided = plan({"container": {"name": "llm"}, "models": tuned})
    file = put(load_target("compose").render(decided), tmp_path) / "compose.yaml"
    assert compose.verify(file) == []
    assert compose.read(file, "llm").extra["service"]["container_name"] == "llm"
    warmup = compose.read(file, "llm-warmup").extra["service"]
    assert warmup["environment"]["OLLAMA_HOST"] == "llm:11434"
    assert warmup["depends_on"].keys() == {"llm", "llm-pull", "llm-create"}
    assert "docker compose logs llm " in load_target("compose").install_note(decided, ())[0].text


@pytest.mark.parametrize("target", ["compose", "quadlet"])
def test_an_open_firewall_is_answered(target: str) -> None:
    asked = {"ollama": {"open_firewall": True}}
    (finding,) = limitations(target, plan(asked))
    assert (finding.where, finding.severity) == ("ollama.open_firewall", "info")
    assert limitations(target, plan({})) == ()
    found = limitations(target, plan({**asked, "container": {"rootless": True}}))
    (finding,) = (finding for finding in found if finding.where == "ollama.open_firewall")
    assert (finding.severity, finding.fix) == (
        "warning",
        "open TCP port 11434 in the firewall of the host",
    )


# ── Modelfiles: each model gets its own, whatever the others are called ───────────────────────

TWINS = {
    "coder": "qwen3:8b",
    "coder-big": "qwen3:14b",
    "coder-big.x": "qwen3:32b",
    "big/coder": "qwen3:4b",
    "ollama-program": "qwen3:1.7b",
}


def twins() -> Plan:
    models = [
        {"name": base, "serve_as": name, "parameters": {"stop": ["/.modelfiles/Modelfile.coder"]}}
        for name, base in TWINS.items()
    ]
    return plan({"models": models})


def created(lines: list[list[str]], bases: Mapping[str, str]) -> dict[str, str]:
    """Return the base of each model that `ollama create NAME -f FILE` makes."""
    assert all(line[1:2] + line[3:4] == ["create", "-f"] for line in lines), lines
    return {line[2]: bases[line[4].rpartition("/")[2]] for line in lines}


def bases(texts: Mapping[str, str]) -> dict[str, str]:
    return {
        path.rpartition("/")[2]: text.partition("FROM ")[2].split("\n")[0]
        for path, text in texts.items()
        if "/Modelfile." in path
    }


def test_each_model_gets_its_own_modelfile_from_systemd(tmp_path: Path) -> None:
    files = load_target("systemd").render(twins())
    job = systemd.read(put(files, tmp_path) / UNITS, "ollama-create.service")
    lines = [line.split() for line in job.extra["exec"]["ExecStart"]]
    assert created(lines, bases({file.path: file.text for file in files})) == TWINS
    assert {Path(line[4]).parent for line in lines} == {Path("/etc/hostwright")}


def test_each_model_gets_its_own_modelfile_from_compose(tmp_path: Path) -> None:
    job = in_compose(twins(), tmp_path, "ollama-create").extra["service"]
    lines = [line.split() for line in job["entrypoint"][2].split("; ")[1:]]
    files = load_target("compose").render(twins())
    assert created(lines, bases({file.path: file.text for file in files})) == TWINS


def test_each_model_gets_its_own_modelfile_from_nixos(tmp_path: Path) -> None:
    (file,) = load_target("nixos").render(twins())
    job = nix.read(put((file,), tmp_path) / file.path, unit="ollama-create.service")
    lines = [line.split() for line in job.extra["exec"]["ExecStart"]]
    stored = re.findall(r'writeText "(Modelfile\.[^"]*)" "(.*?)"}', file.text)
    texts = {f"/{name}": text.replace("\\n", "\n") for name, text in stored}
    found = {f"{'0' * 32}-{name}": base for name, base in bases(texts).items()}
    assert created(lines, found) == TWINS


# ── compose: the jobs, run with a stub in place of the ollama program ─────────────────────────


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
    status, calls = run_job(decided, "ollama-warmup", '[ "$1" = show ] || exec sleep 20', tmp_path)
    assert (status, calls) == (124, ["show a:1b", "run a:1b"])
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


def test_what_is_between_a_home_and_its_models_is_the_users() -> None:
    service = {"full_unit": True, "home": "/srv/ai", "user": "ai", "group": "llm"}
    for models, between in (
        ("/srv/ai/a/b", ["d /srv/ai/a 0750 ai llm"]),
        ("/home/me/a/b", ["d /home/me/a 0755 me -"]),
        ("/srv/b/c/d", []),
    ):
        decided = plan({"service": service, "ollama": {"models_dir": models}})
        text = text_of("systemd", decided, "etc/tmpfiles.d/hostwright-ollama.conf")
        lines = [line for line in text.splitlines() if line.startswith("d ")]
        assert lines == ["d /srv/ai 0750 ai llm", *between, f"d {models} 0750 ai llm"]


def test_the_way_through_the_home_of_a_person_is_theirs(tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("systemd-tmpfiles gives directories away, which takes root")
    decided = plan({"ollama": {"models_dir": "/home/me/a/b"}})
    put(load_target("systemd").render(decided), tmp_path)
    people = (("root", 0), ("me", 1234), ("ollama", 1235))
    for name, line in (("passwd", "{}:x:{}:{}::/:/bin/sh"), ("group", "{}:x:{}:")):
        text = "".join(line.format(who, number, number) + "\n" for who, number in people)
        (tmp_path / "etc" / name).write_text(text)
    (tmp_path / "home/me").mkdir(parents=True)
    os.chown(tmp_path / "home/me", 1234, 1234)
    argv = [require("systemd-tmpfiles"), f"--root={tmp_path}", "--create"]
    for _ in range(2):
        done = subprocess.run(
            [*argv, "hostwright-ollama.conf"],
            capture_output=True,
            timeout=30,
            check=False,
            encoding="utf-8",
        )
        assert (done.returncode, done.stderr) == (0, "")
    owners = [(tmp_path / path).stat().st_uid for path in ("home/me/a", "home/me/a/b")]
    assert owners == [1234, 1235]


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


KEPT = {
    "systemd": ("CacheDirectory=ollama", "CUDA_CACHE_PATH=/var/cache/ollama"),
    "nixos": ('CacheDirectory = mkDefault "ollama"', 'CUDA_CACHE_PATH = mkDefault "/var/cache/'),
    "compose": ('"ollama-cache:/var/cache/ollama"', 'CUDA_CACHE_PATH: "/var/cache/ollama"'),
    "quadlet": ("Volume=ollama-cache.volume:/var/cache/ollama", "VolumeName=ollama-cache"),
}


@pytest.mark.parametrize("target", KEPT)
def test_what_the_driver_compiles_is_kept_where_it_compiles(target: str) -> None:
    text = "".join(file.text for file in load_target(target).render(shipped("dgx-spark")))
    assert [line for line in KEPT[target] if line not in text] == []
    own = shipped("dgx-spark", 'ollama.env.CUDA_CACHE_PATH="/srv/cache"')
    assert own.service.cache == ""
    others = load_target(target).render(shipped("dual-pascal"))
    words = ("CacheDirectory", "CUDA_CACHE_PATH", "-cache")
    assert not [word for word in words for file in others if word in file.text]
