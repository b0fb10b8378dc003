"""What a cluster, a module or the long form of a volume says is named at its own line."""

from __future__ import annotations

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
ingress:
  enabled: false
extraEnv:
  - name: OLLAMA_KEEP_ALIVE
    value: 1h
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
        "spec.replicas": ("2", 5),
        "template.spec.tolerations": ("", 8),
        "containers.readinessProbe": ("", 18),
    }
    assert lines(found)["ollama.acceleration"] == 17


def test_each_key_of_the_values_of_a_chart_is_named(tmp_path: Path) -> None:
    found = of(tmp_path, {"values.yaml": VALUES})
    assert set(idle(found)) == {"replicaCount", "ingress"}
    assert lines(found)["ollama.acceleration"] == 4


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
