"""What a cluster may have or not: the operator of Prometheus, and KEDA. A component for each.

Their kinds are none of Kubernetes itself, and `kubectl` refuses all where one of them is not known.
Who has them names the folder below `components:` of the kustomization.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.formats.kubernetes import documents
from generator.formats.promql import narrowed
from generator.formats.text import Commented
from generator.targets.base import File
from generator.targets.front.kubernetes import METRICS, front_name, fronts
from generator.targets.monitor import rule_groups
from generator.targets.pod import labels, made, name_of, pod_of, scaled, selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.monitor import Monitor
    from generator.plan import Plan, Service
    from generator.targets.pod import Object

_FRONT: Final = ("haproxy_", "caddy_")
"""How metrics of fronts begin: of a textfile job of a host there are none in a cluster."""
_FRONTS: Final = "(?:haproxy|caddy)_"
_HOST: Final = ("hostwright", "llamacpp:", "probe_", "node_", "DCGM")


def components(plan: Plan) -> tuple[File, ...]:
    """Return the files of both; nothing where the profile asks for neither."""
    found: list[File] = []
    watched = _watched(plan)
    if watched:
        found += _component(plan, "monitoring", watched)
    grown = [_scaled(plan, one) for one in plan.services if pod_of(one).scaling]
    if grown:
        away = [{"target": {"kind": "StatefulSet"}, "patch": _AWAY}]
        found += _component(plan, "scaling", {"scaledobject": grown}, patches=away)
    return tuple(found)


_AWAY: Final = '[{"op": "remove", "path": "/spec/replicas"}]'


def _component(
    plan: Plan, folder: str, kinds: dict[str, list[Object]], **more: object
) -> Iterator[File]:
    for kind, objects in kinds.items():
        yield File(f"{folder}/{kind}.yaml", documents(plan.header, objects))
    document = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "resources": [f"{kind}.yaml" for kind in kinds],
        **more,
    }
    yield File(f"{folder}/kustomization.yaml", documents(plan.header, [document]))


def _object(plan: Plan, kind: str, name: str, spec: object) -> Object:
    first = plan.services[0]
    marks = labels(plan, fronts(plan), first.release)
    return made(kind, name, pod_of(first).namespace, marks, spec=spec)


# ── The operator of Prometheus ────────────────────────────────────────────────────────────────────


def _watched(plan: Plan) -> dict[str, list[Object]]:
    """Return what has the Prometheus of the cluster read the front, and its rules."""
    if plan.monitor is None or plan.front is None:
        return {}
    version, name = "monitoring.coreos.com/v1", front_name(plan)
    spec = {
        "selector": {"matchLabels": fronts(plan)},
        "endpoints": [
            {"port": METRICS, "path": "/metrics", "interval": f"{plan.monitor.seconds}s"}
        ],
    }
    groups = rule_groups(_of_front(plan.monitor, _only(plan)))
    return {
        "servicemonitor": [_object(plan, f"{version}/ServiceMonitor", name, spec)],
        "prometheusrule": [_object(plan, f"{version}/PrometheusRule", name, {"groups": groups})],
    }


def _only(plan: Plan) -> dict[str, str]:
    """Return the labels by which the series of this front are told from those of others: the
    operator gives them to all that a ServiceMonitor has it read.
    """
    return {"namespace": pod_of(plan.services[0]).namespace, "service": front_name(plan)}


def _of_front(monitor: Monitor, only: dict[str, str]) -> Monitor:
    """Return a Monitor with the rules alone that the front's metrics can make true."""
    recorded = [each for each in monitor.recordings if _is_of_front(each.expr)]
    told = [each for each in monitor.alerts if _is_of_front(each.expr)]
    return replace(
        monitor,
        recordings=tuple(replace(one, expr=_narrowed(one.expr, only)) for one in recorded),
        alerts=tuple(replace(one, expr=_narrowed(one.expr, only)) for one in told),
    )


def _narrowed(expr: str, only: dict[str, str]) -> str:
    return narrowed(expr, _FRONTS, **only)


def _is_of_front(expr: str) -> bool:
    return any(word in expr for word in _FRONT) and not any(word in expr for word in _HOST)


# ── KEDA ──────────────────────────────────────────────────────────────────────────────────────────


def _scaled(plan: Plan, service: Service) -> Object:
    pod, name = pod_of(service), name_of(service)
    assert pod.scaling is not None  # noqa: S101 -- whoever calls has looked
    query = Commented(pod.scaling.query, pod.scaling.query_reason)
    spec = scaled(pod, pod.scaling, f"StatefulSet/{name}", query)
    marks = labels(plan, selector(service), service.release)
    return made("keda.sh/v1alpha1/ScaledObject", name, pod.namespace, marks, spec=spec)
