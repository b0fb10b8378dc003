"""HW667, HW668 and HW669: servers of vLLM in a cluster, which load for minutes."""

from pathlib import Path

import pytest

from tests.check.told import of, report

CARD = "resources: {limits: {nvidia.com/gpu: 1}}"
CACHE = "volumeMounts: [{name: m, mountPath: /root/.cache/huggingface}]"
HEALTH = "httpGet: {path: /health, port: 8000}"
READY = f"readinessProbe: {{{HEALTH}}}"


def pod(*parts: str, args: str = "[--model, org/name-7b]", card: str = CARD) -> str:
    box = "\n          ".join(part for part in (card, *parts) if part)
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: llm}}
spec:
  template:
    metadata: {{labels: {{app: llm}}}}
    spec:
      volumes: [{{name: m, persistentVolumeClaim: {{claimName: m}}}}]
      containers:
        - name: llm
          image: vllm/vllm-openai:v0.33.0
          args: {args}
          {box}
---
apiVersion: v1
kind: Service
metadata: {{name: llm}}
spec: {{selector: {{app: llm}}, ports: [{{port: 8000}}]}}
"""


def alive(seconds: int, more: str = "") -> str:
    return f"livenessProbe: {{initialDelaySeconds: {seconds}, {HEALTH}}}{more}"


CASES: dict[str, tuple[str, str]] = {
    "HW667": (pod(), pod(CACHE)),
    "HW668": (pod(alive(60)), pod(alive(600))),
    "HW669": (pod(alive(600)), pod(READY)),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str, tmp_path: Path) -> None:
    caught, left = CASES[rule]
    assert len(of(caught, rule, tmp_path)) == 1
    assert of(left, rule, tmp_path) == []


@pytest.mark.parametrize(
    ("text", "rule", "told"),
    [
        (pod(args="[/models/name]"), "HW667", 0),  # It is there …
        (pod(args="[org/name, --download-dir, /x]"), "HW667", 0),  # … or kept elsewhere.
        (pod("env: [{name: HF_HOME, value: /x/hub}]", args="[org/name]"), "HW667", 1),
        (
            pod(
                "env: [{name: HF_HOME, value: /x/hub}]",
                "volumeMounts: [{name: m, mountPath: /x}]",
                args="[org/name]",
            ),
            "HW667",
            0,
        ),
        (pod(alive(120), args="[org/name-0.5b]"), "HW668", 0),
        (pod(alive(60), f"startupProbe: {{failureThreshold: 90, {HEALTH}}}"), "HW668", 0),
        (pod(card=""), "HW679", 1),
        (pod(card="resources: {limits: {google.com/tpu: 4}}"), "HW679", 0),
        (pod().replace("port: 8000}", "port: 8000}], type: NodePort, x: [{}"), "HW676", 1),
    ],
)
def test_other_words_for_it(text: str, rule: str, told: int, tmp_path: Path) -> None:
    assert len(of(text, rule, tmp_path)) == told


def test_the_volume_is_to_be_where_the_weights_are(tmp_path: Path) -> None:
    text = pod("env: [{name: HF_HOME, value: /x/hub}]")
    told = [p.finding for p in report(tmp_path, {"llm.yaml": text}).findings]
    assert [f.fix for f in told if f.rule == "HW667"] == ["mount a volume at /x/hub"]
