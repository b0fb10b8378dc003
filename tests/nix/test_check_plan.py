"""`hostwright.checkPlan`: `gen check` on plan and unit, run as the build would run it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generator.codec import to_dict
from tests.consumers import nix, system_manager
from tests.nix.test_modules import MODULES, ROOT, XEON, host
from tests.plans import ALONE, RELEASES, plan, shipped
from tests.tools import require

# The texts that it has of the plan and of the unit lie in a folder instead of the store.
SCRIPT = """
{ ownLib, modules, gen, plan, folder }:
let
  inherit (import ownLib) lib;
in
import (modules + "/check.nix") {
  inherit gen lib;
  plan = builtins.fromJSON (builtins.readFile plan);
  unit = "";
  pkgs = {
    writeText = name: _: "${folder}/${name}";
    runCommand = _: _: script: script;
  };
}
"""
# The same as a derivation of the host's own shell.
BUILD = """
{ ownLib, modules, gen, plan, unit, path }:
let
  inherit (import ownLib) lib;
in
import (modules + "/check.nix") {
  inherit gen lib unit;
  plan = builtins.fromJSON (builtins.readFile plan);
  pkgs = {
    writeText = builtins.toFile;
    runCommand =
      name: _: script:
      derivation {
        inherit name;
        system = builtins.currentSystem;
        builder = "/bin/sh";
        args = [ "-euc" script ];
        PATH = path;
      };
  };
}
"""
# What is written into the store is known there by what it hangs on.
DEPENDS = """
{ ownLib, contract, file }:
let
  own = import ownLib;
  pkgs = own.pkgs // {
    runCommand =
      name: _: script:
      derivation {
        inherit name script;
        system = "x86_64-linux";
        builder = "/bin/sh";
      };
  };
  inherit
    (own.lib.evalModules {
      modules = [
        (import contract { inherit (own) lib; })
        (import file)
      ];
      specialArgs = { inherit pkgs; inherit (own) lib utils; };
    })
    config
    ;
  inherit (config.environment.etc."systemd/system/ollama.service.d/50-hostwright.conf") text;
