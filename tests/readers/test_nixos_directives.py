"""Units that somebody writes in Nix: the directives in them are judged as those of a unit file."""

from pathlib import Path

import pytest

from tests.check.told import lines
from tests.tools import require

OF_SYSTEM = """\
{ pkgs, ... }: {
  systemd.services.ollama = { wantedBy = [ "multi-user.target" ];
    environment.HOME = "/var/lib/ollama";
    serviceConfig = {
      User = "ollama";
      ExecStart = "${pkgs.ollama}/bin/ollama serve%s";
      %s
    };
  };
}
"""
OF_USER = """\
{ pkgs, ... }: {
  systemd.user.services.ollama = {
    Install.WantedBy = [ "default.target" ];
    Service = {
      # The package is the one of nixpkgs.
      ExecStart = "${pkgs.ollama}/bin/ollama serve%s";
      %s
    };
  };
}
"""
RESTART = 'Restart = "always";'


@pytest.mark.parametrize("form", [OF_SYSTEM, OF_USER])
@pytest.mark.parametrize(
    ("more", "setting", "told"),
    [
        ("", RESTART, []),
        ("", f'{RESTART} LimitNOFILE = 65536; TimeoutStopSec = "2min";', []),
        ("", "", ["6 HW513 warning"]),
        (" --host 0.0.0.0", RESTART, ["6 HW550 error"]),
        (" > /tmp/log", RESTART, ["6 HW528 error"]),
        ("", 'Restart = "unless-stopped";', ["7 HW605 error"]),
        ("", f'{RESTART} Type = "forking";', ["7 HW600 error"]),
        ("", f'{RESTART} MemoryMax = "16GB";', ["7 HW212 error"]),
        ("", f'{RESTART} CPUQuota = "50%";', ["7 HW214 warning"]),
        ("", f'{RESTART} Enviroment = "A=1";', ["7 HW520 error"]),
        ("", f'{RESTART} Environment = [ "OLLAMA_MODELS=/srv/my models" ];', ["7 HW521 error"]),
        (
            "",
            f'{RESTART} ExecStartPost = "${{pkgs.ollama}}/bin/ollama pull llama3.2:8b";',
            ["7 HW604 warning", "7 HW507 warning"],
        ),
    ],
)
def test_directives_of_a_unit(
    form: str, more: str, setting: str, told: list[str], tmp_path: Path
) -> None:
    require("nix-instantiate")
    assert sorted(lines(tmp_path, "llm.nix", form % (more, setting))) == sorted(told)


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ('Type = lib.mkForce "oneshot"', "3 HW600 error"),
        ('Type = lib.mkForce "notify"', "3 HW547 error"),
        ('ExecStart = lib.mkForce "/bin/ollama serve --port 1"', "3 HW550 error"),
        ('ExecStartPre = "/bin/ollama pull qwen3:8b"', "3 HW604 error"),
    ],
)
def test_what_is_added_to_the_unit_of_the_module(setting: str, rule: str, tmp_path: Path) -> None:
    require("nix-instantiate")
    text = (
        "{ lib, ... }: {\n  services.ollama.enable = true;\n"
        f"  systemd.services.ollama.serviceConfig.{setting};\n}}\n"
    )
    assert lines(tmp_path, "llm.nix", text) == [rule]


JOB = """\
{ pkgs, ... }: {
  services.ollama.enable = true;
  systemd.services.models = { wantedBy = [ "multi-user.target" ];
    %s
    serviceConfig.Type = "oneshot";
  };
}
"""


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('script = "${pkgs.ollama}/bin/ollama pull llama3.2:8b";', ["4 HW507 warning"]),
        ("script = ''\n      ollama pull qwen3:8b\n      ollama pull llama3.2:8b\n    '';",
         ["6 HW507 warning"]),
        ('serviceConfig.ExecStart = "${pkgs.ollama}/bin/ollama pull --quiet qwen3:8b";',
         ["4 HW550 error"]),
        ('script = "ollama pull qwen3:8b";', []),
        ('path = [ pkgs.ollama ];', []),
    ],
)  # fmt: skip
def test_what_a_job_asks_the_server_for(script: str, told: list[str], tmp_path: Path) -> None:
    require("nix-instantiate")
    assert lines(tmp_path, "llm.nix", JOB % script) == told


def test_a_unit_of_another_name_has_nothing_of_the_module(tmp_path: Path) -> None:
    require("nix-instantiate")
    text = JOB % 'environment.HOME = "/root"; script = "ollama serve & sleep 1; kill $!";'
    assert "HW535" not in str(lines(tmp_path, "llm.nix", text))
