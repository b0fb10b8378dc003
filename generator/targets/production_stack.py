"""Values for vllm-project/production-stack: servers of vLLM behind a router, on one claim each.

The chart makes the command line itself, of keys that it knows and of `extraArgs`. As of
values.schema.json and templates of vllm-stack-0.1.12, 2026-08-05: its schema lets unknown keys
through, and what `enablePrefixCaching` does not say is turned off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.formats.kubernetes import literal, object_name, size
from generator.formats.text import Commented
from generator.targets.container import arguments
from generator.targets.pod import (
    affinity,
    environment,
    image,
    pod_of,
    pod_security,
    resources,
    security,
    sources,
    tolerations,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.plan import Argument, Service
    from generator.targets.pod import Object

ENGINE: Final = "vllm"
CHART: Final = "vllm-stack"
REPOSITORY: Final = "https://vllm-project.github.io/production-stack"
VERSION: Final = "0.1.12"
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
_HOME: Final = "On the claim: the image's own belongs to root."


def values(services: Sequence[Service]) -> Object:
    """Return the values: a `modelSpec` for each server, and the router."""
    first = pod_of(services[0])
    return {
        "servingEngineSpec": {
            "containerPort": services[0].container.port,
            "securityContext": pod_security(first),
            "containerSecurityContext": security(first),
            "modelSpec": [_model(service) for service in services],
        },
        "routerSpec": Commented({"enableRouter": True, "serviceType": "ClusterIP"}, _ROUTER),
    }


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
        "replicaCount": pod.replicas,
        "resources": resources(service),
        "pvcStorage": Commented(size(room.size), room.reason),
        "storageClass": room.storage_class,
        "pvcAccessMode": ["ReadWriteOnce"],
        "shmSize": f"{service.container.shm_size // 2**20}Mi" if service.container.shm_size else "",
        "envFromSecret": named[0] if named else {},
        "env": [_moved(one, service) for one in environment(service)],
        "nodeSelectorTerms": _terms(affinity(pod)),
        "tolerations": tolerations(pod.gpus),
        "runtimeClassName": pod.runtime_class,
        "vllmConfig": _config(told[1:]),
    }
    return {key: value for key, value in parts.items() if value not in ("", {}, [])}


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


def _config(told: Sequence[Argument]) -> Object:
    known: Object = {
        key: Commented(_value(key, one), one.reason) for one in told if (key := _KEYS.get(one.name))
    }
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
