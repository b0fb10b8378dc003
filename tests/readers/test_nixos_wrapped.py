"""Servers of modules that others write: quadlet-nix, Home Manager, wrappers of one's own."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.check.report import Report

QUADLET = """\
{ config, ... }:
{
  virtualisation.quadlet.containers.ollama = {
    autoStart = true;
    containerConfig = {
      image = "docker.io/ollama/ollama:0.32.15";
      publishPorts = [ "11434:11434" ];
      environments = { OLLAMA_KEEP_ALIVE = "2d"; };
      volumes = [ %s ];
    };
  };
}
"""
OF_USER = """\
{ ... }:
{
  home-manager.users.ann.virtualisation.quadlet.containers.llm.containerConfig = {
    image = "docker.io/ollama/ollama:0.32.15";
    environments.OLLAMA_KEEP_ALIVE = "2d";
    volumes = [ "m:/root/.ollama" ];
  };
}
"""
HOME = """\
{ pkgs, ... }:
{
  home.username = "ann";
  services.ollama = {
    enable = true;
    environmentVariables = {
      OLLAMA_FLASH_ATTENTION = true;
      OLLAMA_NUM_PARALLEL = "2";
      OLLAMA_HOST = 1;
    };
  };
}
"""
WRAPPER = """\
{ lib, ... }:
{
  my.services.ollama = {
    enable = true;
    environmentVariables = {
      OLLAMA_NUM_PARALEL = "2";
      OLLAMA_KEEP_ALIVE = "2d";
      OLLAMA_CONTEXT_LENGTH = 8192;
    };
    loadModels = [ "qwen3:8bx" ];
  };
}
"""


def checked(folder: Path, text: str) -> Report:
    (folder / "a.nix").write_text(text)
    return check(CheckRequest(paths=[str(folder / "a.nix")]))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (QUADLET % '"m:/root/.ollama"', ["7 HW402", "8 HW109"]),
        (QUADLET % '"m:/root/ollama"', ["7 HW402", "8 HW109", "6 HW518"]),
        # Which volume that is, nobody knows here.
        (QUADLET % '"${config.x.ref}:/root/.ollama"', ["7 HW402", "8 HW109"]),
        (OF_USER, ["5 HW109"]),
        # The module of Home Manager takes text alone, and sets the address itself.
        (HOME, ["7 HW533"]),
        (WRAPPER, ["6 HW104", "7 HW109", "10 HW557"]),
        (WRAPPER.replace("my.services", "homelab"), ["6 HW104", "7 HW109", "10 HW557"]),
    ],
)
def test_it_is_judged_as_what_becomes_of_it(tmp_path: Path, text: str, found: list[str]) -> None:
    report = checked(tmp_path, text)
    assert sorted(f"{p.place.line} {p.finding.rule}" for p in report.findings) == sorted(found)


def test_what_a_wrapper_makes_of_the_rest_is_named(tmp_path: Path) -> None:
    report = checked(tmp_path, WRAPPER)
    assert [(gap.line, gap.part) for gap in report.not_judged] == [
        (4, "my.services.ollama"), (8, "values")]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        '{ users.users.ollama = { isSystemUser = true; home = "/srv"; }; }',
        "{ options.my.services.ollama.loadModels = lib.mkOption { }; }",
        "{ services.nginx.virtualHosts.ollama.acceleration = true; }",
    ],
)
def test_what_is_only_called_so_is_no_server(tmp_path: Path, text: str) -> None:
    assert checked(tmp_path, text).findings == ()
