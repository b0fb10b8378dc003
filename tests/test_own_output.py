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
TARGETS = ("compose", "nixos", "quadlet", "systemd")
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


@pytest.mark.parametrize("name", OWN)
def test_of_modules_as_nix_says_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", PATH)
    require("nix-instantiate")
    assert unsaid(plan(OWN[name]), "nixos", tmp_path) == []