in
{
  inherit text;
  names = map baseNameOf (builtins.attrNames (builtins.getContext text));
}
"""


def own_gen(folder: Path) -> Path:
    """Write a program that is `gen` wherever it is called."""
    gen = folder / "gen"
    lines = ("#!/bin/sh", f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m generator "$@"', "")
    gen.write_text("\n".join(lines), encoding="utf-8")
    gen.chmod(0o755)
    return gen


def built(folder: Path, plan: dict[str, Any], unit: str) -> subprocess.CompletedProcess[str]:
    """Run the script of the derivation on `plan` and `unit`, in a folder of its own."""
    gen = own_gen(folder)
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    (folder / "ollama.conf").write_text(unit, encoding="utf-8", newline="")
    arguments = {
        "ownLib": str(nix.OWN_LIB),
        "modules": str(MODULES),
        "gen": str(gen),
        "plan": str(folder / "plan.json"),
        "folder": str(folder),
    }
    inside = folder / "build"
    inside.mkdir()
    return subprocess.run(
        [shutil.which("bash") or "bash", "-euc", nix.ask(SCRIPT, arguments)],
        cwd=inside,
        env={"PATH": os.defpath, "TMPDIR": str(inside), "out": str(folder / "out")},
        capture_output=True,
        text=True,
        check=False,
    )


def checked(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    """Check a host of the shipped profile xeon-cpu with `body`."""
    unit = nix.evaluate(host(folder, XEON + body))["units"][nix.SERVICE]
    return built(folder, to_dict(shipped("xeon-cpu")), unit)


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("name", ALONE)
def test_a_shipped_profile_builds(name: str, version: str, tmp_path: Path) -> None:
    decided = to_dict(shipped(name, version=version))
    (tmp_path / "given.json").write_text(json.dumps(decided), encoding="utf-8")
    file = host(tmp_path, f"  hostwright.profile = {tmp_path}/given.json;")
    done = built(tmp_path, decided, nix.evaluate(file)["units"][nix.SERVICE])
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ('LLAMA_ARG_MMAP = "maybe";', "HW115"),
        ('OLLAMA_FLASH_ATTENTION = "False";', "HW107"),
    ],
)
def test_a_setting_that_breaks_the_server_stops_the_build(
    settings: str, rule: str, tmp_path: Path
) -> None:
    done = checked(tmp_path, f"  hostwright.settings = {{ {settings} }};")
    assert done.returncode == 1
    assert f"error {rule}" in done.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "limit",
    [
        'allowedCpus = "9-1";',
        'allowedCpus = "0,8192";',
        'numaMask = "999999";',
        'memoryMax = "99999999999E";',
        'limitMemlock = "16E";',
        'cpuQuota = "99999999999999999999%";',
    ],
)
def test_a_limit_that_systemd_cannot_read_stops_the_build(limit: str, tmp_path: Path) -> None:
    done = checked(tmp_path, f"  hostwright.resources.{limit}")
    assert done.returncode == 1
    assert "error HW212 systemd cannot read" in done.stdout


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('settings.OLLAMA_FLASH_ATTENTION = "off";', "HW108"),
        ('resources.memoryHigh = "24G";', "HW208"),
    ],
)
def test_a_warning_is_in_the_log_and_stops_nothing(body: str, rule: str, tmp_path: Path) -> None:
    done = checked(tmp_path, f"  hostwright.{body}")
    assert done.returncode == 0
    assert f"warning {rule}" in done.stdout


def test_what_the_profile_silences_stops_nothing(tmp_path: Path) -> None:
    silence = [{"rule": "HW115", "reason": "tried here"}]
    decided = plan({"check": {"ignore": silence}})
    unit = '[Service]\nEnvironment="OLLAMA_HOST=127.0.0.1" "LLAMA_ARG_BATCH="\n'
    assert built(tmp_path, to_dict(decided), unit).returncode == 0
    shutil.rmtree(tmp_path / "build")
    assert built(tmp_path, to_dict(plan({})), unit).returncode == 1


def test_a_broken_plan_stops_the_build_in_the_words_of_gen(tmp_path: Path) -> None:
    decided = to_dict(shipped("dual-pascal"))
    del decided["services"][0]["listen"]["port"]
    decided["services"][0]["restart"]["policy"] = "always\nExecStartPre=/bin/false"
    done = built(tmp_path, decided, "")
    assert done.returncode == 2
    assert "services.0.listen.port: is missing" in done.stdout
    assert "services.0.restart.policy: is not no or on-success" in done.stdout
    assert "write it again with `gen plan PROFILE`" in done.stdout


@pytest.mark.parametrize(
    ("unit", "status", "told"),
    [
        ("", 0, "nothing to remark"),
        ("LLAMA_ARG_BATCH=", 100, "error HW115 LLAMA_ARG_BATCH is empty"),
    ],
)
def test_nix_builds_it_or_fails(unit: str, status: int, told: str, tmp_path: Path) -> None:
    arguments = {
        "ownLib": str(nix.OWN_LIB),
        "modules": str(MODULES),
        "gen": str(own_gen(tmp_path)),
        "plan": str(MODULES / "plans/xeon-cpu.json"),
        "unit": f"[Service]\nEnvironment=OLLAMA_HOST=127.0.0.1 {unit}\n",
        "path": os.environ["PATH"],
    }
    pairs = [part for name, value in arguments.items() for part in ("--argstr", name, value)]
    places = {f"NIX_{name}_DIR": str(tmp_path / name) for name in ("STORE", "STATE", "LOG", "CONF")}
    config = f"{nix.CONFIG}\nfilter-syscalls = false"
    done = subprocess.run(
        [require("nix-build"), "--no-out-link", "-E", BUILD, *pairs],
        env={"PATH": os.defpath, "HOME": str(tmp_path), "NIX_CONFIG": config, **places},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, told in done.stderr) == (status, True), done.stderr


def test_a_system_depends_on_it_where_gen_is_given(tmp_path: Path) -> None:
    assert nix.evaluate(host(tmp_path, XEON))["checks"] == []
    given = host(tmp_path, XEON + "  hostwright.checkPlan = /some/gen;")
    assert nix.evaluate(given)["checks"] == ["hostwright-check"]


@pytest.mark.parametrize(("body", "names"), [("", []), ("/some/gen", ["hostwright-check.drv"])])
def test_so_does_the_drop_in_of_system_manager(body: str, names: list[str], tmp_path: Path) -> None:
    option = f"  hostwright.checkPlan = {body};" if body else ""
    file = system_manager.host(tmp_path, XEON + option)
    arguments = {
        "ownLib": str(nix.OWN_LIB),
        "contract": str(system_manager.CONTRACT),
        "file": str(file),
    }
    answer = nix.ask(DEPENDS, arguments)
    assert [name.partition("-")[2] for name in answer["names"]] == names
    without = system_manager.evaluate(system_manager.host(tmp_path, XEON))["etc"]
    assert answer["text"] in without.values()
