"""Values for vllm-project/production-stack: servers of vLLM behind a router, on one claim each.

The chart makes the command line itself, of keys that it knows and of `extraArgs`. Its schema lets
unknown keys through, and what `enablePrefixCaching` does not say is turned off. Its own values stay
where ours say nothing: a runtime class, a container that may be root, ten minutes for the start.
Shared memory is given only where `tensorParallelSize` is told. `keda.triggers` is an object by
that schema and a list by its template, and the trigger that it writes by itself has an answer for
each pod, of which KEDA takes one: the ScaledObject is one of `extraObjects`, which are templates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from generator.formats.kubernetes import literal, object_name, size
from generator.formats.text import Commented
from generator.targets.container import arguments
from generator.targets.pod import (
    affinity,
    environment,
    image,
    made,
    pod_of,
    pod_security,
    resources,
    scaled,
    security,
    sources,
    tolerations,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.plan import Argument, Service
    from generator.pod import Pod, Probe, Scaling
    from generator.targets.pod import Object

ENGINE: Final = "vllm"
_DATA: Final = "/data"
"""Where the chart mounts the claim of a server; models lie there."""
_KEYS: Final = {
    "--max-model-len": "maxModelLen",
    "--max-num-seqs": "maxNumSeqs",
    "--gpu-memory-utilization": "gpuMemoryUtilization",
    "--tensor-parallel-size": "tensorParallelSize",
    "--runner": "runner",
}
"""Options that the chart has keys for."""
_NUMBERS: Final = frozenset({"maxModelLen", "maxNumSeqs", "tensorParallelSize"})
_REVISION: Final = "--revision"
_PREFIXES: Final = "As the server does by itself; the chart turns it off where nothing is said."
_ROUTER: Final = "One address for all of them; it knows their models by asking."
_ONE: Final = "It holds no models; a second one would have turns of its own."
_TURNS: Final = (
    "Pods of a model by turns: what else it has goes by a session that clients name, or by "
    "prefixes that it believes a server keeps for ever."
)
_RELEASE: Final = "{{.Release.Name}}"
_NAMESPACE: Final = "{{.Release.Namespace}}"
_CLASSLESS: Final = (
    "The node's own; the chart asks for `nvidia` otherwise, which a cluster may not have."
)
_NO_ROOT: Final = "As the pod says; the chart says the opposite."
_ONE_CARD: Final = "As it is anyway; the chart gives shared memory only where this is told."
_IN_PLACE: Final = "A pod more would need a GPU more, and the same claim: the old one goes first."
_REPLACED: Final = {
    "type": "RollingUpdate",
    "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
}
_SHARED: Final = "All pods of a server have this claim: its class has to let several nodes write."
_NO_NUMBER: Final = "No number in the Deployment: KEDA says it."
_NOT_ITS_OWN: Final = "So that the chart writes no ScaledObject of its own; that below is whole."
_COUNTED: Final = "KEDA counts what it tells; the Prometheus of the cluster reads it so."
_HOME: Final = "On the claim: the image's own belongs to root."


def values(services: Sequence[Service]) -> Object:
    """Return the values: a `modelSpec` for each server, and the router."""
    first = pod_of(services[0])
    grown = [(one, found) for one in services if (found := pod_of(one).scaling)]
    told = {"serviceMonitor": Commented({"enabled": True}, _COUNTED)} if grown else {}
    return {
        "servingEngineSpec": {
            "containerPort": services[0].container.port,
            "strategy": Commented(_REPLACED, _IN_PLACE),
            "securityContext": pod_security(first),
            "containerSecurityContext": {
                "runAsNonRoot": Commented(True, _NO_ROOT),
                **security(first),
            },
            "startupProbe": Commented(_asked(first.start), first.start.reason),
            "readinessProbe": Commented(_asked(first.ready), first.ready.reason),
            "livenessProbe": Commented(_asked(first.alive), first.alive.reason),
            **told,
            "modelSpec": [_model(service) for service in services],
        },
        "routerSpec": Commented(_router(), _ROUTER),
        **({"extraObjects": [_grown(one, found) for one, found in grown]} if grown else {}),
    }


def _asked(probe: Probe) -> Object:
    """Return how often a probe asks; the chart knows the path, and begins after 15 s."""
    return {
        "periodSeconds": probe.interval_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "failureThreshold": probe.failures,
    }


def _router() -> Object:
    return {
        "enableRouter": True,
        "serviceType": "ClusterIP",
        "replicaCount": Commented(1, _ONE),
        "routingLogic": Commented("roundrobin", _TURNS),
    }


def _grown(service: Service, scaling: Scaling) -> Object:
    """Return the ScaledObject of a server, whose Deployment and Service the chart names."""
    name = f"{_RELEASE}-{object_name(service.container.name, 'container.name')}"
    of = f'{{namespace="{_NAMESPACE}",service="{name}-engine-service"}}'
    query = " + ".join(f"sum({metric}{of})" for metric in scaling.own)
    told = Commented(query, scaling.own_reason)
    spec = scaled(pod_of(service), scaling, f"Deployment/{name}-deployment-vllm", told)
    marks = {"app.kubernetes.io/instance": _RELEASE}
    return made("keda.sh/v1alpha1/ScaledObject", name, _NAMESPACE, marks, spec=spec)


def _model(service: Service) -> Object:
    pod, told = pod_of(service), arguments(service)
    repository, _, tag = image(service).rpartition(":")
    name = object_name(service.container.name, "container.name")
    named = [one["secretRef"] for one in sources(service, name)]
    room = pod.storage
    parts: Object = {
        "name": name,
        "repository": repository,
        "tag": tag,
        "modelURL": Commented(told[0].name, told[0].reason),
        "modelRevision": next((one.value for one in told if one.name == _REVISION), ""),
        "replicaCount": "" if pod.scaling else pod.replicas,
        "resources": _resources(service),
        "pvcStorage": Commented(size(room.size), room.reason),
        "storageClass": room.storage_class,
        "pvcAccessMode": _access(pod),
        "shmSize": f"{service.container.shm_size // 2**20}Mi" if service.container.shm_size else "",
        "envFromSecret": named[0] if named else {},
        "env": [_moved(one, service) for one in environment(service)],
        "nodeSelectorTerms": _terms(affinity(pod)),
        "tolerations": tolerations(pod.gpus),
        "vllmConfig": _config(told[1:], shared=bool(service.container.shm_size)),
        **(_left_to_keda() if pod.scaling else {}),
    }
    given = {key: value for key, value in parts.items() if value not in ("", {}, [])}
    return {**given, "runtimeClassName": pod.runtime_class or Commented("", _CLASSLESS)}


def _resources(service: Service) -> Object:
    """Return what the pod asks for, without claims of devices, which the chart has not."""
    pod = pod_of(service)
    gpus = pod.gpus and replace(pod.gpus, mode="device-plugin")
    return resources(replace(service, pod=replace(pod, gpus=gpus)))


def _access(pod: Pod) -> object:
    several = max(pod.most, pod.replicas) > 1
    return Commented(["ReadWriteMany"], _SHARED) if several else ["ReadWriteOnce"]


def _left_to_keda() -> Object:
    return {
        "keda": Commented({"enabled": True}, _NO_NUMBER),
        "raySpec": Commented({"enabled": False}, _NOT_ITS_OWN),
    }


def _moved(one: Object, service: Service) -> Object:
    """Return a variable, whose place is on the claim where it was the home's or the cache's."""
    if one["name"] == "HOME":
        return {"name": "HOME", "value": Commented(_DATA, _HOME)}
    value = one["value"].value if isinstance(one["value"], Commented) else one["value"]
    if service.cache and value == service.cache:
        why = one["value"].comment if isinstance(one["value"], Commented) else ""
        return {**one, "value": Commented(f"{_DATA}/cache", why)}
    return one


def _terms(where: Object) -> list[Any]:
    node = where.get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution", {})
    terms: list[Any] = node.get("nodeSelectorTerms", [])
    return terms


def _config(told: Sequence[Argument], *, shared: bool) -> Object:
    known: Object = {
        key: Commented(_value(key, one), one.reason) for one in told if (key := _KEYS.get(one.name))
    }
    if shared:
        known.setdefault("tensorParallelSize", Commented(1, _ONE_CARD))
    more = [
        Commented(literal(word, one.key), one.reason if not place else "")
        for one in told
        if one.name not in {*_KEYS, _REVISION}
        for place, word in enumerate(one.words)
    ]
    return {
        **known,
        "enablePrefixCaching": Commented(True, _PREFIXES),
        **({"extraArgs": more} if more else {}),
    }


def _value(key: str, one: Argument) -> int | str:
    return int(one.value) if key in _NUMBERS else one.value
