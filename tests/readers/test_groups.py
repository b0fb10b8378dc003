"""Files that a command beside them has read as one project."""

from pathlib import Path

import pytest

from generator.check.gather import CheckRequest, check
from generator.readers.base import Order, Source
from generator.readers.discover import discover
from generator.readers.signs import orders_in

BASE = """\
services:
  ollama:
    image: ollama/ollama:0.32.15
    restart: unless-stopped
    ports: ["127.0.0.1:11434:11434"]
    volumes: [ollama:/root/.ollama]
    environment: {OLLAMA_KEEP_ALIVE: 1d}
volumes: {ollama: {}}
"""
OVER = """\
services:
  ollama:
    environment: {OLLAMA_KEEP_ALIVE: "${KEEP}"}
"""
FILES = {"compose.yaml": BASE, "gpu.yaml": OVER, "prod.env": "KEEP=2d\n", "good.env": "KEEP=48h\n"}
BOTH = "-f compose.yaml -f gpu.yaml"
ORDER = f"docker compose --env-file prod.env {BOTH} up"
UNIT = """\
[Service]
WorkingDirectory=/opt/llm
ExecStart=/usr/bin/docker compose --env-file /opt/llm/prod.env \\
  -f /opt/llm/compose.yaml -f /opt/llm/gpu.yaml up
"""
WORKFLOW = f"""\
jobs:
  a:
    steps:
      - run: {ORDER}
"""
COMMENT = f"""\
#   docker compose --env-file prod.env \\
#     {BOTH} up
{OVER}"""
TEXTS = {
    "a script": ("up.sh", f"{ORDER} -d"),
    "sudo, and equal signs": (
        "up.sh",
        "sudo docker-compose --env-file=prod.env --file=compose.yaml --file=gpu.yaml -p x up",
    ),
    "words of a variable": (
        "up.sh", f'FILES="{BOTH}"\ndocker compose --env-file prod.env $FILES up',
    ),
    "words of an array": (
        "up.sh", f'A=({BOTH})\ndocker compose --env-file prod.env "${{A[@]}}" up',
    ),
    "the directory of the script": (
        "up.sh", 'docker compose --env-file "$D/prod.env" -f "$D/compose.yaml" -f $D/gpu.yaml up',
    ),
    "a variable of Compose": (
        "up.sh", "KEEP=2d COMPOSE_FILE=compose.yaml:gpu.yaml docker compose up",
    ),
    "a directory below": ("bin/up.sh", f"cd ..\n{ORDER}"),
    "a Makefile": ("Makefile", f"COMPOSE := {ORDER[:-3]}\nup:\n\t$(COMPOSE) up -d\n"),
    "a justfile": ("justfile", f"up:\n    @{ORDER}\n"),
    "a workflow": (".github/workflows/a.yml", WORKFLOW),
    "a unit": ("systemd/llm.service", UNIT),
    "a comment of its own": ("gpu.yaml", COMMENT),
    "a guide": ("README.md", f"Run `{ORDER} -d`.\n"),
    "a package of Node": ("package.json", f'{{"scripts": {{"up": "{ORDER}"}}}}\n'),
    "a stack": ("up.sh", "KEEP=2d docker stack deploy -c compose.yaml -c gpu.yaml llm"),
}  # fmt: skip


def found(*paths: str) -> set[str]:
    """Return what is said of the directory that a test is in, or of these files of it."""
    report = check(CheckRequest(paths=paths or (".",)))
    return {f"{one.place.file}:{one.place.line} {one.finding.rule}" for one in report.findings}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("case", TEXTS)
def test_files_are_judged_as_the_command_reads_them(case: str, project: Path) -> None:
    assert "compose.yaml:7 HW109" in found()
    write(project, *TEXTS[case])
    merged = found()
    line = 5 if case == "a comment of its own" else 3
    assert f"gpu.yaml:{line} HW109" in merged
    # What loses is not told, for such a file is there to win.
    assert not any(one.startswith("compose.yaml:7") for one in merged)


@pytest.mark.parametrize(
    "text",
    [
        f"docker compose --env-file good.env {BOTH} up",
        f"docker compose --env-file good.env {BOTH} up\ndocker compose -f gone.yaml -f gpu.yaml up",
    ],
)
def test_a_good_value_is_one(text: str, project: Path) -> None:
    write(project, "up.sh", text)
    assert not any("HW109" in one for one in found())


def test_a_base_that_is_also_run_alone_is_judged_alone_as_well(project: Path) -> None:
    write(project, "up.sh", f"docker compose --env-file good.env {BOTH} up\ndocker compose up -d\n")
    assert "compose.yaml:7 HW109" in found()


def test_an_overlay_that_is_named_is_read_with_its_base(project: Path) -> None:
    write(project, "up.sh", f"docker compose --env-file prod.env {BOTH} up\n")
    assert found("gpu.yaml") == {"gpu.yaml:3 HW109"}
    assert "compose.yaml:7 HW109" in found("compose.yaml")


@pytest.mark.parametrize(
    "text",
    ["docker compose -f - up", "docker compose $MORE up", "docker compose -f a.yaml", "compose"],
)
def test_what_nobody_can_tell_is_no_order(text: str) -> None:
    assert orders_in(Source("up.sh", text)) == ()


def test_an_order_says_what_is_read() -> None:
    (order,) = orders_in(
        Source("a.txt.md", "cd deploy && TAG=1 docker compose -f a.yml -f b.yml up")
    )
    assert order == Order("a.txt.md", ("a.yml", "b.yml"), (), "deploy", (("TAG", "1"),))


INCLUDES = """\
include:
  - path: parts/llm.yaml
    env_file: told/x.env
"""
PART = BASE.replace("0.32.15", "${TAG}").replace("1d", "48h")


def test_what_another_file_includes_is_no_project_by_itself(project: Path) -> None:
    write(project, "parts/llm.yaml", PART)
    assert "parts/llm.yaml:3 HW508" in found()
    write(project, "compose.yaml", INCLUDES)
    write(project, "told/x.env", "TAG=0.32.15\n")
    assert not any(one.startswith("parts/") for one in found())
    assert "parts/llm.yaml:3 HW508" in found("parts/llm.yaml")


def test_a_command_that_says_what_is_read_anyhow_makes_no_other_service(tmp_path: Path) -> None:
    text = "services: {ollama: {image: 'ollama/ollama:0.32.15'}}\n"
    (tmp_path / "compose.yaml").write_text(text, encoding="utf-8")
    script = "docker compose up -d\ndocker compose -f compose.yaml ps\n"
    (tmp_path / "apply.sh").write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
    assert len(discover([str(tmp_path)]).groups) == 1
