"""What the NixOS module costs an evaluation, against the same host written by hand.

The figures are Nix's own counters (NIX_SHOW_STATS), which do not depend on the machine. The basis
is the tests' stand-in for NixOS, with their small library or, where NIXPKGS_LIB names one, the real
one; where NIXPKGS names a checkout of nixpkgs it is a whole system, down to its derivation.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from generator.catalogue.catalogue import load_catalogue
from generator.profiles.load import read_document
from generator.profiles.validate import validate
from generator.resolve import resolve
from generator.targets import load_target

ROOT: Final = Path(__file__).parent.parent
PROFILE: Final = "xeon-cpu"
OURS: Final = f"""\
{{
  imports = [ {ROOT}/modules ];
  hostwright = {{
    enable = true;
    profile = "{PROFILE}";
  }};
}}
"""
STUB: Final = """
{ file, basis, contract, ownLib }:
let
  own = import ownLib;
  lib = if basis == "" then own.lib else import (basis + "/lib");
  inherit (own) pkgs utils;
  inherit
    (lib.evalModules {
      modules = [
        (import contract { inherit lib; inherit (pkgs) nvidiaPackages; })
        (import file)
      ];
      specialArgs = { inherit lib pkgs utils; };
    })
    config
    ;
in
{
  inherit (config.services.ollama) environmentVariables host loadModels port;
  failed = lib.filter (check: !check.assertion) config.assertions;
  inherit (config) warnings;
  units = builtins.mapAttrs (_: unit: unit.text) config.systemd.units;
}
"""
SYSTEM: Final = """
{ file, basis, machine }:
let
  inherit
    (import (basis + "/nixos/lib/eval-config.nix") {
      system = "x86_64-linux";
      modules = [ file machine ];
    })
    config
    ;
in
{
  toplevel = config.system.build.toplevel.drvPath;
  units = builtins.mapAttrs (_: unit: unit.text) {
    inherit (config.systemd.units) "ollama.service";
  };
}
"""


@dataclass(frozen=True)
class Cost:
    """What one evaluation took."""

    thunks: int
    calls: int
    primitives: int
    megabytes: float


@dataclass(frozen=True)
class Comparison:
    """One basis: by hand, the rendered module, and the module with options."""

    basis: str
    by_hand: Cost
    target: Cost
    module: Cost

    @property
    def ratios(self) -> tuple[float, float]:
        """Thunks and calls of the module, by hand being 1."""
        return (
            self.module.thunks / self.by_hand.thunks,
            self.module.calls / self.by_hand.calls,
        )


def main() -> None:
    """Compare on every basis that this machine has; print a report, or JSON with `--json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    if shutil.which("nix-instantiate") is None:
        raise SystemExit("nix-instantiate is not installed: nothing was measured")
    comparisons = [_compare(*basis) for basis in _bases()]
    if options.json:
        print(json.dumps([asdict(c) | {"ratios": c.ratios} for c in comparisons], indent=2))
    else:
        print(_report(comparisons))


def cost(expression: str, arguments: dict[str, str]) -> tuple[Cost, dict[str, dict[str, str]]]:
    """Evaluate a function of strings; return its cost and its answer."""
    with tempfile.TemporaryDirectory() as folder:
        stats = Path(folder) / "stats.json"
        pairs = [part for name, value in arguments.items() for part in ("--argstr", name, value)]
        command = ["nix-instantiate", "--store", "dummy://", "--eval", "--strict", "--json"]
        result = subprocess.run(
            [*command, "-E", expression, *pairs],
            env={
                "PATH": os.environ["PATH"],
                "HOME": folder,
                "NIX_CONFIG": "build-users-group =\nsubstituters =",
                "NIX_SHOW_STATS": "1",
                "NIX_SHOW_STATS_PATH": str(stats),
            },
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        told = json.loads(stats.read_text(encoding="utf-8"))
    found = Cost(
        thunks=told["nrThunks"],
        calls=told["nrFunctionCalls"],
        primitives=told["nrPrimOpCalls"],
        megabytes=told["gc"]["totalBytes"] / 1e6,
    )
    return found, json.loads(result.stdout, strict=False)


def _bases() -> list[tuple[str, str, dict[str, str]]]:
    contract = {
        "contract": str(ROOT / "tests/nix/contract.nix"),
        "ownLib": str(ROOT / "tests/consumers/lib.nix"),
    }
    bases = [("stand-in, own library", STUB, contract | {"basis": ""})]
    if lib := os.environ.get("NIXPKGS_LIB"):
        bases.append(("stand-in, nixpkgs library", STUB, contract | {"basis": lib}))
    if nixpkgs := os.environ.get("NIXPKGS"):
        machine = {"machine": str(ROOT / "nix/machine.nix")}
        bases.append(("whole system", SYSTEM, machine | {"basis": nixpkgs}))
    return bases


def _compare(basis: str, expression: str, arguments: dict[str, str]) -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        ours, target = Path(folder) / "ours.nix", Path(folder) / "target.nix"
        ours.write_text(OURS, encoding="utf-8")
        target.write_text(_rendered(), encoding="utf-8")
        by_hand = ROOT / "benchmarks" / "by_hand.nix"
        measured = [
            cost(expression, arguments | {"file": str(file)}) for file in (by_hand, target, ours)
        ]
    texts = [_lines(answer["units"]) for _, answer in measured]
    if texts[0] != texts[2] or texts[1] != texts[2]:
        raise SystemExit(f"{by_hand.name} is not the host of `{PROFILE}` any more: mend it first")
    return Comparison(basis, *(found for found, _ in measured))


def _lines(units: dict[str, str]) -> dict[str, list[str]]:
    return {name: sorted(text.splitlines()) for name, text in units.items()}


def _rendered() -> str:
    document = read_document(PROFILE)
    plan = resolve(validate(document), load_catalogue(), source=document.source)
    return load_target("nixos").render(plan)[0].text


def _report(comparisons: list[Comparison]) -> str:
    heads = ("thunks", "calls", "primitives", "MB")
    lines = [f"{PROFILE}; Nix's counters for one evaluation"]
    for c in comparisons:
        lines += ["", f"{c.basis:28}" + "".join(f"{head:>12}" for head in heads)]
        for name, found in (("by hand", c.by_hand), ("target", c.target), ("module", c.module)):
            cells = (found.thunks, found.calls, found.primitives, f"{found.megabytes:.2f}")
            lines.append(f"  {name:26}" + "".join(f"{cell:>12}" for cell in cells))
        more = (c.module.thunks - c.by_hand.thunks, c.module.calls - c.by_hand.calls)
        lines.append(f"  {'module - by hand':26}" + "".join(f"{value:>12}" for value in more))
        lines.append(f"  {'module / by hand':26}" + "".join(f"{ratio:12.2f}" for ratio in c.ratios))
    if not os.environ.get("NIXPKGS"):
        lines += ["", "whole system: not measured, NIXPKGS names no checkout of nixpkgs"]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
