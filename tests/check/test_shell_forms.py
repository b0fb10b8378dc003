"""Variables that a shell hands over in other forms than before the command, and ports of a pod."""

from pathlib import Path

import pytest

from tests.texts import checked, told

NAME = "OLLAMA_NUM_THREADS=6"


@pytest.mark.parametrize(
    "line",
    [
        f"env {NAME} ollama serve",
        f"sudo -E env {NAME} /usr/bin/ollama serve",
        f"nohup env {NAME} ollama serve &",
        f"exec env {NAME} ollama serve",
        f"if true; then {NAME} /usr/bin/ollama serve; fi",
        f"while :; do {NAME} ollama serve; done",
        f"set -a; {NAME}; set +a; ollama serve",
        f"systemd-run --setenv={NAME} ollama serve",
        f"systemd-run -E {NAME} ollama serve",
        f"systemd-run -p Environment={NAME} ollama serve",
        f"systemd-run --property 'Environment=A=1 {NAME}' ollama serve",
        f"sudo systemd-run --property=Environment={NAME} --user ollama serve",
        f"sudo -nH {NAME} ollama serve",
    ],
)
def test_the_server_gets_what_stands_before_its_name(line: str, tmp_path: Path) -> None:
    assert "HW101" in told(tmp_path, {"run.sh": f"#!/bin/sh\n{line}\n"})


@pytest.mark.parametrize(
    "line",
    [
        f"set -a; set +a; {NAME}; ollama serve",
        f"env {NAME} other; ollama serve",
        f"env {NAME} ollama pull qwen3:8b",
        f"echo env {NAME} ollama serve",
        f"systemd-run -p {NAME} ollama serve",
        f"wrapped -x {NAME} ollama serve",
    ],
)
def test_others_get_nothing(line: str, tmp_path: Path) -> None:
    assert "HW101" not in told(tmp_path, {"run.sh": f"#!/bin/sh\n{line}\n"})


@pytest.mark.parametrize(("address", "open_to_all"), [("0.0.0.0:", True), ("127.0.0.1:", False)])
def test_a_pod_publishes_for_its_containers(
    address: str, open_to_all: bool, tmp_path: Path
) -> None:
    (tmp_path / "ai.pod").write_text(f"[Pod]\nPublishPort={address}11434:11434\n")
    image = "Image=docker.io/ollama/ollama:0.32.15\nVolume=o:/root/.ollama\n"
    files = {"ollama.container": f"[Container]\n{image}Pod=ai.pod\n[Service]\nRestart=always\n"}
    assert ("HW402" in told(tmp_path, files)) is open_to_all


def test_what_is_said_of_a_container_is_not_about_the_variable_on_its_line(tmp_path: Path) -> None:
    line = f"docker run -p 11434:11434 -e {NAME} ollama/ollama:latest"
    found = checked(tmp_path, {"run.sh": f"#!/bin/sh\n{line}\n"}).findings
    settings = {placed.finding.rule: placed.setting for placed in found}
    assert settings["HW101"] == "OLLAMA_NUM_THREADS"
    assert settings["HW402"] == settings["HW508"] == settings["HW513"] == ""
