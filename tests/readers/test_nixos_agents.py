"""Agents of launchd, units of a user, containers with an image that others name, in modules."""

from pathlib import Path

import pytest

from tests.check.told import lines
from tests.tools import require

DAEMON = """\
{ pkgs, ... }: {
  launchd.%s.ollama = {
    serviceConfig = {
      ProgramArguments = [ "${pkgs.ollama}/bin/ollama" "%s" ];
      EnvironmentVariables = {
        OLLAMA_NUM_THREADS = "8";
      };
    };
  };
}
"""
OF_USER = """\
{ pkgs, ... }: {
  systemd.user.services.llm.Install.WantedBy = [ "a" ]; systemd.user.services.llm.Service = {
    ExecStart = "${pkgs.ollama}/bin/ollama serve"; Restart = "always";
    Environment = [ "OLLAMA_KEEP_ALIVE=24h"
      "OLLAMA_NUM_THREADS=8" ];
  };
}
"""
CONTAINER = """\
{ config, ... }: {
  virtualisation.oci-containers.containers.ollama = {
    image = config.site.image;
    volumes = [ "/srv/ollama:/root/.ollama" ];
    environment.OLLAMA_NUM_THREADS = "8";
  };
}
"""
ON_AC = """\
{ config, lib, ... }: {
  options.site.onAC = lib.mkOption { type = lib.types.bool; default = false; };
  config.services.ollama.enable = true;
  config.systemd.services.ollama.serviceConfig = lib.mkIf config.site.onAC {
    ConditionACPower = true;
  };
}
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (DAEMON % ("daemons", "serve"), ["6 HW101 warning"]),
        (DAEMON % ("user.agents", "serve"), ["6 HW101 warning"]),
        (OF_USER, ["5 HW101 warning"]),
        (
            OF_USER.replace("llm", "ollama").replace("serve", "--verbose serve"),
            ["5 HW101 warning"],
        ),
        (CONTAINER, ["5 HW101 warning"]),
        (ON_AC, ["5 HW520 error"]),
    ],
)
def test_what_a_module_says(text: str, told: list[str], tmp_path: Path) -> None:
    require("nix-instantiate")
    assert lines(tmp_path, "llm.nix", text) == told


def test_another_agent_is_none_of_ours(tmp_path: Path) -> None:
    require("nix-instantiate")
    text = (DAEMON % ("daemons", "serve")).replace("ollama", "caddy")
    assert lines(tmp_path, "llm.nix", text) == []
