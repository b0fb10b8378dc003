"""Every profile as a whole NixOS system, down to its derivation, where nixpkgs is at hand.

NIXPKGS and NIXPKGS_OLD name checkouts, for instance of unstable and of the last release. Without
them the expression itself is tried on the stand-in for nixpkgs.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.consumers import nix, systemd
from tests.consumers.effective import Effective
from tests.nix import flakes
from tests.nix.test_modules import host
from tests.plans import ALONE

ROOT = Path(__file__).parent.parent.parent
EXPRESSION = f"import {ROOT}/tests/nix/toplevel.nix"


def system(nixpkgs: Path, profile: str) -> dict[str, Any]:
    arguments = {"nixpkgs": str(nixpkgs), "root": str(ROOT), "profile": profile}
    answer: dict[str, Any] = nix.ask(EXPRESSION, arguments)
    return answer


def understood(text: str, folder: Path) -> Effective:
    folder.mkdir()
    (folder / "ollama.service").write_text(text, encoding="utf-8", newline="")
    return systemd.read(folder)


def check(nixpkgs: Path, profile: str, folder: Path) -> None:
    answer = system(nixpkgs, profile)
    assert answer["toplevel"].startswith("/nix/store/")
    assert answer["toplevel"].endswith(".drv")
    assert [line for line in answer["warnings"] if "hostwright" in line] == []
    whole = understood(answer["units"]["ollama.service"], folder / "whole")
    alone = nix.read(host(folder, f'  hostwright.profile = "{profile}";'))
    ours = {name: whole.environment[name] for name in alone.environment}
    assert ours == alone.environment
    limits = ("cpu_quota_percent", "cpu_weight", "memory_max", "restart")
    assert [getattr(whole, key) for key in limits] == [getattr(alone, key) for key in limits]
    # The stand-in for the unit is true to the one of nixpkgs.
    assert whole.extra["devices"] == alone.extra["devices"]


@pytest.mark.parametrize("variable", ["NIXPKGS", "NIXPKGS_OLD"])
@pytest.mark.parametrize("profile", ALONE)
def test_a_profile_is_a_whole_system(variable: str, profile: str, tmp_path: Path) -> None:
    nixpkgs = os.environ.get(variable, "")
    if not nixpkgs:
        pytest.skip(f"not run: set {variable} to a checkout of nixpkgs")
    check(Path(nixpkgs).resolve(), profile, tmp_path)


@pytest.mark.parametrize("profile", ALONE)
def test_the_expression_holds_on_the_stand_in(profile: str, tmp_path: Path) -> None:
    flakes.put_inputs(tmp_path, "nixpkgs")
    check(tmp_path / "nixpkgs", profile, tmp_path)
