"""The flake, evaluated offline against a stand-in for nixpkgs."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.consumers import nix
from tests.plans import PROFILES
from tests.tools import require

ROOT = Path(__file__).parent.parent.parent
PARTS = (
    *("flake.nix", "flake.lock", "nix", "modules", "templates", "generator", "profiles"),
    *("pyproject.toml", "README.md", "LICENSE"),
)
CONFIG = (
    f"{nix.CONFIG}\nexperimental-features = nix-command flakes\nflake-registry =\nsubstituters ="
)
SYSTEMS = ["aarch64-linux", "x86_64-linux"]


@pytest.fixture(scope="module")
def flake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the flake is made of, and beside it `nixpkgs`."""
    folder = tmp_path_factory.mktemp("flake")
    for part in PARTS:
        source, target = ROOT / part, folder / "hostwright" / part
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    (folder / "nixpkgs").mkdir()
    shutil.copy(ROOT / "tests/nix/nixpkgs.nix", folder / "nixpkgs/flake.nix")
    shutil.copy(ROOT / "tests/nix/contract.nix", folder / "nixpkgs")
    shutil.copy(ROOT / "tests/consumers/lib.nix", folder / "nixpkgs")
    return folder


def ask(flake: Path, *arguments: str) -> Any:
    """Run `nix … --json` on the flake, with the stand-in for its input."""
    command, *rest = arguments
    own = f"path:{flake}/hostwright"
    result = subprocess.run(
        [
            require("nix"),
            *command.split(),
            own + (rest[0] if rest else ""),
            *rest[1:],
            *("--override-input", "nixpkgs", f"path:{flake}/nixpkgs"),
            *("--no-write-lock-file", "--offline", "--json"),
        ],
        env={"PATH": os.defpath, "HOME": str(flake), "NIX_CONFIG": CONFIG},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_its_outputs_are_all_there(flake: Path) -> None:
    shown = ask(flake, "flake show")
    for system in SYSTEMS:
        assert sorted(shown["packages"][system]) == sorted([*PROFILES, "default", "gen"])
        assert shown["packages"][system]["gen"]["name"] == "hostwright"
        for output in ("apps", "checks", "devShells", "formatter"):
            assert shown[output][system]
    assert sorted(shown["nixosModules"]) == sorted([*PROFILES, "default", "hostwright"])
    assert sorted(shown["nixosConfigurations"]) == PROFILES
    assert sorted(shown["templates"]) == ["compose", "deploy-rs", "nixos"]


@pytest.mark.parametrize("name", PROFILES)
def test_each_profile_is_a_system(name: str, flake: Path, tmp_path: Path) -> None:
    attribute = f"#nixosConfigurations.{name}.config.systemd.units"
    units = ask(flake, "eval", attribute)
    host = tmp_path / "host.nix"
    host.write_text(
        f"{{ imports = [ {ROOT}/modules ]; "
        f'hostwright = {{ enable = true; profile = "{name}"; }}; }}'
    )
    alone = nix.evaluate(host)["units"]
    assert {unit: words(value["text"]) for unit, value in units.items()} == {
        unit: words(text) for unit, text in alone.items()
    }


def words(text: str) -> list[list[str]]:
    """The lines of a unit; the order of modules, and so that of merged lists, means nothing."""
    return sorted(sorted(line.replace("=", " ").split()) for line in text.splitlines())


def test_a_host_and_a_node_for_deploy_rs(flake: Path) -> None:
    expression = """
    f:
    let
      host = f.mkHost {
        profile = "xeon-cpu";
        modules = [ { hostwright.threads = 12; } ];
      };
      node = f.mkDeployNode {
        hostname = "grey-area.lan";
        configuration = host;
        deploy-rs.lib.x86_64-linux.activate.nixos = system: system.pkgs.system;
        node.magicRollback = true;
      };
    in
    {
      inherit node;
      threads = host.config.services.ollama.environmentVariables.LLAMA_ARG_THREADS;
    }
    """
    assert ask(flake, "eval", "#lib", "--apply", expression) == {
        "node": {
            "hostname": "grey-area.lan",
            "magicRollback": True,
            "profiles": {"system": {"path": "x86_64-linux", "user": "root"}},
        },
        "threads": "12",
    }


def test_the_lock_pins_the_only_input() -> None:
    lock = json.loads((ROOT / "flake.lock").read_text())
    assert sorted(lock["nodes"]) == ["nixpkgs", "root"]
    assert len(lock["nodes"]["nixpkgs"]["locked"]["rev"]) == 40
