"""`k8s`: read by the schemas of Kubernetes, and its text as the kubelet expands it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.targets import limitations
from tests.consumers import kubernetes
from tests.consumers.effective import ConsumerError, Effective
from tests.consumers.same import bytes_of, environment_in_a_container

if TYPE_CHECKING:
    from pathlib import Path

    from generator.plan import Plan


def complaints(folder: Path, plan: Plan) -> list[str]:
    return kubernetes.verify(kubernetes.objects(folder))


def read(folder: Path, plan: Plan) -> Effective:
    found = kubernetes.objects(folder)
    if faults := kubernetes.verify(found, kubernetes.RELEASES[-1:]):
        raise ConsumerError("\n".join(faults))
    pod = kubernetes.one(found, "StatefulSet")["spec"]["template"]["spec"]
    (box,) = pod["containers"]
    limits = box["resources"].get("limits", {})
    told = kubernetes.environment(box)
    home = told.pop("HOME")
    return Effective(
        environment=told,
        restart="always",
        cpu_quota_percent=round(kubernetes.quantity(limits["cpu"]) * 100)
        if "cpu" in limits
        else None,
        memory_max=round(kubernetes.quantity(limits["memory"])) if "memory" in limits else None,
        extra={"objects": found, "pod": pod, "server": box, "home": home},
    )


def compare(plan: Plan, found: Effective) -> None:
    service = plan.service
    assert service.pod is not None
    assert found.environment == environment_in_a_container(plan)
    quota = service.limit("cpu_quota")
    assert found.cpu_quota_percent == (quota.value if quota else None)
    assert found.memory_max == bytes_of(plan, "memory_max")
    server, pod = found.extra["server"], found.extra["pod"]
    assert server["image"] == f"ollama/ollama:{service.release}"
    (port,) = kubernetes.one(found.extra["objects"], "Service", "ollama")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (service.listen.port, "http")
    assert server["livenessProbe"]["httpGet"]["path"] == "/api/version"
    assert pod["securityContext"]["runAsNonRoot"]
    assert found.extra["home"] == service.pod.home_variable
    gpus = server["resources"].get("limits", {}).get("nvidia.com/gpu")
    ids = service.devices.ids if service.devices else ()
    assert gpus == (len(ids) or len(plan.host.gpus) if service.devices else None)
    said = {finding.where for finding in limitations("k8s", plan)}
    for name in ("allowed_cpus", "memory_high", "tasks_max", "oom_score_adjust", "cpu_weight"):
        assert (f"resources.{name}" in said) == (service.limit(name) is not None), name
