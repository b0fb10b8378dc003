"""HW688, and HW000 of Compose: services that others need, and that are not there."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, messages, sides

SERVER = (
    "  ollama:\n    image: ollama/ollama:0.32.15\n    restart: always\n"
    "    volumes: [m:/root/.ollama]\n"
)
END = "volumes: {m: {}}\n"
WEB = "  webui:\n    image: ghcr.io/open-webui/open-webui:v0.6.30\n    restart: always\n"
GPU = "    profiles: [gpu]\n"


def project(server: str, needs: str, more: str = "") -> Text:
    return {"compose.yaml": f"services:\n{server}{WEB}    depends_on: {needs}\n{more}{END}"}


NEEDED = project(SERVER + GPU, "[ollama]")


# rule: (caught, left alone)
CASES: Cases = {"HW688": ((NEEDED,), (project(SERVER, "[ollama]"),))}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert bool(messages(tmp_path, files, rule)) is caught


@pytest.mark.parametrize(
    "files",
    [
        NEEDED,
        project(SERVER + GPU, "{ollama: {condition: service_started}}"),
        project(SERVER + GPU, "[ollama]", "    profiles: [web]\n"),
        project(SERVER.replace("ollama/ollama:0.32.15", "postgres:17") + GPU, "[ollama]"),
    ],
)
def test_without_its_profile_a_project_is_refused(files: Text, tmp_path: Path) -> None:
    (message,) = messages(tmp_path, files, "HW688")
    assert "`webui` needs `ollama`, which is behind the profile gpu" in message


@pytest.mark.parametrize(
    "files",
    [
        project(SERVER, "[ollama]"),
        project(SERVER + GPU, "[ollama]", GPU),
        project(SERVER + GPU, "[ollama]", "    profiles: [web, gpu]\n"),
        project(SERVER + GPU, "{ollama: {condition: service_started, required: false}}"),
        project(SERVER, "[ollama]", GPU),
        NEEDED | {".env": "COMPOSE_PROFILES=gpu\n"},
        NEEDED | {"README.md": "docker compose --profile gpu up -d\n"},
        {"compose.yaml": f"# docker compose --profile gpu up\n{NEEDED['compose.yaml']}"},
    ],
)
def test_what_is_started_together_is_left_alone(files: Text, tmp_path: Path) -> None:
    for name in files.keys() - {"compose.yaml"}:
        (tmp_path / name).write_text(files[name], encoding="utf-8")
    assert messages(tmp_path, {"compose.yaml": files["compose.yaml"]}, "HW688") == []


ALONE = {"compose.yaml": f"services:\n{WEB}    depends_on: [ollama]\n"}


def test_programs_that_wait_for_nobody_are_refused(tmp_path: Path) -> None:
    (message,) = messages(tmp_path, ALONE, "HW000")
    assert "`webui` depends on the service `ollama`, which nobody defines here" in message


@pytest.mark.parametrize(
    "files",
    [
        {"compose.webui.yaml": ALONE["compose.yaml"]},
        {"compose.yaml": f"include: [llm.yaml]\n{ALONE['compose.yaml']}"},
        ALONE | {"compose.ollama.yaml": f"services:\n{SERVER}{END}"},
        ALONE | {"docker-compose.gpu.yml": f"services:\n{SERVER}{END}"},
        {"compose.yaml": f"services:\n{WEB}    depends_on: [db]\n  db: {{image: 'postgres:17'}}\n"},
    ],
)
def test_another_file_may_define_it(files: Text, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    first = next(iter(files))
    assert messages(tmp_path, {first: files[first]}, "HW000") == []
