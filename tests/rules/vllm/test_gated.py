"""HW686: models that the hub does not give to everybody."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, messages, sides

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
CACHE = "hf:/root/.cache/huggingface"


def project(model: str = LLAMA, more: str = "", volume: str = CACHE) -> Text:
    text = (
        "services:\n  chat:\n    image: vllm/vllm-openai:v0.33.0\n    restart: always\n"
        f"    ipc: host\n    gpus: all\n    command: [--model, {model}]\n"
        f"    volumes: ['{volume}']\n{more}volumes: {{hf: {{}}}}\n"
    )
    return {"compose.yaml": text}


def run(*words: str) -> Text:
    told = " ".join(words)
    start = f"docker run -d --gpus all --ipc host --restart always -v {CACHE} {told}"
    return {"run.sh": f"#!/bin/sh\n{start} vllm/vllm-openai:v0.33.0 --model google/gemma-2-9b-it\n"}


# rule: (caught, left alone)
CASES: Cases = {"HW686": ((project(), run()), (project("Qwen/Qwen3-8B"), run("-e HF_TOKEN")))}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert bool(messages(tmp_path, files, rule)) is caught


@pytest.mark.parametrize(
    "files",
    [
        project(),
        project("google/gemma-3-27b-it"),
        project("mistralai/Codestral-22B-v0.1"),
        project(more="    environment: [TZ=UTC]\n"),
        run(),
    ],
)
def test_a_model_that_wants_a_token_gets_none(files: Text, tmp_path: Path) -> None:
    (message,) = messages(tmp_path, files, "HW686")
    assert "to nobody without a token, and the server has none" in message


@pytest.mark.parametrize(
    "name", ["HUGGING_FACE_TOKEN", "HUGGINGFACE_TOKEN", "HF_API_TOKEN", "HUGGINGFACEHUB_API_TOKEN"]
)
def test_a_token_under_another_name_is_none(name: str, tmp_path: Path) -> None:
    files = project(more=f"    environment: ['{name}=${{HF_TOKEN}}']\n")
    (message,) = messages(tmp_path, files, "HW686")
    assert message.startswith(f"the server does not read `{name}`")


@pytest.mark.parametrize(
    "files",
    [
        project("Qwen/Qwen3-8B"),
        project("google/gemma-4-31b-it"),
        project("mistralai/Mistral-Small-3.2-24B-Instruct-2506"),
        project("RedHatAI/Llama-3.1-8B-Instruct-FP8"),
        project("/models/meta-llama/Llama-3.1-8B-Instruct"),
        project(more="    environment: ['HF_TOKEN=${HF_TOKEN}']\n"),
        project(more="    environment: [HF_TOKEN]\n"),
        project(more="    environment: ['HUGGING_FACE_HUB_TOKEN=${HF_TOKEN}']\n"),
        project(more="    environment: [HF_TOKEN_PATH=/run/token]\n"),
        project(more="    environment: ['HF_ENDPOINT=https://hub.example.org']\n"),
        project(more="    env_file: hf.env\n"),
        project(volume="~/.cache/huggingface:/root/.cache/huggingface"),
        run("-e HF_TOKEN"),
        run("--env-file hf.env"),
    ],
)
def test_others_and_what_may_have_a_token_are_left_alone(files: Text, tmp_path: Path) -> None:
    assert messages(tmp_path, files, "HW686") == []
