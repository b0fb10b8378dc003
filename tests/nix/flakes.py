"""Flakes evaluated offline, with stand-ins where a user has nixpkgs, deploy-rs and Colmena."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from tests.consumers import nix
from tests.tools import require

HERE: Final = Path(__file__).parent
CONFIG: Final = (
    f"{nix.CONFIG}\nexperimental-features = nix-command flakes\nflake-registry =\nsubstituters ="
    "\nfilter-syscalls = false"
)
_PLACES: Final = ("STORE", "STATE", "LOG", "CONF")
CATALOGUE: Final = HERE.parents[1] / "generator/catalogue/catalogue.json"
_PARTS: Final = {
    "nixpkgs": (
        *("nixpkgs.nix", HERE / "contract.nix", HERE / "units.nix"),
        *(HERE.parent / "consumers/lib.nix", CATALOGUE, HERE / "install.py"),
    ),
    "deploy-rs": ("deploy_rs.nix",),
    "colmena": ("colmena.nix",),
}


def put_inputs(folder: Path, *names: str) -> None:
    """Put the stand-ins for these inputs into folders of their names."""
    for name in names:
        flake, *parts = _PARTS[name]
        (folder / name).mkdir()
        shutil.copy(HERE / flake, folder / name / "flake.nix")
        for part in parts:
            shutil.copy(part, folder / name)


def run(
    flake: Path, command: str, attribute: str = "", *options: str, store: Path | None = None
) -> str:
    """Run a command of `nix` on an output of the flake in a folder; return what it printed.

    With `store` it builds, and what it builds goes there. What it says about things gone wrong is
    in the message of the AssertionError.
    """
    own = {} if store is None else {f"NIX_{part}_DIR": str(store / part) for part in _PLACES}
    result = subprocess.run(
        [
            *(require("nix"), *command.split(), f"path:{flake}{attribute}", *options),
            *("--no-write-lock-file", "--offline"),
        ],
        env={"PATH": os.defpath, "HOME": str(flake.parent), "NIX_CONFIG": CONFIG, **own},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=180,
        check=False,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def ask(flake: Path, attribute: str, apply: str = "x: x") -> Any:
    """Return an output of the flake, or what the function `apply` makes of it, from JSON."""
    return json.loads(run(flake, "eval --json", attribute, "--apply", apply))
