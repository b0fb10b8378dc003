"""HW693: pulls whose failure ends the server beside them."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, pod, service, sides, told

_CHAIN = "ollama serve & sleep 9 && ollama pull qwen3:8b && "
_SERVES_ON_ONE = "ollama serve & until ollama list; do sleep 1; done; "
_SERVES = "ollama serve &\nuntil ollama list; do sleep 1; done\n"


def begins(script: str) -> Text:
    """Return an image that begins with a script."""
    return {
        "Dockerfile": 'FROM ollama/ollama:0.32.15\nCOPY run.sh /run.sh\nENTRYPOINT ["/run.sh"]\n',
        "run.sh": script,
    }


def hook(command: str) -> Text:
    return pod(f'lifecycle: {{postStart: {{exec: {{command: [sh, -c, "{command}"]}}}}}}')


_WAITS = "until ollama list; do sleep 1; done; "
CASES: Cases = {
    "HW693": (
        (
            begins(f"#!/bin/sh\nset -eu\n{_SERVES}ollama pull qwen3:8b\nwait\n"),
            begins(f'#!/bin/sh -e\n{_SERVES}ollama pull "$MODEL"\nwait $!\n'),
            begins(
                f"#!/bin/bash\nset -e\n{_SERVES}for m in $MODELS; do\n  ollama pull $m\n"
                "done\nwait\n"
            ),
            service(f'entrypoint: ["/bin/sh", "-c", "{_CHAIN}wait"]'),
            service(f'entrypoint: ["/bin/sh", "-c", "{_CHAIN}ollama pull b && tail -f /dev/null"]'),
            service(f'entrypoint: [sh, -c, "set -e; {_SERVES_ON_ONE}ollama pull qwen3:8b; wait"]'),
            service(f'entrypoint: [sh, -ec, "{_SERVES_ON_ONE}ollama pull qwen3:8b; wait"]'),
            service(f'entrypoint: [sh, -c, "{_SERVES_ON_ONE}ollama pull a || exit 1; wait"]'),
            hook(f"{_WAITS}ollama pull qwen3:8b"),
            begins(f"{_SERVES}if ! ollama pull a; then\n  echo no\n  exit 1\nfi\nwait\n"),
            {"entrypoint.sh": f"#!/bin/sh\nset -e\n{_SERVES}ollama pull a\nwait\n"},
        ),
        (
            begins(f"#!/bin/sh\n{_SERVES}ollama pull qwen3:8b\nwait\n"),
            begins(f"#!/bin/sh\nset -e\n{_SERVES}ollama pull qwen3:8b || true\nwait\n"),
            begins(f"#!/bin/sh\nset -e\n{_SERVES}if ! ollama pull a; then echo no; fi\nwait\n"),
            begins(f"#!/bin/sh\nset -e\n{_SERVES}ollama pull qwen3:8b &\nwait\n"),
            begins(
                f"#!/bin/sh\nset -e\n{_SERVES}if ! ollama show a; then\n  ollama pull a\nfi\nwait\n"
            ),
            begins(f"#!/bin/sh\nset -e\n{_SERVES}set +e\nollama pull a\nset -e\nwait\n"),
            begins(f"#!/bin/sh\nset -e\n{_SERVES}ollama pull a\nkill $!\n"),
            service(f'entrypoint: ["/bin/sh", "-c", "{_CHAIN}echo done; wait"]'),
            service(
                'entrypoint: ["/bin/sh", "-c", "ollama serve & sleep 9; (ollama pull a || true)'
                ' && wait"]'
            ),
            service(
                f'entrypoint: [sh, -ec, "{_SERVES_ON_ONE}(ollama pull a; ollama pull b) & wait"]'
            ),
            service(
                f'entrypoint: [sh, -ec, "{_SERVES_ON_ONE}ollama show a || ollama pull a; wait"]'
            ),
            begins(f"{_SERVES}if ! ollama pull a; then\n  echo no\nelse\n  exit 1\nfi\nwait\n"),
            {"entrypoint.sh": f"#!/bin/sh\n{_SERVES}ollama pull a\nwait\n"},
            hook(f"{_WAITS}ollama pull qwen3:8b || true"),
            hook(f"{_WAITS}ollama pull qwen3:8b; true"),
            hook(f"{_WAITS}ollama pull qwen3:8b &"),
        ),
    ),
}


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught
