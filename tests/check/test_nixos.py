"""NixOS modules as operators got them wrong, and what a check says of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.mend import mended
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    from generator.check.report import Report

RESTART = '  systemd.services.ollama.serviceConfig.Restart = "always";'


def module(*options: str, arguments: str = "...") -> str:
    """Return a module of `services.ollama`, whose options begin on line 5."""
    lines = [f"{{ {arguments} }}:", "{", "  services.ollama = {", "    enable = true;"]
    return "\n".join([*lines, *(f"    {o}" for o in options), "  };", RESTART, "}", ""])


WITHIN = """\
{
  flake.modules.nixos.llm = { pkgs, ... }: {
    services.ollama = {
      package = pkgs.ollama-vulkan;
      environmentVariables.OLLAMA_KEEP_ALIVE = "3d";
    };
  };
}
"""
CASES = {
    "acceleration": (module('acceleration = "cuda";'), {"5 HW530"}),
    "host in the environment": (
        module('environmentVariables.OLLAMA_HOST = "0.0.0.0:11434";'), {"5 HW532"},
    ),
    "models in the environment": (
        module('environmentVariables.OLLAMA_MODELS = "/tank/models";'), {"5 HW532"},
    ),
    "home in the environment": (module('environmentVariables.HOME = "/tank";'), {"5 HW532"}),
    "models below a home": (module('models = "/home/llm/models";'), {"5 HW505"}),
    "a home below /root": (module('home = "/root/ollama";'), {"5 HW505"}),
    "inputs of a flake": (
        module(
            "package = inputs.unstable.legacyPackages.x86_64-linux.ollama-rocm;",
            'environmentVariables.OLLAMA_NUM_THREADS = "6";',
            arguments="pkgs, inputs, ...",
        ),
        {"6 HW101"},
    ),
    "an argument of one's own": (
        module(
            "port = site.ports.llm;",
            'environmentVariables.OLLAMA_NUM_THREADS = "6";',
            arguments="config, lib, pkgs, site, ...",
        ),
        {"6 HW101"},
    ),
    "arguments and no others": (
        module('environmentVariables.OLLAMA_NUM_THREADS = "6";', arguments="pkgs"), {"5 HW101"},
    ),
    "a wrong type": (
        module(
            "environmentVariables = {",
            "  OLLAMA_NUM_PARALLEL = 4;",
            '  OLLAMA_NUM_THREADS = "6";',
            '  OLLAMA_KEEP_ALIVE = "2d";',
            "};",
        ),
        {"6 HW533", "7 HW101", "8 HW109"},
    ),
    "an unknown option": (module('loadModel = [ "qwen3:8b" ];'), {"5 HW530"}),
    "a module within a module": (
        WITHIN,
        {"5 HW109"},
    ),
    "nothing wrong": (
        module(
            "package = pkgs.ollama-cuda;",
            'host = "127.0.0.1";',
            'models = "/tank/models";',
            'user = "ollama";',
            'environmentVariables.OLLAMA_CONTEXT_LENGTH = "8192";',
            arguments="pkgs, ...",
        ),
        set(),
    ),
}  # fmt: skip


def checked(folder: Path, text: str) -> Report:
    require("nix-instantiate")
    (folder / "ollama.nix").write_text(text)
    return check(CheckRequest(paths=[str(folder)]))


def told(report: Report) -> set[str]:
    found = (p for p in report.findings if p.finding.severity != "info")
    return {f"{p.place.line} {p.finding.rule}" for p in found}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_with_a_module_is_told(case: str, tmp_path: Path) -> None:
    text, expected = CASES[case]
    assert told(checked(tmp_path, text)) == expected


@pytest.mark.parametrize("case", CASES)
def test_it_is_told_without_nix_as_well(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, expected = CASES[case]
    (tmp_path / "ollama.nix").write_text(f"{text}# without Nix\n")
    monkeypatch.setenv("PATH", "/nowhere")
    report = check(CheckRequest(paths=[str(tmp_path)]))
    assert told(report) == expected
    where = [gap.part for gap in report.not_judged if "there is no nix-instantiate" in gap.reason]
    assert where == (["what it computes"] if case == "an argument of one's own" else [])


def test_a_function_that_makes_the_module_is_said_to_be_unknown(tmp_path: Path) -> None:
    text = '{ lib, ... }:\nlib.site.mkServer "ollama" {\n  services.ollama.enable = true;\n}\n'
    report = checked(tmp_path, text)
    assert report.not_judged


def test_a_fix_writes_nothing_that_the_release_does_not_read(tmp_path: Path) -> None:
    text = module(
        'acceleration = "cuda";', 'environmentVariables.OLLAMA_GPU_OVERHEAD = "1073741824";'
    )
    report = checked(tmp_path, text)
    assert mended(report.found, report.texts) == {}


@pytest.mark.parametrize(
    "old", ['listenAddress = "127.0.0.1:11434";', "sandbox = false;", "writablePaths = [ ];"]
)
def test_options_of_old_releases_tell_the_release(tmp_path: Path, old: str) -> None:
    """LLAMA_ARG_THREADS is nothing to what NixOS 24.05 has."""
    text = module(old, 'environmentVariables.OLLAMA_NUM_THREADS = "6";')
    report = checked(tmp_path, text)
    (one,) = (p for p in report.findings if p.finding.rule == "HW101")
    assert "PARAMETER num_thread" in one.finding.fix
    assert mended(report.found, report.texts) == {}


def test_a_fix_puts_quotes_around_a_number(tmp_path: Path) -> None:
    report = checked(tmp_path, module("environmentVariables.OLLAMA_NUM_PARALLEL = 4;"))
    (text,) = mended(report.found, report.texts).values()
    assert 'OLLAMA_NUM_PARALLEL = "4";' in text


BRANCH = """\
{ config, lib, ... }:
let
  cfg = config.lab.llm;
  card = lib.mkIf (cfg.card == "nvidia") {
    services.ollama.environmentVariables.OLLAMA_NUM_THREADS = "4";
  };
