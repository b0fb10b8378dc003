"""What a file says is named where a profile does not carry it: nothing is lost unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.importing.importing import ImportRequest, imported
from tests.importing.texts import OVERRIDE, lost, of, of_drop_in, profile, put
from tests.tools import require

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

UNIT = "ollama.service"
SERVICE = """[Service]
ExecStart=/usr/local/bin/ollama serve
ExecStartPre=/bin/true
User=ollama
CPUQuota=400%
LimitNOFILE=99
Environment=OLLAMA_NUM_PARALLEL=9 OLLAMA_DEBUG=1
"""


def test_what_a_drop_in_takes_away_of_the_unit_is_named(tmp_path: Path) -> None:
    override = (
        "[Service]\nEnvironment=\nEnvironment=OLLAMA_KEEP_ALIVE=2h\nCPUQuota=\nLimitNOFILE=\n"
    )
    found = of(tmp_path, {UNIT: SERVICE, OVERRIDE: override})
    assert lost(found) == {
        "CPUQuota=": f"it takes away what {tmp_path / UNIT}:5 says, which acts again without it",
        "LimitNOFILE=": f"it takes away what {tmp_path / UNIT}:6 says, which acts again without it",
        "OLLAMA_NUM_PARALLEL": "a drop-in takes it away, and without that it acts again",
        "OLLAMA_DEBUG": "a drop-in takes it away, and without that it acts again",
    }
    assert profile(found)["ollama"] == {"keep_alive": "2h"}


MODULE = """{ config, lib, ... }:
{
  options.my.gpu = lib.mkOption { default = "none"; };
  config.services.ollama = {
    enable = true;
    environmentVariables = {
      OLLAMA_KEEP_ALIVE = "2h";
      OLLAMA_NUM_PARALLEL = lib.mkIf (config.my.gpu == "cuda") "4";
    };
  };
}
"""


def test_what_a_condition_of_a_module_would_set_is_named(tmp_path: Path) -> None:
    require("nix-instantiate")
    found = of(tmp_path, {"llm.nix": MODULE})
    reason = "a condition sets it that does not hold with the defaults of this module"
    assert lost(found) == {"OLLAMA_NUM_PARALLEL": reason}
    assert profile(found)["ollama"] == {"keep_alive": "2h"}


def test_a_program_of_a_drop_in_is_none_of_a_bundle_of_drop_ins(tmp_path: Path) -> None:
    override = "[Service]\nExecStart=\nExecStart=/opt/bin/ollama serve\n"
    found = of(tmp_path, {UNIT: SERVICE, OVERRIDE: override})
    assert [(one.name, one.place.line) for one in found.lost] == [
        ("ExecStart", 3),
        ("ExecStart=", 2),
    ]


def test_a_value_that_comes_after_the_reset_is_no_loss(tmp_path: Path) -> None:
    override = (
        "[Service]\nCPUQuota=\nCPUQuota=800%\nExecStart=\nExecStart=/usr/local/bin/ollama serve\n"
    )
    found = of(tmp_path, {UNIT: SERVICE, OVERRIDE: override})
    assert lost(found) == {}
    assert profile(found)["resources"] == {"cpu_quota": "800%"}


def test_directives_that_a_bundle_adds_are_told(tmp_path: Path) -> None:
    found = of(
        tmp_path, {UNIT: SERVICE, OVERRIDE: "[Service]\nEnvironment=CUDA_VISIBLE_DEVICES=0\n"}
    )
    assert {"DevicePolicy", "DeviceAllow", "ExecStartPre"} <= {one.name for one in found.added}


def test_no_password_of_a_file_or_a_command_is_shown(tmp_path: Path) -> None:
    compose = """services:
  ollama:
    image: ollama/ollama:0.24.0
    env_file: a.env
    labels: ["auth=Bearer abcdef123456"]
    healthcheck: {test: "curl http://joe:s3cret@localhost:11434"}
"""
    found = of(
        tmp_path, {"compose.yaml": compose, "a.env": "HTTPS_PROXY=http://joe:s3cret@proxy:1\n"}
    )
    assert "s3cret" not in found.text
    assert "abcdef123456" not in found.text
    assert "HTTPS_PROXY" in lost(found)
    unit = "[Service]\nExecStart=\nExecStart=/usr/bin/env HF_TOKEN=s3cretsecret /opt/ollama serve\n"
    assert "s3cretsecret" not in of(tmp_path / "b", {OVERRIDE: unit}).text


def test_what_docker_run_says_beside_is_listed(tmp_path: Path) -> None:
    line = (
        "docker run -e OLLAMA_API_KEY --memory-reservation 8g -m 32g --memory-swap 40g -l a=b "
        "ollama/ollama\n"
    )
    found = of(tmp_path, {"run.sh": line})
    assert {*lost(found)} == {"OLLAMA_API_KEY", "--memory-reservation", "--label"}
    assert profile(found)["resources"]["memory_swap_max"] == "8G"


def test_a_model_that_a_chart_creates_is_not_pulled(tmp_path: Path) -> None:
    values = """ollama:
  models:
    pull: [llama3.1:8b]
    create:
      - {name: mine, template: "FROM llama3.1:8b\\nPARAMETER num_ctx 8192\\n"}
