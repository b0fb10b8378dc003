"""HW687: what a container starts, and what of it no container can."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, messages, sides, told


def service(*lines: str) -> Text:
    image = "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n"
    return {"compose.yaml": image + "".join(f"    {line}\n" for line in lines)}


def pod(command: str) -> Text:
    box = "{name: ollama, image: ollama/ollama:0.32.15, " + command + "}"
    return {
        "pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: llm}\n"
        f"spec:\n  containers:\n    - {box}\n"
    }


def puller(*words: str) -> Text:
    listed = ", ".join(f"'{word}'" for word in words)
    job = "  pull:\n    image: ollama/ollama:0.32.15\n    entrypoint: /bin/sh\n"
    job += f"    command: [{listed}]\n"
    return {"compose.yaml": service("restart: always")["compose.yaml"] + job}


def run(words: str) -> Text:
    return {"run.sh": f"#!/bin/sh\ndocker run -d {words}\n"}


# rule: (caught, left alone)
CASES: Cases = {
    "HW687": (
        (
            service('entrypoint: ["ollama serve"]'),
            service('entrypoint: ["/bin/sh", "-c", "ollama", "serve"]'),
            service("entrypoint: /bin/sh -c ollama serve"),
            service(
                "entrypoint: /bin/sh",
                'command: ["-c", "ollama serve & sleep 5", "ollama pull qwen3:8b", "wait"]',
            ),
            pod('command: [/bin/sh, -c, "ollama serve &", "ollama pull qwen3:8b", "wait"]'),
            puller("-c", "sleep 3; ollama pull a", "ollama pull b"),
            service("entrypoint: [/bin/bash]", "command: [ollama serve]"),
            service("entrypoint: [sh, ollama, serve]"),
            service("entrypoint: [/bin/ollama]"),
            pod("command: [ollama]"),
            pod('command: ["ollama serve"]'),
            run("--entrypoint 'ollama serve' ollama/ollama:0.32.15"),
            {"Dockerfile": 'FROM ollama/ollama:0.32.15\nENTRYPOINT ["ollama serve"]\n'},
        ),
        (
            service("entrypoint: ollama serve"),
            service('entrypoint: ["ollama"]', "command: serve"),
            service('entrypoint: ["/bin/sh", "-c", "ollama serve"]'),
            service('entrypoint: ["/bin/sh", "-c", "exec \\"$$@\\"", "sh", "ollama", "serve"]'),
            service('entrypoint: ["/bin/sh", "-c", "ollama serve & wait", "unused words"]'),
            service('entrypoint: ["/bin/sh", "-c", "eval \\"$$0\\"; $$1", "ollama pull a", "b"]'),
            puller("-c", "sleep 3; ollama pull a; ollama pull b"),
            puller("-c", 'for m; do ollama pull "$$m"; done; echo $$@', "sh", "a", "b"),
            service('entrypoint: ["/bin/sh", "/start.sh"]'),
            service('entrypoint: ["bash", "-lc", "ollama serve"]'),
            service('entrypoint: ["$START"]'),
            pod("command: [ollama, serve]"),
            pod("command: [ollama], args: [serve]"),
            pod("args: [serve]"),
            run("--entrypoint ollama ollama/ollama:0.32.15 serve"),
            {"Dockerfile": "FROM ollama/ollama:0.32.15\nENTRYPOINT ollama serve\n"},
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


def test_the_words_are_written_apart_for_whoever_wrote_one(tmp_path: Path) -> None:
    (said,) = messages(tmp_path, service('entrypoint: ["ollama serve"]'), "HW687")
    assert '["ollama", "serve"]' in said