in
{
  options.lab.llm.card = lib.mkOption { default = "%s"; };
  config = lib.mkMerge [ { services.ollama.enable = true; } card ];
}
"""


@pytest.mark.parametrize("default", ["cpu", "nvidia"])
def test_what_a_condition_leaves_out_is_judged(default: str, tmp_path: Path) -> None:
    require("nix-instantiate")
    file = tmp_path / "llm.nix"
    file.write_text(BRANCH % default)
    report = check(CheckRequest(paths=[str(file)]))
    assert report.not_judged == ()
    assert [f.place.line for f in report.findings if "NUM_THREADS" in f.finding.message] == [5]


def test_of_too_many_conditions_the_further_ones_are_named(tmp_path: Path) -> None:
    require("nix-instantiate")
    file = tmp_path / "llm.nix"
    of_card = '(lib.mkIf (config.card == %d) { services.ollama.loadModels = [ "m%d" ]; })'
    lines = "\n".join(of_card % (n, n) for n in range(1, 18))
    file.write_text(
        "{ config, lib, ... }: { options.card = lib.mkOption { default = 0; };\n"
        f"config = lib.mkMerge [ {{ services.ollama.enable = true; }}\n{lines} ]; }}\n"
    )
    report = check(CheckRequest(paths=[str(file)]))
    assert [(gap.line, gap.reason) for gap in report.not_judged] == [
        (19, "more than 16 conditions set it")
    ]


ASKED = """\
{ config, ... }:
{
  services.ollama.enable = true;
  services.nginx.virtualHosts.llm.locations."/".proxyPass =
    %s;
}
"""


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('"http://${config.services.ollama.listenAddress}"', [5]),
        ('"http://${config.services.ollama.host}"', []),
        ("config.services.ollama.acceleration", [5]),
        ("config.services.ollama.listenAddress or null", []),
        ("null; # config.services.ollama.listenAddress", []),
    ],
)
def test_an_option_that_is_gone_and_read(value: str, told: list[int], tmp_path: Path) -> None:
    require("nix-instantiate")
    file = tmp_path / "llm.nix"
    file.write_text(ASKED % value)
    found = check(CheckRequest(paths=[str(file)])).findings
    assert [f.place.line for f in found if f.finding.rule == "HW530"] == told
