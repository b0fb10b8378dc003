"""Values of app-template: its controllers are judged as the workloads that they become."""

from pathlib import Path

import pytest

from tests.check.told import lines, report

HEAD = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: llm}
spec:
  values:
    controllers:
      llm:
        containers:
          app:
            image: {repository: docker.io/ollama/ollama, tag: 0.32.15}
"""
KEPT = "    persistence: {models: {existingClaim: models, globalMounts: [{path: /root/.ollama}]}}\n"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("            env: {OLLAMA_ORIGINS: '*'}\n", ["11 HW403 warning"]),
        ("            env: {OLLAMA_NUM_PARALLEL: 2}\n", []),
        ("            env: [{name: OLLAMA_NUM_THREADS, value: 8}]\n", ["11 HW101 warning"]),
        ("            env: {OLLAMA_NUM_THREADS: {value: 8}}\n", ["11 HW101 warning"]),
        ("            resources: {limits: {memory: 6Gi}}\n", ["11 HW211 warning"]),
        ("            securityContext: {privileged: true}\n", ["11 HW404 warning"]),
        (
            "            probes: {liveness: {custom: true, spec: {httpGet: {path: /healthz}}}}\n",
            ["11 HW509 warning"],
        ),
    ],
)
def test_what_a_container_says(more: str, told: list[str], tmp_path: Path) -> None:
    assert lines(tmp_path, "release.yaml", HEAD + more + KEPT) == told


def test_models_without_a_claim_go_with_the_pod(tmp_path: Path) -> None:
    empty = KEPT.replace("existingClaim: models", "type: emptyDir")
    assert lines(tmp_path, "release.yaml", HEAD + empty) == ["11 HW518 warning"]


@pytest.mark.parametrize(("kind", "told"), [("LoadBalancer", 1), ("ClusterIP", 0)])
def test_a_service_of_the_chart(kind: str, told: int, tmp_path: Path) -> None:
    service = f"    service: {{llm: {{type: {kind}, ports: {{http: {{port: 11434}}}}}}}}\n"
    found = lines(tmp_path, "release.yaml", HEAD + KEPT + service)
    assert len(found) == told
    assert all("HW402" in line for line in found)


def test_another_server_is_none_of_ours(tmp_path: Path) -> None:
    text = HEAD.replace("docker.io/ollama/ollama", "nginx") + "# before ollama/ollama\n"
    assert report(tmp_path, {"release.yaml": text}).judged == ()
