"""`fly.toml` of applications that run the server."""

from pathlib import Path

import pytest

from tests.check.told import lines, report

APP = """\
app = "llm"
[build]
  image = "ollama/ollama:0.32.15"
[env]
  OLLAMA_KEEP_ALIVE = "48h"
[mounts]
  source = "models"
  destination = "/root/.ollama"
"""
SERVICE = "[http_service]\n  internal_port = 11434\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (APP, []),
        (APP.replace("48h", "2d"), ["5 HW109 warning"]),
        (APP.replace("0.32.15", "latest"), ["3 HW508 warning"]),
        (APP.partition("[mounts]")[0], ["3 HW518 warning"]),
        (APP + SERVICE, ["10 HW661 warning"]),
        (APP + SERVICE.replace("11434", "8080"), ["10 HW611 error", "10 HW661 warning"]),
        (APP + '[[vm]]\n  memory = "512mb"\n', ["10 HW211 warning", "10 HW216 warning"]),
        (APP + "[[vm]]\n  memory_mb = 512\n", ["10 HW211 warning", "10 HW216 warning"]),
    ],
)
def test_what_is_wrong_with_an_application(text: str, told: list[str], tmp_path: Path) -> None:
    assert sorted(lines(tmp_path, "fly.toml", text)) == told


OFFICIAL = "FROM ollama/ollama:0.32.15\n"
PULLS = "RUN ollama serve & sleep 5; ollama pull qwen3:8b\n"
BUILT = APP.replace('  image = "ollama/ollama:0.32.15"\n', "").partition("[mounts]")[0]


@pytest.mark.parametrize(
    ("dockerfile", "told"),
    [
        (OFFICIAL, ["1 HW518", "6 HW611", "6 HW661"]),
        (f"{OFFICIAL}ENV OLLAMA_HOST=0.0.0.0:8080\n{PULLS}", ["6 HW661"]),
        ("FROM python:3.13\nRUN pip install ollama\n", []),
    ],
)
def test_what_it_builds_is_its_image(dockerfile: str, told: list[str], tmp_path: Path) -> None:
    text = BUILT + SERVICE.replace("11434", "8080")
    found = report(tmp_path, {"fly.toml": text, "Dockerfile": dockerfile}).findings
    rules = (f"{p.place.line} {p.finding.rule}" for p in found if p.place.file.endswith("fly.toml"))
    assert sorted(rules) == told


def test_one_of_another_image_is_named(tmp_path: Path) -> None:
    found = report(tmp_path, {"fly.toml": APP.replace("ollama/ollama", "mine/llm")})
    assert [gap.reason for gap in found.not_judged] == ["no server of Ollama is recognised in it"]


def test_what_is_no_toml_is_refused(tmp_path: Path) -> None:
    (found,) = report(tmp_path, {"fly.toml": "app = ollama\n"}).findings
    assert found.finding.rule == "HW000"
