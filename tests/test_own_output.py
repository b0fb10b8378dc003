"""What `gen` writes, `gen check --fail-on info` says nothing of that the profile was not told."""

import os
from pathlib import Path
from typing import Any

import pytest

from generator.check.gather import CheckRequest, check
from generator.plan import Plan
from generator.targets import all_files
from tests.plans import PROFILES, RELEASES, plan, shipped
from tests.tools import require

PATH = os.environ.get("PATH", "")
TARGETS = ("compose", "helm", "k8s", "nixos", "quadlet", "systemd")
CARD = {"name": "NVIDIA GeForce RTX 3090", "memory": "24GiB", "compute_capability": "8.6"}
OWN: dict[str, dict[str, Any]] = {
    "of the README": {"host": {"memory": "64GiB", "cpu": {"cores": 16, "threads": 32}}},
    "one card": {
        "host": {"memory": "64GiB", "gpus": [CARD]},
        "ollama": {"context_length": 16384, "num_parallel": 2, "keep_alive": "24h"},
        "models": [{"name": "qwen3:14b", "preload": True}],
    },
    "locked": {
        "host": {"memory": "64GiB", "cpu": {"cores": 8, "threads": 16}},
        "ollama": {"env": {"LLAMA_ARG_LOAD_MODE": "mlock"}},
        "check": {"ignore": [{"rule": "HW209", "reason": "kept for the day it works"}]},
    },
    "built": {
        "host": {"system": "x86_64-linux"},
        "ollama": {"build": {"blas": "openblas", "openmp": True}},
    },
    "before Caddy": {
        "host": {"memory": "64GiB", "cpu": {"cores": 16, "threads": 32}},
        "ollama": {"port": 12434},
        "models": [{"name": "qwen3:14b"}],
        "front": {"kind": "caddy", "auth": "bearer", "auth_file": "/etc/hostwright/front.keys"},
    },
    "before two": {
        "host": {"memory": "64GiB", "gpus": [CARD, CARD]},
        "ollama": {"models_dir": "/srv/models"},
        "models": [{"name": "qwen3:14b"}, {"name": "qwen3:8b"}],
        "instances": [
            {"name": "left", "port": 11434, "gpus": [0], "models": ["qwen3:14b"]},
            {"name": "right", "port": 11435, "gpus": [1], "models": ["qwen3:8b"]},
        ],
        "front": {"route_by_body": True},
    },
    "fronted": {
        "host": {"memory": "64GiB", "gpus": [CARD]},
        "ollama": {"num_parallel": 4, "keep_alive": "-1"},
        "models": [{"name": "qwen3:14b", "preload": True}],
        "front": {
            "host": "192.0.2.7",
            "port": 443,
            "auth": "basic",
            "auth_file": "/etc/hostwright/front.keys",
            "certificate": "/etc/hostwright/front.pem",
            "certificate_key": "/etc/hostwright/front.key",
            "allow": ["/api/pull"],
            "health": "loaded",
        },
    },
    "day and night": {
        "ollama": {"models_dir": "/srv/models"},
        "models": [{"name": "qwen3:14b"}, {"name": "qwen3:8b"}],
        "scale": {
            "periods": [
                {"name": "day", "begins": ["07:00"], "cpu_weight": 100, "models": ["qwen3:8b"]},
                {"name": "night", "begins": ["19:00"], "cpu_weight": 20, "models": ["qwen3:14b"]},
            ]
        },
    },
    "cached": {
        "host": {"memory": "64GiB", "cpu": {"cores": 16, "threads": 32}},
        "models": [
            {"name": "qwen3:14b"},
            {"name": "qwen3:8b", "role": "fallback"},
            {"name": "nomic-embed-text", "role": "embedding"},
        ],
        "cache": {"ttl": "30m"},
    },
    "watched": {
        "host": {"memory": "64GiB", "gpus": [CARD]},
        "resources": {"memory_max": "32G"},
        "ollama": {"context_length": 16384, "num_parallel": 2, "keep_alive": "24h"},
        "models": [{"name": "qwen3:14b", "preload": True}],
        "monitor": {"enable": True},
    },
    "open": {
        "ollama": {"host": "192.0.2.7"},
        "check": {
            "ignore": [{"rule": "HW401", "reason": "a firewall of the network is before it"}]
        },
    },
}


def unsaid(decided: Plan, target: str, folder: Path) -> list[str]:
    """Return what is said of the files of a target, and was not of the profile."""
    for file in all_files(target, decided):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
    report = check(CheckRequest(paths=(str(folder),)))
    said = {finding.rule for finding in decided.remarks}
    gaps = [str(gap) for gap in report.not_judged]
    return gaps + [
        f"{one.finding.rule}: {one.finding.message}"
        for one in report.findings
        if one.finding.rule not in said
    ]


