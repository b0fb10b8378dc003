"""What KServe takes, and makes: the schema of its kind, and the command of its default template.

The schema is that of the CRD, closed, and that of Kubernetes for the pod in it. The last lines of
the template's script stand here as they are in config/llmisvcconfig/config-llm-template.yaml of
v0.20.0 (Apache-2.0), without the access log; Go's templates are filled in before, as
`ReplaceVariables` of pkg/controller/v1alpha2/llmisvc/config_merge.go does, of which the raw string
is known here and nothing else.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from tests.consumers.effective import ConsumerError

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "serving.kserve.io/v1alpha2"
SCHEMA = Path(__file__).with_name("llminferenceservice.json")
SCRIPT = """\
eval "exec vllm serve /mnt/models \\
  --served-model-name "{name}" "publishers/{namespace}/models/{name}" \\
  --port 8000 \\
  --shutdown-timeout {seconds} \\
  {parallel} \\
  ${VLLM_ADDITIONAL_ARGS} \\
  $@"
"""
_ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_RAW = re.compile(r"`([^`]*)`")


@functools.cache
def _validator() -> Any:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def faults(found: dict[str, Any]) -> Iterator[str]:
    """Yield what the schema of the CRD has against an object."""
    for error in _validator().iter_errors(found):
        yield f"LLMInferenceService {error.json_path}: {error.message}"


def pod(found: dict[str, Any]) -> dict[str, Any]:
    """Return the pod that it lays over the template, for the schema of Kubernetes."""
    template = found["spec"]["template"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": template}


def server(found: dict[str, Any]) -> dict[str, Any]:
    """Return the container of the server, after Go's templates."""
    filled = json.loads(_filled(json.dumps(found["spec"]["template"])))
    (box,) = (one for one in filled["containers"] if one["name"] == "main")
    return dict(box)


def _filled(text: str) -> str:
    def value(found: re.Match[str]) -> str:
        raw = _RAW.fullmatch(found[1].strip())
        if raw is None:
            raise ConsumerError(f"no action of a template: {found[0]}")
        return raw[1]

    return _ACTION.sub(value, text)


def told(found: dict[str, Any], arguments: list[str], folder: Path) -> list[str]:
    """Return the words that `vllm` gets, of the `arguments` of the container and the template."""
    bin_ = folder / "bin"
    bin_.mkdir(parents=True, exist_ok=True)
    (bin_ / "vllm").write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    (bin_ / "vllm").chmod(0o755)
    spec = found["spec"]
    tensor = spec.get("parallelism", {}).get("tensor")
    parts = {
        "{name}": spec["model"]["name"],
        "{namespace}": found["metadata"].get("namespace", "default"),
        # shutdownTimeout of the same file: without the pause before, and 5 seconds.
        "{seconds}": str(spec["template"]["terminationGracePeriodSeconds"] - 15 - 5),
        "{parallel}": f"--tensor-parallel-size {tensor}" if tensor else "",
    }
    script = SCRIPT
    for place, value in parts.items():
        script = script.replace(place, value)
    done = subprocess.run(
        ["/bin/bash", "-c", script, "--", *arguments],
        env={"PATH": f"{bin_}:/usr/bin:/bin"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode().split("\0")[:-1]
