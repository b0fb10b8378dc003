"""Images that somebody builds on the host: of those no release is asked for, nor a registry."""

from pathlib import Path

import pytest

from tests.texts import Text, told

KEPT = "    restart: always\n    volumes: [m:/root/.ollama]\nvolumes: {m: {}}\n"


def project(image: str) -> Text:
    return {"compose.yaml": f"services:\n  ollama:\n    image: {image}\n{KEPT}"}


OWN = project("acme/ollama")


def judged(folder: Path, files: Text) -> set[str]:
    """Check the compose file alone, with the others beside it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return told(folder, {"compose.yaml": files["compose.yaml"]}) & {"HW507", "HW508"}


@pytest.mark.parametrize(
    "beside",
    [
        {"build.sh": "docker build -t acme/ollama .\n"},
        {"build.sh": "docker buildx build \\\n  --load --tag=acme/ollama:latest .\n"},
        {"scripts/build.sh": "podman build -t localhost/acme/ollama .\n"},
        {"Makefile": "IMAGE = x\nbuild:\n\tdocker build -t acme/ollama:$(TAG) .\n"},
        {"README.md": "Run `docker image build -t acme/ollama .` first.\n"},
        {"up.sh": "docker build -t x . && docker tag x acme/ollama:latest\n"},
    ],
)
def test_what_is_built_here_follows_nobody(beside: Text, tmp_path: Path) -> None:
    assert judged(tmp_path, OWN | beside) == set()


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"build.sh": "docker build -t acme/other .\n"},
        {"build.sh": "docker build -t acme/ollama:dev .\n"},
        {"build.sh": "docker build --build-arg BASE=acme/ollama -t mine .\n"},
        {"build.sh": "docker tag acme/ollama mine/ollama:1.0\n"},
        {"build.sh": "docker pull acme/ollama\n"},
    ],
)
def test_what_is_fetched_does(beside: Text, tmp_path: Path) -> None:
    assert judged(tmp_path, OWN | beside) == {"HW508"}
