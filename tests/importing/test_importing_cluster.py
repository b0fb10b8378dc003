"""What a cluster, a module or the long form of a volume says is named at its own line."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from tests.importing.texts import idle, lost, of

if TYPE_CHECKING:
    from pathlib import Path

    from generator.importing.importing import Imported

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: { name: ollama }
spec:
  replicas: 2
  template:
    spec:
      tolerations: [{ key: nvidia.com/gpu, operator: Exists }]
      containers:
        - name: proxy
          image: nginx
        - name: ollama
          image: ollama/ollama:0.32.15
          env: [{ name: OLLAMA_KEEP_ALIVE, value: 1h }]
          resources:
            limits:
              nvidia.com/gpu: 1
          readinessProbe: { httpGet: { path: /, port: 11434 } }
"""
VALUES = """\
replicaCount: 2
ollama:
  gpu:
    enabled: true
    type: nvidia
    number: 2
    nvidiaResource: nvidia.com/mig-1g.10gb
  insecure: true
nodeSelector:
  kubernetes.io/arch: amd64
persistentVolume:
  enabled: true
  size: 100Gi
ingress:
  enabled: false
service:
  type: NodePort
extraEnv:
  - name: OLLAMA_KEEP_ALIVE
    value: 1h
"""
STATEFUL_SET = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: ollama, namespace: ai }
spec:
  replicas: 3
  template:
    spec:
      runtimeClassName: nvidia
      nodeSelector:
        kubernetes.io/arch: amd64
      containers:
        - name: ollama
          image: ollama/ollama:0.32.15
  volumeClaimTemplates:
    - metadata: { name: models }
      spec:
        storageClassName: fast
        resources:
          requests:
            storage: 50Gi
"""
RUN = """\
docker run --detach \\
  --name ollama \\
  --restart always \\
  --publish 127.0.0.1:11434:11434 \\
  --volume ollama:/root/.ollama \\
  --env OLLAMA_NUM_PARALLEL=4 \\
  --health-cmd 'ollama list' \\
  ollama/ollama:0.32.15
"""
MODULE = """\
{
  services.ollama = {
    enable = true;
    acceleration = "cuda";
  };
}
"""
COMPOSE = """\
services:
  ollama:
    image: ollama/ollama:0.32.15
    volumes:
      - type: tmpfs
        target: /scratch
        tmpfs:
          size: 1000000
    ulimits:
      memlock:
        soft: -1
        hard: -1
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: all
              capabilities: [gpu]
"""


def lines(found: Imported) -> dict[str, int]:
    return {one.key: one.place.line for one in found.carried}


def test_each_key_of_a_manifest_is_named(tmp_path: Path) -> None:
    found = of(tmp_path, {"ollama.yaml": DEPLOYMENT})
    told = {one.name: (one.value, one.place.line) for one in found.left}
    assert told == {
        "template.spec.tolerations": ("", 8),
        "containers.readinessProbe": ("", 18),
    }
    assert lines(found)["ollama.acceleration"] == 17
    assert lines(found)["k8s.replicas"] == 5
    assert found.target == "k8s"


def test_what_a_manifest_says_of_pods_is_in_the_profile(tmp_path: Path) -> None:
    found = of(tmp_path, {"ollama.yaml": STATEFUL_SET})
    told = {one.key: one.value for one in found.carried if one.key.startswith("k8s.")}
    assert told == {
        "k8s.namespace": "ai",
        "k8s.runtime_class": "nvidia",
        "k8s.node_selector": {"kubernetes.io/arch": "amd64"},
        "k8s.replicas": 3,
        "k8s.storage": "50Gi",
        "k8s.storage_class": "fast",
    }
    assert not found.left
    assert tomllib.loads(found.text)["k8s"]["node_selector"] == {"kubernetes.io/arch": "amd64"}


def test_each_key_of_the_values_of_a_chart_is_named(tmp_path: Path) -> None:
    found = of(tmp_path, {"values.yaml": VALUES})
    assert lost(found).keys() == {"service", "ollama.insecure", "ollama.gpu.number"}
    assert set(idle(found)) == {"ingress"}
    assert lines(found)["ollama.acceleration"] == 4
    assert found.target == "helm"
    assert not found.added


def test_what_the_values_of_a_chart_say_of_pods_is_in_the_profile(tmp_path: Path) -> None:
    found = of(tmp_path, {"values.yaml": VALUES})
    assert tomllib.loads(found.text)["k8s"] == {
        "replicas": 2,
        "storage": "100Gi",
        "gpu_resource": "nvidia.com/mig-1g.10gb",
        "node_selector": {"kubernetes.io/arch": "amd64"},
    }


def test_credentials_are_in_the_profile(tmp_path: Path) -> None:
    unit = "[Service]\nExecStart=/usr/bin/ollama serve\nLoadCredential=id_ed25519:/etc/key\n"
    found = of(tmp_path, {"ollama.service": unit})
    assert tomllib.loads(found.text)["service"]["credentials"] == {
        "id_ed25519": {"path": "/etc/key"}
    }


def test_labels_of_a_service_are_named(tmp_path: Path) -> None:
    text = "services:\n  ollama:\n    image: ollama/ollama:0.32.15\n    labels: { team: ml }\n"
    (left,) = of(tmp_path, {"compose.yaml": text}).lost
    assert (left.name, left.value, left.place.line) == ("labels", "team=ml", 4)


def test_a_command_that_gen_wrote_is_one_service(tmp_path: Path) -> None:
    found = of(tmp_path, {"run.sh": RUN})
    assert {one.key: one.value for one in found.carried}["ollama.num_parallel"] == 4


def test_what_computes_has_the_line_that_says_so(tmp_path: Path) -> None:
    found = of(tmp_path, {"ollama.nix": MODULE})
    assert lines(found)["ollama.acceleration"] == 4


def test_the_long_forms_of_compose(tmp_path: Path) -> None:
    found = of(tmp_path, {"compose.yaml": COMPOSE})
    assert lost(found).keys() == {"volumes"}
    (left,) = found.lost
    assert (left.value, left.place.line) == ("tmpfs:/scratch", 6)
    assert lines(found)["ollama.acceleration"] == 16
    assert lines(found)["resources.limit_memlock"] in {10, 11}
