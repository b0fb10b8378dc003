"""HW690, HW691 and HW694: what is asked of a server in vain."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, sides, told

INSTALL = "curl -fsSL https://ollama.com/install.sh | sh\n"


PROGRAM = """
import requests
requests.post(
    "http://localhost:11434/api/create",
    json={"name": name, "modelfile": text, "stream": False},
)
"""


def script(*lines: str) -> Text:
    return {"setup.sh": "#!/bin/sh\n" + INSTALL + "".join(f"{line}\n" for line in lines)}


def task(module: str, value: str, **variables: str) -> Text:
    given = "".join(f"        {name}: {text}\n" for name, text in variables.items())
    return {
        "play.yml": "- hosts: all\n  tasks:\n"
        f"    - shell: {INSTALL.strip()}\n"
        f"    - {module}: {value}\n      environment:\n{given}"
    }


def made(body: str) -> Text:
    return script("curl http://localhost:11434/api/create -d '" + body + "'")


# rule: (caught, left alone)
CASES: Cases = {
    "HW690": (
        (
            script("OLLAMA_MODELS=/data/models ollama pull qwen3:8b"),
            script('sudo -u ollama OLLAMA_KEEP_ALIVE="24h" ollama run qwen3:8b hi'),
            script("env OLLAMA_HOST=10.0.0.5 OLLAMA_NUM_PARALLEL=4 /usr/bin/ollama run qwen3:8b"),
            script("HTTPS_PROXY=http://proxy:3128 ollama pull qwen3:8b"),
            script("CUDA_VISIBLE_DEVICES=0 ollama run qwen3:8b"),
            script("sudo -u ollama \\", "  OLLAMA_MODELS=/data \\", "  ollama pull qwen3:8b"),
            script("docker exec -e OLLAMA_KEEP_ALIVE=24h ollama ollama run qwen3:8b hi"),
            task("ansible.builtin.command", "ollama pull qwen3:8b", OLLAMA_MODELS="/data/models"),
            task("shell", "ollama pull qwen3:8b", OLLAMA_KEEP_ALIVE="24h"),
        ),
        (
            script("OLLAMA_HOST=10.0.0.5:11434 ollama pull qwen3:8b"),
            script("OLLAMA_MODELS=/data/models ollama serve &", "ollama pull qwen3:8b"),
            script("export OLLAMA_MODELS=/data/models", "ollama pull qwen3:8b"),
            script("OLLAMA_NOHISTORY=1 ollama run qwen3:8b"),
            script("MODEL=qwen3:8b ollama pull qwen3:8b"),
            script("HTTPS_PROXY=http://proxy:3128 curl https://ollama.com; ollama pull qwen3:8b"),
            script('echo "OLLAMA_MODELS=/data/models ollama pull qwen3:8b"'),
            script("OLLAMA_MODELS=/data \\", "  ollama serve &", "ollama pull qwen3:8b"),
            script("# OLLAMA_MODELS=/data/models ollama pull qwen3:8b"),
            script("docker exec ollama ollama run qwen3:8b --keepalive=24h"),
            task("command", "ollama pull qwen3:8b", OLLAMA_HOST="10.0.0.5", HOME="/root"),
            task("shell", "ollama serve & ollama pull qwen3:8b", OLLAMA_MODELS="/data/models"),
        ),
    ),
    "HW691": (
        (
            made('{"name": "m", "modelfile": "FROM qwen3:8b\\nSYSTEM hi", "stream": false}'),
            made('{"model": "m", "modelfile": "FROM qwen3:8b"}'),
            made('{"model": "m", "from": "qwen3:8b", "modelfile": "SYSTEM hi"}'),
            {"make.py": PROGRAM},
        ),
        (
            made('{"model": "m", "from": "qwen3:8b", "system": "hi"}'),
            made('{"model": "modelfile", "from": "qwen3:8b"}'),
            script("ollama create m -f Modelfile"),
            script('curl http://localhost:11434/api/show -d \'{"model": "m", "modelfile": 1}\''),
        ),
    ),
    "HW694": (
        (
            script('ollama list | grep -q "${MODEL%%:*}" || ollama pull "$MODEL"'),
            script(
                'if ! docker exec llm ollama list 2>/dev/null | grep -q "^${MODEL%:*}"; then',
                "  echo missing",
                '  docker exec llm ollama pull "${MODEL}"',
                "fi",
            ),
            script(
                'if ollama list | grep -qi "$(echo "$MODEL" | cut -d: -f1)"; then',
                "  echo there",
                "else",
                '  ollama pull "$MODEL"',
                "fi",
            ),
            script(
                "there() { ollama ls | awk 'NR>1{print $1}' | grep -q \"^${1%%:*}\"; }",
                "for one in qwen3:8b bge-m3; do",
                '  there "$one" || ollama pull "$one"',
                "done",
            ),
            script(
                "base=${MODEL%%:*}",
                'ollama list | grep -q "$base" || {',
                '  ollama pull "$MODEL"',
                "}",
            ),
        ),
        (
            script('ollama list | grep -q "$MODEL" || ollama pull "$MODEL"'),
            script('ollama list | grep -q "${MODEL%%:*}" || echo "run: ollama pull $MODEL"'),
            script('ollama list | grep -q "${MODEL%%:*}:latest" || ollama pull "$MODEL"'),
            script('ollama list | grep -q "${MODEL%%:*}.*${MODEL##*:}" || ollama pull "$MODEL"'),
            script('ollama pull "$MODEL"', 'ollama list | grep -q "${MODEL%%:*}" || exit 1'),
            script('ollama list | grep -q "${MODEL%%:*}" && ollama rm "$MODEL"'),
            script('# ollama list | grep -q "${MODEL%%:*}" || ollama pull "$MODEL"'),
            script('while ! ollama list | grep -q "${MODEL%%:*}"; do sleep 9; done'),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught
