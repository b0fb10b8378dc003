"""The front in Kubernetes: a Deployment with its configuration, its Service, and who reaches it."""

from __future__ import annotations

import hashlib
from posixpath import dirname
from typing import TYPE_CHECKING, Any, Final

from generator.formats.kubernetes import cpus, object_name, size
from generator.formats.text import Commented
from generator.formats.yaml import Lines
from generator.front import FREE_PORT, front_service
from generator.targets.front.config import FILES, FOLDER, SECRETS, At, front_file
from generator.targets.pod import labels, made, name_of, pod_of, pod_security, security
from generator.units import address, is_local

if TYPE_CHECKING:
    from generator.front import Front
    from generator.plan import Plan, Service
    from generator.targets.pod import Object

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 -- in the network of a cluster
_HTTP: Final = "http"
METRICS: Final = "metrics"
_MODE: Final = 0o440
# Added to a port that only root may listen on.
_HIGHER: Final = 8000
_MARGIN: Final = 5
_ONE: Final = "One queue: a second front would give each server as many requests again."
_LEAVES: Final = "Until no proxy of the Service sends it new connections."
_BESIDE: Final = "What it needs for its connections."


def front_name(plan: Plan) -> str:
    """Return what the objects of the front are called."""
    return object_name(front_service(plan.name), "name")


def fronts(plan: Plan) -> dict[str, str]:
    """Return the labels by which the pod of the front is found."""
    return {"app.kubernetes.io/name": FOLDER, "app.kubernetes.io/instance": front_name(plan)}


def front(plan: Plan) -> list[Object]:
    """Return the objects of the front; nothing where there is none."""
    decided = plan.front
    if decided is None:
        return []
    return [
        _object(plan, "v1/ConfigMap", data=_text(plan, decided)),
        _object(plan, "apps/v1/Deployment", spec=_deployment(plan, decided)),
        _object(plan, "v1/Service", spec=_service(plan, decided)),
        _object(plan, "networking.k8s.io/v1/NetworkPolicy", spec=_policy(plan, decided)),
    ]


def _object(plan: Plan, kind: str, **parts: object) -> Object:
    namespace, name = pod_of(plan.services[0]).namespace, front_name(plan)
    return made(kind, name, namespace, _labels(plan), **parts)


def _labels(plan: Plan) -> dict[str, str]:
    return labels(plan, fronts(plan), plan.services[0].release)


def _port(decided: Front) -> int:
    """Return where the front listens in its pod, in which nobody is root."""
    if decided.port >= FREE_PORT:
        return decided.port
    higher = decided.port + _HIGHER
    return higher + (higher == decided.metrics_port)


def _text(plan: Plan, decided: Front) -> dict[str, str]:
    at = At(
        reach=_reach,
        host=EVERYWHERE,
        port=_port(decided),
        metrics_host=EVERYWHERE,
        folder=SECRETS,
        named=True,
        many=lambda service: pod_of(service).most,
        drain_seconds=pod_of(plan.services[0]).beside_seconds,
    )
    return {FILES[decided.kind]: Lines(front_file(plan, decided, at).text)}


def _reach(service: Service) -> str:
    """Return the name that has the addresses of all pods of a service, whole."""
    pod = pod_of(service)
    name = f"{name_of(service)}-pods.{pod.namespace}.svc.{pod.domain}"
    return address(name, service.container.port)


def _deployment(plan: Plan, decided: Front) -> Object:
    digest = hashlib.sha256("".join(_text(plan, decided).values()).encode()).hexdigest()
    return {
        "replicas": Commented(1, _ONE),
        "selector": {"matchLabels": fronts(plan)},
        "template": {
            "metadata": {"labels": _labels(plan), "annotations": {"hostwright/front": digest}},
            "spec": _pod(plan, decided),
        },
    }


def _pod(plan: Plan, decided: Front) -> Object:
    pod, name = pod_of(plan.services[0]), front_name(plan)
    secrets = [one.name for one in decided.secrets]
    volumes: list[Any] = [{"name": FOLDER, "configMap": {"name": name}}]
    if secrets:
        held = {"secretName": name, "defaultMode": _MODE}
        volumes.append({"name": "secrets", "secret": held})
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": Commented(
            pod.beside_seconds + pod.leave_seconds + _MARGIN, pod.beside_reason
        ),
        "securityContext": pod_security(pod, models=False),
        "containers": [_box(plan, decided, secrets=bool(secrets))],
        "volumes": volumes,
    }


def _box(plan: Plan, decided: Front, *, secrets: bool) -> Object:
    pod = pod_of(plan.services[0])
    mounted = [{"name": FOLDER, "mountPath": dirname(decided.config), "readOnly": True}]
    if secrets:
        mounted.append({"name": "secrets", "mountPath": SECRETS, "readOnly": True})
    asked = {"cpu": cpus(pod.beside_cpu), "memory": size(pod.beside_memory)}
    return {
        "name": FOLDER,
        "image": decided.image,
        "ports": [
            {"name": _HTTP, "containerPort": _port(decided)},
            {"name": METRICS, "containerPort": decided.metrics_port},
        ],
        "resources": {"requests": Commented(asked, _BESIDE)},
        "securityContext": security(pod),
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": METRICS}, "periodSeconds": 5},
        "livenessProbe": {"tcpSocket": {"port": METRICS}, "periodSeconds": 10},
        "lifecycle": {"preStop": Commented({"sleep": {"seconds": pod.leave_seconds}}, _LEAVES)},
        "volumeMounts": mounted,
    }


def _service(plan: Plan, decided: Front) -> Object:
    ports = [
        {"name": _HTTP, "port": decided.port, "targetPort": _HTTP},
        {"name": METRICS, "port": decided.metrics_port, "targetPort": METRICS},
    ]
    return {"type": "ClusterIP", "selector": fronts(plan), "ports": ports}


def _policy(plan: Plan, decided: Front) -> Object:
    """Return who reaches it: its metrics are for a Prometheus wherever that is."""
    within: Object = {"from": [{"podSelector": {}}]} if is_local(decided.host) else {}
    metrics: Object = (
        {} if not is_local(decided.metrics_host) else {"from": [{"namespaceSelector": {}}]}
    )
    return {
        "podSelector": {"matchLabels": fronts(plan)},
        "policyTypes": ["Ingress"],
        "ingress": [
            {**within, "ports": [{"port": _port(decided), "protocol": "TCP"}]},
            {**metrics, "ports": [{"port": decided.metrics_port, "protocol": "TCP"}]},
        ],
    }
