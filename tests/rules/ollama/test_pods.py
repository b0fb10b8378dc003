"""Pods, and what leads to them from outside: rules in whole manifests."""

from pathlib import Path

import pytest

from tests.check.told import of, report

POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: llm}}
spec:
  template:
    metadata: {{labels: {{app: llm}}}}
    spec:
      {pod}
      volumes: [{{name: m, persistentVolumeClaim: {{claimName: m}}}}]
      containers:
        - name: llm
          image: ollama/ollama:0.32.15
          ports: [{{containerPort: 11434}}]
          volumeMounts: [{{name: m, mountPath: /root/.ollama}}]
          {box}
"""
DRI = "volumes: [{name: dri, hostPath: {path: /dev/dri}}, "
MOUNT = "volumeMounts: [{name: dri, mountPath: /dev/dri}, "
PULLED = """\
initContainers:
        - name: pull
          image: ollama/ollama:0.32.15
          command:
            - sh
            - -c
            - ollama serve & ollama pull qwen3:8b; %s"""
GPU_NODE = 'nodeSelector: {nvidia.com/gpu.present: "true"}'
ONE_GPU = "resources: {limits: {nvidia.com/gpu: 1}}"
NOT_ROOT = "securityContext: {runAsNonRoot: true}"
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: llm}
spec: {selector: {app: llm}, ports: [{port: 80, targetPort: 11434}]}
---
"""
CLAIM = """\
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: m}
spec: {resources: {requests: {storage: 20Gi}}}
"""


def pod(spec: str = "restartPolicy: Always", box: str = "stdin: false") -> str:
    return POD.format(pod=spec, box=box)


CASES: dict[str, tuple[str, str]] = {
    "HW216": (
        pod(box="resources: {limits: {memory: 512Mi}}"),
        pod(box="resources: {limits: {memory: 8Gi}, requests: {memory: 512Mi, cpu: 500m}}"),
    ),
    "HW319": (
        pod(box="resources: {requests: {nvidia.com/gpu: 1}}"),
        pod(box="resources: {requests: {nvidia.com/gpu: 1}, limits: {nvidia.com/gpu: 1}}"),
    ),
    "HW320": (pod(GPU_NODE), pod(GPU_NODE, ONE_GPU)),
    "HW634": (
        pod().replace("volumes: [", DRI).replace("volumeMounts: [", MOUNT),
        pod(box="securityContext: {privileged: true}")
        .replace("volumes: [", DRI)
        .replace("volumeMounts: [", MOUNT),
    ),
    "HW635": (
        pod().replace("containers:", PULLED % "echo done\n      containers:"),
        pod().replace("containers:", PULLED % "ollama list | grep q\n      containers:"),
    ),
    "HW636": (
        pod() + SERVICE,
        pod(box="livenessProbe: {tcpSocket: {port: 11434}}") + SERVICE,
    ),
    "HW613": (
        pod("securityContext: {runAsNonRoot: true}"),
        pod("securityContext: {runAsNonRoot: true, runAsUser: 1000}"),
    ),
}  # fmt: skip


def pulling(script: str, shell: str = "-c") -> str:
    return f"""\
apiVersion: batch/v1
kind: Job
metadata: {{name: pull}}
spec:
  template:
    spec:
      restartPolicy: OnFailure
      containers:
        - name: pull
          image: ollama/ollama:0.32.15
          command: [sh, {shell}]
          args:
            - |
              ollama list
              {script}
"""


BY_CURL = "curl -X POST http://ollama:11434/api/pull -d "


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("ollama pull qwen3:8b; echo done", 1),
        ("ollama pull qwen3:8b && ollama pull llama3.1:8b; kill $PID", 1),
        ("for m in a b; do ollama pull $m; done; exit 0", 1),
        ("ollama pull qwen3:8b || true", 1),
        (f'{BY_CURL}\'{{"model": "qwen3:8b"}}\'', 1),
        (f'{BY_CURL}\'{{"model": "qwen3:8b", "stream": false}}\'', 1),
        ("ollama pull qwen3:8b", 0),
        ("ollama pull qwen3:8b && kill $PID", 0),
        ("ollama pull qwen3:8b || exit 1; kill $PID", 0),
        ("ollama pull qwen3:8b || { echo no; exit 1; }", 0),
        ("until ollama pull qwen3:8b; do sleep 5; done; kill $PID", 0),
        ("ollama pull qwen3:8b && break || sleep 5; done", 0),
        ("ollama pull qwen3:8b; ollama list | grep qwen3", 0),
        ("ollama pull qwen3:8b; ollama run qwen3:8b hi", 0),
        ("set -e; ollama pull qwen3:8b; kill $PID", 0),
        (f'{BY_CURL}\'{{"model": "qwen3:8b", "stream": false}}\' --fail', 0),
        (f'{BY_CURL}\'{{"model": "qwen3:8b"}}\' | grep success', 0),
        ('ollama pull "qwen3:8b; echo done', 0),
    ],
)
def test_a_pull_whose_failure_nobody_sees(script: str, told: int, tmp_path: Path) -> None:
    assert len(of(pulling(script), "HW635", tmp_path)) == told


