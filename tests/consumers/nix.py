"""What NixOS makes of a rendered module.

The module is evaluated with the module system against `tests/nix/contract.nix`, which holds the
upstream options that it may set; the unit text that NixOS would write is then read by systemd
itself, because NixOS passes limits and `%` on unread.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.consumers import systemd
from tests.consumers.effective import ConsumerError, Effective
from tests.tools import require

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Variant = Literal["24.11", "25.05", "25.11", "26.05", "unstable"]

OWN_LIB = Path(__file__).with_name("lib.nix")
CONTRACT = Path(__file__).parents[1] / "nix" / "contract.nix"
# No store, no daemon, no network: evaluation needs none of them, and CI may have none.
CONFIG = "build-users-group =\nsandbox = false\nsubstituters =\nexperimental-features = nix-command"
EVALUATE = ("--eval", "--strict", "--json")
SERVICE = "ollama.service"

# Arguments: paths as strings, so that the expression stays readable in an error message.
EXPRESSION = """
{ cases, ownLib, realLib, contract }:
let
  own = import ownLib;
  lib = if realLib == "" then own.lib else import (realLib + "/lib");
  inherit (own) utils;
in
map ({ file, variant, packaged }:
let
  pkgs = own.packaged packaged;
  result = lib.evalModules {
    modules = [
      (import contract { inherit lib variant; inherit (pkgs) nvidiaPackages; })
      (import file)
    ];
    specialArgs = { inherit lib pkgs utils; };
  };
  inherit (result) config;
  cfg = config.services.ollama;
  named = value: if lib.isDerivation value then value.name else value;
in
{
  failed = map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  inherit (config) warnings;
  ollama = {
    inherit (cfg)
      enable host port home user group loadModels openFirewall rocmOverrideGfx
      ;
    models = cfg.modelsDir or cfg.models;
    acceleration = if variant < "26.05" then cfg.acceleration else null;
  };
  package = {
    inherit (cfg.package) name;
    arguments = builtins.mapAttrs (_: named) cfg.package.arguments;
  };
  units = builtins.mapAttrs (_: unit: unit.text) config.systemd.units;
  services = builtins.mapAttrs (_: unit: {
    inherit (unit) wantedBy requiredBy script path;
  }) config.systemd.services;
  nvidia = {
    inherit (config.hardware.nvidia) open;
    package = config.hardware.nvidia.package.name;
    modesetting = config.hardware.nvidia.modesetting.enable;
    persistenced = config.hardware.nvidia.nvidiaPersistenced;
    power_management = config.hardware.nvidia.powerManagement.enable;
  };
  video_drivers = config.services.xserver.videoDrivers;
  graphics = config.hardware.graphics.enable;
  tmpfiles = config.systemd.tmpfiles.rules;
  firewall_ports = config.networking.firewall.allowedTCPPorts;
  kernel_modules = config.boot.kernelModules;
  kernel_params = config.boot.kernelParams;
  sysctl = config.boot.kernel.sysctl;
  users = config.users.users;
  groups = config.users.groups;
  nixpkgs_config = config.nixpkgs.config;
  checks = map (check: check.name) config.system.checks;
  inherit (config.services) caddy haproxy litellm redis;
  inherit (config.systemd) timers;
}) (builtins.fromJSON cases)
"""
# What is put into the store stands in the command instead, and commands stay lists of words.
MODELFILES = """
{ file, ownLib, contract }:
let
  own = import ownLib;
  inherit (own) lib;
  inherit
    (lib.evalModules {
      modules = [
        (import contract { inherit lib; inherit (own.pkgs) nvidiaPackages; })
        (import file)
      ];
      specialArgs = {
        inherit lib;
        pkgs = own.pkgs // { writeText = name: text: "${name}\n${text}"; };
        utils.escapeSystemdExecArgs = builtins.toJSON;
      };
    })
    config
    ;
in
map (line: lib.last (builtins.fromJSON line)) (
  config.systemd.services.ollama-create.serviceConfig.ExecStart or [ ]
)
"""


def nixpkgs_lib() -> Path:
    """Return the checkout that NIXPKGS_LIB names; without it the test is skipped, in CI too."""
    path = os.environ.get("NIXPKGS_LIB", "")
    if not path:
        pytest.skip("NIXPKGS_LIB is not set; no registry carries the real nixpkgs library")
    return Path(path)


def parse(file: Path) -> str:
    """Return Nix's own form of `file`; ConsumerError with its message if it is not Nix."""
    return _nix("--parse", str(file))


