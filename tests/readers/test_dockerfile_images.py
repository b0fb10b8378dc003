"""Dockerfiles: what rules say of their images, and compose files that build them."""

from pathlib import Path

import pytest

from tests.check.told import lines, report

FROM = "FROM ollama/ollama:0.32.15\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{FROM}ENV OLLAMA_NUM_THREADS=8\n", ["2 HW101 warning"]),
        (f"{FROM}ENV OLLAMA_NUM_THREADS 8\n", ["2 HW101 warning"]),
        (f"{FROM}ENV A=1 \\\n    # threads\n    OLLAMA_NUM_THREADS=8\n", ["4 HW101 warning"]),
        (f"ARG KEEP=soon\n{FROM}ARG KEEP\nENV OLLAMA_KEEP_ALIVE=$KEEP\n", ["4 HW109 warning"]),
        (f"{FROM}ARG KEEP\nENV OLLAMA_KEEP_ALIVE=${{KEEP}}\n", []),
        (f'{FROM}CMD ["ollama", "serve"]\n', ["2 HW603 error"]),
        (f'{FROM}CMD ["serve"]\n', []),
        (f'{FROM}ENTRYPOINT ["ollama"]\nCMD ["serve"]\n', []),
        (f"{FROM}HEALTHCHECK CMD curl -f http://localhost:11434\n", ["2 HW509 warning"]),
        (f"{FROM}RUN apt install -y curl\nHEALTHCHECK CMD curl -f http://localhost:11434\n", []),
        ("FROM ollama/ollama\n", ["1 HW508 warning"]),
        ('FROM debian:13\nENV OLLAMA_ORIGINS="*"\nENTRYPOINT ["./ollama", "serve"]\n',
         ["2 HW403 warning"]),
        ("FROM ollama/ollama:0.32.15 AS llm\nENV OLLAMA_NUM_THREADS=8\nFROM llm\n",
         ["2 HW101 warning"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["Dockerfile", "Containerfile.gpu", "llm.dockerfile"])
def test_what_an_image_says(text: str, told: list[str], name: str, tmp_path: Path) -> None:
    assert lines(tmp_path, name, text) == told


@pytest.mark.parametrize(
    "text",
    [
        "FROM python:3.14\nENV OLLAMA_HOST=http://ollama:11434\nCMD [python, app.py]\n",
        f"{FROM}FROM python:3.14\nCOPY --from=0 /bin/ollama /bin/ollama\n",
    ],
)
def test_an_image_of_a_client_is_left_alone(text: str, tmp_path: Path) -> None:
    found = report(tmp_path, {"Dockerfile": text})
    assert (found.found, found.not_judged) == ((), ())


BUILT = """\
services:
  llm:
    build: {build}
    image: ours/models:1
    restart: always
    environment: {{OLLAMA_KEEP_ALIVE: 1h}}
    volumes: [models:/models]
volumes: {{models: {{}}}}
"""


@pytest.mark.parametrize(
    ("build", "path"),
    [
        ("llm", "llm/Dockerfile"),
        ("{context: ., dockerfile: gpu.Dockerfile}", "gpu.Dockerfile"),
    ],
)
def test_a_service_is_what_it_is_built_of(build: str, path: str, tmp_path: Path) -> None:
    dockerfile = f"{FROM}ENV OLLAMA_NUM_THREADS=8\n"
    found = report(tmp_path, {"compose.yaml": BUILT.format(build=build), path: dockerfile})
    told = {(Path(p.place.file).relative_to(tmp_path).as_posix(), p.place.line, p.finding.rule)
            for p in found.findings}  # fmt: skip
    assert told == {("compose.yaml", 7, "HW518"), (path, 2, "HW101")}


def test_a_service_that_is_built_of_something_else_is_none(tmp_path: Path) -> None:
    files = {"compose.yaml": BUILT.format(build="."), "Dockerfile": "FROM nginx\n"}
    assert [gap.file for gap in report(tmp_path, files).not_judged]