@pytest.fixture(autouse=True)
def _without_nix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have modules read off their text, as where there is no Nix, or it takes too long."""
    monkeypatch.setenv("PATH", "")


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", PROFILES)
def test_of_shipped_profiles(name: str, release: str, target: str, tmp_path: Path) -> None:
    assert unsaid(shipped(name, version=release), target, tmp_path) == []


@pytest.mark.parametrize("path", ["", PATH])
def test_beside_a_flake_that_pins_nixpkgs(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path)
    pin = '{ inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable"; outputs = _: { }; }\n'
    (tmp_path / "flake.nix").write_text(pin)
    assert unsaid(shipped("dual-pascal"), "nixos", tmp_path / "out") == []


@pytest.mark.parametrize("release", [*RELEASES, "0.30.0", "0.30.1", "0.31.0"])
@pytest.mark.parametrize("name", PROFILES)
def test_a_plan_repeats_no_remark(name: str, release: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    (file,) = all_files("plan", shipped(name, version=release))
    path.write_text(file.text)
    report = check(CheckRequest(paths=(str(path),)))
    remarks = [p.finding for p in report.findings if p.finding.severity == "info"]
    assert report.not_judged == ()
    assert [remark.rule for remark in remarks if not remark.ignored] == []


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", OWN)
def test_of_profiles_of_ones_own(name: str, target: str, tmp_path: Path) -> None:
    assert unsaid(plan(OWN[name]), target, tmp_path) == []


UNIT = ("service.full_unit=true", 'service.binary="/opt/vllm/bin/vllm"')


@pytest.mark.parametrize("target", ["compose", "k8s", "quadlet", "systemd"])
def test_of_another_engine(target: str, tmp_path: Path) -> None:
    decided = shipped("dgx-spark", "engine=vllm", *UNIT if target == "systemd" else ())
    assert unsaid(decided, target, tmp_path) == []
    assert check(CheckRequest(paths=(str(tmp_path),))).judged


@pytest.mark.parametrize("target", ["compose", "k8s", "quadlet", "systemd"])
def test_of_another_engine_behind_a_front_that_is_watched(target: str, tmp_path: Path) -> None:
    more = ("front.kind=haproxy", "monitor.enable=true")
    decided = shipped("dgx-spark", "engine=vllm", *more, *UNIT if target == "systemd" else ())
    assert unsaid(decided, target, tmp_path) == []


@pytest.mark.parametrize("router", ["none", "scheduler"])
def test_of_a_service_of_kserve(router: str, tmp_path: Path) -> None:
    decided = shipped("dgx-spark", "engine=vllm", "k8s.serve=kserve", f"k8s.router={router}")
    assert unsaid(decided, "k8s", tmp_path) == []
    assert check(CheckRequest(paths=(str(tmp_path),))).judged


@pytest.mark.parametrize("name", OWN)
def test_of_modules_as_nix_says_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", PATH)
    require("nix-instantiate")
    assert unsaid(plan(OWN[name]), "nixos", tmp_path) == []


ASKS_NOTHING = ("of the README", "one card")
# Nothing reads them on Linux, or nobody has asked for them.
WORDS = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
    *("OLLAMA_NUM_THREADS", "OLLAMA_WARMUP_ENABLED", "OLLAMA_GPU_LAYERS", "OLLAMA_NUM_GPU"),
    *("Not set:", "Stands in for", "hostwright: ignore HW121", "hostwright: ignore HW210"),
)


@pytest.mark.parametrize("release", [*RELEASES, "0.30.0", "0.30.1", "0.31.0"])
@pytest.mark.parametrize("name", ASKS_NOTHING)
def test_nothing_is_said_of_names_that_nobody_asked_for(name: str, release: str) -> None:
    decided = plan(OWN[name], release)
    text = "".join(f.text for target in TARGETS for f in all_files(target, decided))
    assert [word for word in WORDS if word in text] == []


@pytest.mark.parametrize("release", RELEASES)
def test_the_thread_names_follow_the_count_that_is_asked_for(release: str) -> None:
    host = {"cpu": {"cores": 16, "threads": 32}}
    asked = plan({"host": host, "threads": {"count": 12}}, release)
    told = {one.name: one for one in asked.service.environment}
    for name, library in (
        ("OMP_NUM_THREADS", "OpenMP"),
        ("MKL_NUM_THREADS", "Intel MKL"),
        ("OPENBLAS_NUM_THREADS", "OpenBLAS"),
    ):
        assert told[name].value == "12"
        assert told[name].reason.startswith(f"For builds that link {library}; official ")
    assert "VECLIB_MAXIMUM_THREADS" not in told
    with_dead = plan({"host": host, "threads": {"count": 12}}, release, legacy_env=True)
    assert "VECLIB_MAXIMUM_THREADS" in {one.name for one in with_dead.service.environment}


def test_a_drop_in_repeats_nothing_of_the_unit_of_the_installer() -> None:
    lines = "Restart=always", "RestartSec=3"
    for changes, there in (({}, False), ({"full_unit": True}, True), ({"restart": "always"}, True)):
        files = all_files("systemd", plan({"service": changes}))
        units = "".join(f.text for f in files if "/ollama.service" in f.path)
        assert all((f"\n{line}\n" in units) == there for line in lines)


def test_every_line_of_the_sandbox_has_its_reason() -> None:
    for host in OWN["of the README"]["host"], OWN["one card"]["host"]:
        decided = plan({"host": host, "service": {"full_unit": True}})
        assert [one.name for one in decided.service.hardening if not one.reason] == []
        (unit,) = (
            f.text for f in all_files("systemd", decided) if f.path.endswith("/ollama.service")
        )
        assert "To undo a line" in unit