def test_a_shell_that_ends_at_a_failure(tmp_path: Path) -> None:
    text = pulling("ollama pull qwen3:8b; echo done", "-ec")
    assert of(text, "HW635", tmp_path) == []


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str, tmp_path: Path) -> None:
    caught, left = CASES[rule]
    assert len(of(caught, rule, tmp_path)) == 1
    assert of(left, rule, tmp_path) == []


@pytest.mark.parametrize(
    ("spec", "box", "rule", "told"),
    [
        ("tolerations: [{key: nvidia.com/gpu, operator: Exists}]", "", "HW320", 1),
        (NOT_ROOT, "securityContext: {runAsUser: 0}", "HW613", 1),
        (f"runtimeClassName: nvidia\n      {GPU_NODE}", "", "HW320", 0),
        (GPU_NODE, "securityContext: {privileged: true}", "HW320", 0),
        (NOT_ROOT, "securityContext: {runAsNonRoot: false}", "HW613", 0),
        ("hostIPC: false", "resources: {requests: {memory: 512Mi}}", "HW216", 0),
    ],
)
def test_other_words_for_it(spec: str, box: str, rule: str, told: int, tmp_path: Path) -> None:
    assert len(of(pod(spec, box or "stdin: false"), rule, tmp_path)) == told


ROUTES = {
    "of a gateway": (
        (
            "kind: HTTPRoute\nspec:\n  hostnames: [llm.example.org]\n  %s\n"
            "  rules: [{backendRefs: [{name: llm, port: 80}]}]\n"
        ),
        "parentRefs: [{name: public}]",
        "parentRefs: [{name: internal}]",
    ),
    "of Traefik": (
        (
            "kind: IngressRoute\nspec:\n  routes:\n    - match: Host(`llm.example.org`)\n"
            "      services: [{name: llm, port: 80}]\n      %s\n"
        ),
        "kind: Rule",
        "middlewares: [{name: login}]",
    ),
}


@pytest.mark.parametrize("kind", ROUTES)
def test_what_leads_to_the_api_from_outside(kind: str, tmp_path: Path) -> None:
    text, caught, left = ROUTES[kind]
    head = f"{pod()}{SERVICE}apiVersion: x/v1\nmetadata: {{name: llm}}\n"
    assert len(of(head + text % caught, "HW661", tmp_path)) == 1
    assert of(head + text % left, "HW661", tmp_path) == []


def test_models_that_a_job_asks_the_api_for(tmp_path: Path) -> None:
    job = """\
---
apiVersion: batch/v1
kind: Job
metadata: {name: pull}
spec:
  template:
    spec:
      containers:
        - name: pull
          image: curlimages/curl:8.9.1
          command: [sh, -c]
          args: ["curl http://llm/api/pull -d '{\\"model\\": \\"llama3.1:70b\\"}'"]
"""
    assert len(of(pod() + CLAIM + job, "HW527", tmp_path)) == 1
    assert of(pod() + CLAIM + job.replace("70b", "8b"), "HW527", tmp_path) == []


RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: ollama}
spec:
  chart: {spec: {chart: ollama}}
  valuesFrom: [{kind: %s, name: told}]
"""
VALUES = "ollama: {gpu: {enabled: true}}\nextraEnv: [{name: OLLAMA_KEEP_ALIVE, value: 2d}]\n"


MAP = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: told}
data:
  values.yaml: |
    ollama: {gpu: {enabled: true}}
    extraEnv: [{name: OLLAMA_KEEP_ALIVE, value: 2d}]
"""
GENERATED = """\
configMapGenerator: [{name: told, files: [values.yaml=v.yaml]}]
resources: [llm.yaml]
"""


def test_values_of_a_release_are_those_of_its_config_map(tmp_path: Path) -> None:
    assert of(RELEASE % "ConfigMap" + MAP, "HW109", tmp_path) == ["14 HW109 warning"]
    files = {"llm.yaml": RELEASE % "ConfigMap", "v.yaml": VALUES, "kustomization.yaml": GENERATED}
    (found,) = report(tmp_path / "other", files).findings
    assert (Path(found.place.file).name, found.finding.rule) == ("v.yaml", "HW109")


@pytest.mark.parametrize(
    ("kind", "why"), [("ConfigMap", "is in none"), ("Secret", "tells nothing")]
)
def test_values_that_are_elsewhere_are_named(kind: str, why: str, tmp_path: Path) -> None:
    (gap,) = report(tmp_path, {"llm.yaml": RELEASE % kind}).not_judged
    assert f"the {kind} `told`, which {why}" in gap.reason
