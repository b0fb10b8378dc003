"""HW558: variables of the server in a file beside Compose that no container and no program gets."""

from pathlib import Path

import pytest

from tests.texts import Text, messages, service

TUNED = "OLLAMA_KEEP_ALIVE=24h\nOLLAMA_NUM_PARALLEL=4\n"
CHAT = "  chat: {image: ghcr.io/a/chat:1.0, restart: always}\n"


def said(folder: Path, files: Text) -> list[str]:
    return messages(folder, files, "HW558")


@pytest.mark.parametrize(
    "name", [".env", ".env.docker", ".env.example", "ollama.env", "docker.env", "config.env"]
)
def test_what_no_container_gets_is_told_whatever_the_file_is_called(
    name: str, tmp_path: Path
) -> None:
    first, second = said(tmp_path, service(top=CHAT) | {name: TUNED})
    assert first.startswith("`OLLAMA_KEEP_ALIVE` reaches no container")
    assert "OLLAMA_NUM_PARALLEL: ${OLLAMA_NUM_PARALLEL}" in second


@pytest.mark.parametrize(
    "files",
    [
        service("environment: [OLLAMA_KEEP_ALIVE, OLLAMA_NUM_PARALLEL]"),
        service("environment: {A: '${OLLAMA_KEEP_ALIVE}', B: '$OLLAMA_NUM_PARALLEL'}"),
        service("env_file: llm.env"),
        service("env_file: '${WHICH}.env'"),
        service(top="  chat: {image: chat, env_file: [llm.env]}\n"),
        service(top="  chat: {build: .}\n"),
        service(top="  chat: {image: chat, volumes: ['./llm.env:/app/.env']}\n"),
        service(top="  chat: {image: chat, volumes: ['.:/app']}\n"),
        service(top="  chat:\n    image: chat\n    volumes:\n      - ./:/app\n"),
        service() | {"start.sh": "set -a; . ./llm.env; ollama serve\n"},
        service() | {"README.md": "docker run --env-file llm.env ollama/ollama\n"},
        service() | {"main.py": "load_dotenv()\n"},
        service() | {"src/main.py": "load_dotenv()\n"},
        {"compose.yaml": "services: {chat: {image: chat}}\n"},
    ],
)
def test_what_somebody_may_read_is_left_alone(files: Text, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert said(tmp_path, {"llm.env": TUNED}) == []


def test_an_address_and_a_directory_may_be_for_others(tmp_path: Path) -> None:
    text = "OLLAMA_HOST=http://ollama:11434\nOLLAMA_MODELS=/srv/models\nOLLAMA_URL=http://x\n"
    assert said(tmp_path, service() | {".env": text}) == []