"""
    found = of(tmp_path, {"values.yaml": values})
    assert [one["name"] for one in profile(found)["models"]] == ["llama3.1:8b"]
    assert "mine" in lost(found)


def test_what_a_compose_file_says_of_restart_command_and_memory_is_not_lost(tmp_path: Path) -> None:
    compose = """services:
  ollama:
    image: ollama/ollama:0.24.0
    entrypoint: [sh, -c]
    command: ["sleep 5; ollama serve"]
    restart: on-failure:5
    mem_reservation: 8g
    secrets: [token]
secrets: {token: {file: ./token}}
"""
    found = of(tmp_path, {"compose.yaml": compose})
    assert profile(found)["container"]["restart"] == "on-failure"
    assert {"entrypoint", "command", "restart", "memory_high"} <= {*lost(found)}
    assert [one.value for one in found.lost if one.name == "secrets"] == ["token"]
    bare = of(tmp_path / "b", {"compose.yaml": "services: {o: {image: ollama/ollama}}\n"})
    assert ("restart", "unless-stopped") in {(one.name, one.value) for one in bare.added}


def test_what_cannot_be_read_is_listed_and_each_line_once(tmp_path: Path) -> None:
    lines = (
        "[Service]",
        "MemoryMax=20GiB",
        "RestartSec=500ms",
        "Environment=OLLAMA_ORIGINS=a,b",
        "",
    )
    found = of(tmp_path, {OVERRIDE: "\n".join(lines)})
    assert [(one.name, one.value) for one in found.left] == [
        ("RestartSec", "500ms"),
        ("MemoryMax", "20GiB"),
        ("OLLAMA_ORIGINS", "a, b"),
    ]
    unread = next(one for one in found.left if one.name == "MemoryMax")
    assert (unread.idle, unread.reason) == (
        True,
        "it cannot be read as it stands, and has no effect",
    )
    by = of_drop_in(tmp_path / "b", "Environment=OLLAMA_GPU_OVERHEAD=536870912")
    told = {one.name: one.reason for one in by.left if one.idle}
    assert told == {"OLLAMA_GPU_OVERHEAD": "the rendered files say it by LLAMA_ARG_FIT_TARGET"}


def test_a_unit_of_another_name_is_not_the_one_of_a_bundle(tmp_path: Path) -> None:
    found = of(tmp_path, {"ollama-two.service": SERVICE})
    assert lost(found)["unit"] == "a bundle is for ollama.service, and leaves this one as it is"
    assert "unit" not in lost(of(tmp_path, {UNIT: SERVICE}))


def test_a_secret_of_the_unit_is_named_once_and_no_command_shows_one(tmp_path: Path) -> None:
    more = """Environment=ALL_PROXY=http://joe:s3@cret@proxy:1
ExecStop=/usr/bin/curl -u joe:s3cret http://localhost
SetCredential=token:s3cret
"""
    found = of(tmp_path, {UNIT: SERVICE + more})
    assert [one.name for one in found.lost] == ["ALL_PROXY"]
    assert "cret" not in found.text.replace("secret", "")


def test_what_a_profile_says_less_finely_is_told(tmp_path: Path) -> None:
    found = of_drop_in(tmp_path, "CPUQuota=12.5%", "LimitMEMLOCK=16M:32M", "[Serivce]", "Nice=5")
    assert "it was 12.5%, and a profile has whole percents" in found.text.replace("\n# ", " ")
    assert "LimitMEMLOCK" in lost(found)
    assert [one.name for one in found.left if one.idle] == ["Nice"]
    assert not any(
        "whole percents" in one.note for one in of_drop_in(tmp_path / "b", "CPUQuota=50%").carried
    )


def test_a_directory_beside_a_compose_file_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "services: {o: {image: ollama/ollama, read_only: true, volumes: ['./m:/root/.ollama']}}\n"
    )
    put(tmp_path, {"compose.yaml": text})
    monkeypatch.chdir(tmp_path)
    found = imported(ImportRequest(paths=("compose.yaml",)))
    assert profile(found)["container"]["home_dir"] == str(tmp_path / "m")
    added = {one.name for one in found.added}
    assert {"cap_drop", "security_opt"} <= added
    assert "read_only" not in added
