"""HW692: a download in the time of a start."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, sides, told

WAIT = "until ollama list; do sleep 1; done; "


def unit(after: str, *more: str, name: str = "ollama.service") -> Text:
    lines = ("[Service]", "ExecStart=/usr/local/bin/ollama serve", f"ExecStartPost={after}", *more)
    return {name: "\n".join((*lines, ""))}


def quadlet(after: str, *more: str) -> Text:
    box = "[Container]\nImage=docker.io/ollama/ollama:0.32.15\nVolume=ollama:/root/.ollama\n"
    return {"ollama.container": "\n".join((f"{box}[Service]", f"ExecStartPost={after}", *more, ""))}


# rule: (caught, left alone)
CASES: Cases = {
    "HW692": (
        (
            unit(f"/bin/sh -c '{WAIT}ollama pull qwen3:8b'"),
            unit(f"-/bin/sh -c '{WAIT}ollama pull my/own-model'"),
            unit(f"/bin/sh -c '{WAIT}ollama pull llama3.1'", "Type=exec", "Restart=always"),
            quadlet("/usr/bin/podman exec ollama ollama pull qwen3:8b"),
            quadlet(
                """-/usr/bin/curl http://localhost:11434/api/pull -d '{"model": "qwen3:8b"}'"""
            ),
        ),
        (
            unit(f"/bin/sh -c '{WAIT}ollama pull qwen3:8b'", "TimeoutStartSec=infinity"),
            unit(f"/bin/sh -c '{WAIT}ollama pull qwen3:8b'", "TimeoutSec=3600"),
            unit(f"/bin/sh -c '{WAIT}ollama pull qwen3:8b &'"),
            unit(f"/bin/sh -c '{WAIT}ollama pull nomic-embed-text'"),
            unit("/usr/bin/systemctl start --no-block ollama-pull.service"),
            unit(f"/bin/sh -c '{WAIT}ollama run qwen3:8b'"),
            quadlet("/usr/bin/podman exec -d ollama ollama pull qwen3:8b"),
            quadlet("/usr/bin/podman exec ollama ollama pull qwen3:8b", "TimeoutStartSec=900"),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught
