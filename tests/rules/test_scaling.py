"""HW626, HW650 to HW654: what scales pods of a server, and what these share."""

from pathlib import Path

import pytest

from tests.texts import Cases, Text, checked, sides, told

WORKLOAD = """apiVersion: apps/v1
kind: {kind}
metadata: {{name: ollama}}
spec:
{more}  selector: {{matchLabels: {{app: ollama}}}}
  template:
    metadata: {{labels: {{app: ollama}}}}
    spec:
{spec}      containers:
        - name: ollama
          image: ollama/ollama:0.32.15
{own}"""
GPU = "          resources: {limits: {nvidia.com/gpu: 1}}\n"
GRACE = "      terminationGracePeriodSeconds: 600\n"
MOUNTS = "      volumes: [{name: m, persistentVolumeClaim: {claimName: models}}]\n"
RECREATE = "  strategy: {type: Recreate}\n"
QUERY = "sum(haproxy_backend_current_queue) or vector(0)"


def workload(kind: str = "Deployment", more: str = "", spec: str = GRACE, own: str = GPU) -> Text:
    text = WORKLOAD.format(kind=kind, more=more, spec=spec, own=own)
    return {"ollama.yaml": text}


def hpa(metric: str = "cpu", name: str = "ollama", kind: str = "Deployment") -> Text:
    target = f"{{apiVersion: apps/v1, kind: {kind}, name: {name}}}"
    return {
        "hpa.yaml": "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
        f"metadata: {{name: h}}\nspec:\n  scaleTargetRef: {target}\n  maxReplicas: 4\n"
        f"  metrics: [{{type: Resource, resource: {{name: {metric}}}}}]\n"
    }


LEAST = "  minReplicaCount: 1\n"


def keda(metadata: str, kind: str = "prometheus", name: str = "ollama", least: str = LEAST) -> Text:
    return {
        "keda.yaml": "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: s}\n"
        f"spec:\n  scaleTargetRef: {{name: {name}}}\n{least}  triggers:\n"
        f"    - type: {kind}\n      metadata: {{{metadata}}}\n"
    }


def asks(query: str = QUERY, more: str = 'threshold: "4"') -> Text:
    return keda(f'query: "{query}", {more}')


def claim(mode: str) -> Text:
    return {
        "claim.yaml": "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: models}\n"
        f"spec: {{accessModes: [{mode}], resources: {{requests: {{storage: 100Gi}}}}}}\n"
    }


TWO = "  replicas: 2\n"
SHARED = workload(more=TWO, spec=GRACE + MOUNTS)

# rule: (caught, left alone)
CASES: Cases = {
    "HW626": (
        (keda('value: "60"', "cpu", least="  minReplicaCount: 0\n"),
         workload() | keda('value: "60"', "memory", least="")),
        (keda('value: "60"', "cpu"), keda('query: "x or vector(0)"', least=""), hpa(),
         keda('value: "60"', "cpu", least="  minReplicaCount: ${LEAST}\n")),
    ),
    "HW650": (
        (asks(more="threshold: 4"), asks(more='threshold: "4", ignoreNullValues: false')),
        (asks(), workload() | asks()),
    ),
    "HW651": (
        (asks("sum(haproxy_backend_current_queue)"),
         workload() | asks("avg(x)", 'threshold: "4", ignoreNullValues: "true"')),
        (asks(), asks("sum(x) or on() vector(0)"),
         asks("sum(x)", 'threshold: "4", ignoreNullValues: "false"')),
    ),
    "HW652": (
        (workload() | hpa(), workload(own="") | hpa("memory"), workload(own="") | hpa(),
         hpa(), workload() | keda('value: "60"', "cpu")),
        (workload(), workload() | asks(), workload() | hpa(name="webui"), hpa(name="webui")),
    ),
    "HW653": (
        (SHARED | claim("ReadWriteOnce"),
         workload(spec=GRACE + MOUNTS) | claim("ReadWriteOnce") | hpa(),
         workload(spec=GRACE + MOUNTS) | claim("ReadWriteOnce"), workload()),
        (SHARED | claim("ReadWriteMany"), SHARED, workload(kind="StatefulSet"),
         workload(more=RECREATE, spec=GRACE + MOUNTS) | claim("ReadWriteOnce"),
         workload(more=RECREATE), workload(own="")),
    ),
    "HW654": (
        (workload(spec="") | hpa(), workload(spec=GRACE.replace("600", "20")) | asks()),
        (workload() | hpa(), workload(spec=""), hpa()),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "files", "caught"), sides(CASES))
def test_it_catches_some_and_leaves_others_alone(
    rule: str, files: Text, caught: bool, tmp_path: Path
) -> None:
    assert (rule in told(tmp_path, files)) is caught


def test_without_a_gpu_the_cpu_is_a_remark(tmp_path: Path) -> None:
    found = checked(tmp_path, workload(own="") | hpa()).findings
    assert [p.finding.severity for p in found if p.finding.rule == "HW652"] == ["info"]


def test_a_name_that_a_shell_fills_in_is_not_printed(tmp_path: Path) -> None:
    files = workload(spec="") | hpa()
    files = {name: text.replace("{name: h}", "{name: $(told)}") for name, text in files.items()}
    found = [p.finding.message for p in checked(tmp_path, files).findings]
    (told_,) = (message for message in found if "takes pods away" in message)
    assert told_.startswith("this takes pods away")


def test_what_scales_by_figures_that_ollama_does_not_give_is_told(tmp_path: Path) -> None:
    files = workload() | asks("sum(ollama_queue) or vector(0)")
    assert {"HW646"} == told(tmp_path, files) & {"HW646", "HW651"}


def test_rules_of_prometheus_are_read_in_their_resource(tmp_path: Path) -> None:
    text = (
        "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: r}\nspec:\n"
        "  groups:\n    - name: ollama\n      rules:\n        - alert: a\n"
        "          expr: llamacpp:requests_deferred{job='ollama'} > 1\n"
    )
    (placed,) = checked(tmp_path, {"rule.yaml": text}).findings
    assert (placed.finding.rule, placed.place.line) == ("HW647", 9)