def verify(file: Path, *, lib: Path | None = None, variant: Variant = "unstable") -> list[str]:
    """Return what systemd has to say about the units that NixOS would write from `file`."""
    return faults(evaluate(file, lib=lib, variant=variant))


def faults(answer: Mapping[str, Any]) -> list[str]:
    """Return what systemd has to say about the units of an answer."""
    with _directory(answer["units"]) as directory:
        return systemd.verify(directory, sorted(answer["units"]))


def modelfiles(file: Path) -> dict[str, str]:
    """Return the Modelfiles that the configuration of `file` puts into the store, by name."""
    paths = {"file": str(file.resolve()), "ownLib": str(OWN_LIB), "contract": str(CONTRACT)}
    parts = (written.partition("\n") for written in ask(MODELFILES, paths))
    return {name: text for name, _, text in parts}


def read(
    file: Path,
    *,
    lib: Path | None = None,
    variant: Variant = "unstable",
    unit: str = SERVICE,
    packaged: str = "",
) -> Effective:
    """Return the service of `file` as systemd understands the unit that NixOS writes.

    `lib` is a checkout of nixpkgs' library, by default the test's own small one; `packaged` the
    release of Ollama that the packages have. `extra` is that of the systemd reader, and `nix` with
    the answer of `evaluate`.
    """
    return understood(evaluate(file, lib=lib, variant=variant, packaged=packaged), unit)


def understood(answer: Mapping[str, Any], unit: str = SERVICE) -> Effective:
    """Return a service of an answer of `evaluate`, as `read` does."""
    if unit not in answer["units"]:
        raise ConsumerError(f"the module has no unit `{unit}`")
    with _directory(answer["units"]) as directory:
        found = systemd.read(directory, unit)
    return dataclasses.replace(found, extra={**found.extra, "nix": answer})


def evaluate(
    file: Path, *, lib: Path | None = None, variant: Variant = "unstable", packaged: str = ""
) -> dict[str, Any]:
    """Return the configuration that `file` results in: the keys of EXPRESSION.

    Raises ConsumerError with Nix's message, or with the messages of failed assertions.
    """
    (answer,) = evaluate_all([Case(file, variant, packaged)], lib=lib)
    if answer["failed"]:
        raise ConsumerError("Failed assertions:\n" + "\n".join(answer["failed"]))
    return answer


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A configuration to evaluate; the fields are arguments of `evaluate`."""

    file: Path
    variant: Variant = "unstable"
    packaged: str = ""


def evaluate_all(cases: Sequence[Case], *, lib: Path | None = None) -> list[dict[str, Any]]:
    """Return the configurations of all cases from one run of Nix.

    What failed is not raised; it is in `failed`. Raises ConsumerError where Nix itself fails.
    """
    asked = [dataclasses.asdict(case) | {"file": str(case.file.resolve())} for case in cases]
    arguments = {
        "cases": json.dumps(asked),
        "ownLib": str(OWN_LIB),
        "realLib": str(lib.resolve()) if lib else "",
        "contract": str(CONTRACT),
    }
    answers: list[dict[str, Any]] = ask(EXPRESSION, arguments)
    return answers


def ask(expression: str, arguments: dict[str, str]) -> Any:
    """Return the value of `expression`, a function of strings, called with `arguments`."""
    pairs = [part for name, value in arguments.items() for part in ("--argstr", name, value)]
    # Old releases print control characters as they are.
    return json.loads(_nix(*EVALUATE, "-E", expression, *pairs), strict=False)


def _nix(*arguments: str) -> str:
    """Run nix-instantiate. Its status is the verdict: old releases print before they fail."""
    result = subprocess.run(
        [require("nix-instantiate"), "--store", "dummy://", *arguments],
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "NIX_CONFIG": CONFIG},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
        encoding="utf-8",
    )
    if result.returncode != 0:
        raise ConsumerError(result.stderr.strip())
    return result.stdout


@contextmanager
def _directory(units: dict[str, str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hostwright-") as name:
        for unit, text in units.items():
            (Path(name) / unit).write_text(text, encoding="utf-8", newline="")
        yield Path(name)
