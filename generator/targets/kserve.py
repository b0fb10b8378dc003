"""The LLMInferenceService of KServe: one for each server of vLLM, on the template that it has.

KServe lays this over its LLMInferenceServiceConfig `kserve-config-llm-template`, containers and
variables by name. That has the model downloaded by a container `storage-initializer` to the disk of
the node, and starts `vllm serve /mnt/models` with --served-model-name, --port, --shutdown-timeout
and, where `parallelism` says so, --tensor-parallel-size; it has probes with TLS, HOME and
HF_HUB_CACHE, and 1 GiB of shared memory. What it says is not said again. As of v0.20.0, 2026-08-05:
config/llmisvcconfig, pkg/apis/serving/v1alpha2 and pkg/controller/v1alpha2/llmisvc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.formats.kserve import argument, plain, repository, served_name
from generator.formats.kubernetes import size
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
    sources,
    tolerations,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.plan import Argument, Service
    from generator.pod import Kserve, Pod, Storage
    from generator.targets.pod import Object

KIND: Final = "serving.kserve.io/v1alpha2/LLMInferenceService"
SERVER: Final = "main"
DOWNLOADS: Final = "storage-initializer"
SERVICE: Final = "-kserve-workload-svc"
"""What the name of the Service ends with that KServe makes of the pods."""
_NAMED: Final = "--served-model-name"
_REVISION: Final = "--revision"
_SPLIT: Final = "--tensor-parallel-size"
_ITS_OWN: Final = frozenset({_NAMED, _REVISION, _SPLIT})
_HOME: Final = "HOME"
_NO_LINKS: Final = "Else each Service of the namespace is told in variables, under its name."
_GATED: Final = "HF_TOKEN, for a repository that asks for one."
_DISK: Final = "What is downloaded lies on the disk of the node."
_SHARED: Final = "Memory that its processes share, where KServe gives 1 GiB."
_ENDS: Final = "20 seconds of it are KServe's, the rest is --shutdown-timeout of the server."
_GATEWAY: Final = "That of KServe's own configuration."


def selector(name: str) -> dict[str, str]:
    """Return the labels that KServe gives the pods of a service."""
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/part-of": "llminferenceservice",
        "kserve.io/component": "workload",
    }


def service_of(service: Service, own: Kserve, name: str, marks: Mapping[str, str]) -> Object:
    """Return the LLMInferenceService of a server, with labels of its own."""
    pod = pod_of(service)
    told = {one.name: one for one in service.arguments}
    split, before = told.get(_SPLIT), _router(own)
    spec: Object = {
        "model": _model(service, told),
        "replicas": pod.replicas,
        **({"parallelism": {"tensor": Commented(int(split.value), split.reason)}} if split else {}),
        **({"router": before} if before else {}),
        "template": _template(service, own, name),
    }
    return made(KIND, name, pod.namespace, marks, spec=spec)


def _model(service: Service, told: Mapping[str, Argument]) -> Object:
    kept = next(one for one in service.arguments if not one.name.startswith("-"))
    served, revision = told[_NAMED], told.get(_REVISION)
    uri = repository(kept.name, revision.value if revision else "", kept.key)
    why = (kept.reason, revision.reason) if revision else kept.reason
    return {
        "uri": Commented(uri, why),
        "name": Commented(served_name(served.value, served.key), served.reason),
    }


def _router(own: Kserve) -> Object:
    if own.router == "none":
        return {}
    scheduled: Object = {"scheduler": {}} if own.router == "scheduler" else {}
    ways = {"route": {}, "gateway": Commented({}, _GATEWAY), **scheduled}
    return Commented(ways, own.reason)  # type: ignore[return-value]


def _template(service: Service, own: Kserve, name: str) -> Object:
    pod, held = pod_of(service), pod_of(service).gpus
    named = sources(service, name)
    claims = [{"name": "gpu", "resourceClaimTemplateName": f"{name}-gpu"}]
    downloads: Object = {"name": DOWNLOADS, "envFrom": Commented(named, _GATED)}
    parts: Object = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": Commented(False, _NO_LINKS),
        "runtimeClassName": pod.runtime_class,
        "terminationGracePeriodSeconds": Commented(pod.grace_seconds, (pod.grace_reason, _ENDS)),
        "securityContext": pod_security(pod, models=False),
        "affinity": affinity(pod),
        "tolerations": tolerations(held),
        "resourceClaims": claims if held and held.mode == "dra" else [],
        "initContainers": [downloads] if named else [],
        "containers": [_server(service, own, named)],
        "volumes": _volumes(service),
    }
    return {key: value for key, value in parts.items() if value not in ("", {}, [])}


def _server(service: Service, own: Kserve, named: list[Object]) -> Object:
    pod = pod_of(service)
    parts: Object = {
        "name": SERVER,
        "image": image(service),
        "args": _arguments(service),
        "envFrom": named,
        "env": _environment(service),
        "resources": _resources(service, own.disk),
        "securityContext": _security(pod),
        "startupProbe": Commented(
            {"periodSeconds": own.start.interval_seconds, "failureThreshold": own.start.failures},
            own.start.reason,
        ),
    }
    return {key: value for key, value in parts.items() if value not in ({}, [])}


def _arguments(service: Service) -> list[Any]:
    """Return `args`, without what the template and the keys of the object say."""
    told = [one for one in arguments(service) if one.name.startswith("-")]
    return [
        Commented(argument(word, one.key), one.reason if not place else "")
        for one in told
        if one.name not in _ITS_OWN
        for place, word in enumerate(one.words)
    ]


def _environment(service: Service) -> list[Object]:
    """Return `env` without what is of the home and the cache: those of the template are written."""
    return [
        {**one, "value": Commented(plain(one["value"].value), one["value"].comment)}
        for one in environment(service)
        if one["name"] != _HOME and one["value"].value != service.cache
    ]


def _resources(service: Service, disk: Storage) -> Object:
    found = resources(service)
    asked = found["requests"]
    room = Commented(size(disk.size), (disk.reason, _DISK))
    requests = Commented({**asked.value, "ephemeral-storage": room}, asked.comment)
    return {**found, "requests": requests}


def _security(pod: Pod) -> Object:
    """Return what differs from the template, which drops all rights and lets files be written."""
    more = {"allowPrivilegeEscalation": True} if pod.escalates else {}
    return {**more, **({"readOnlyRootFilesystem": True} if pod.read_only else {})}


def _volumes(service: Service) -> list[Object]:
    """Return the volume of the template whose size is another one."""
    if not service.container.shm_size:
        return []
    amount = f"{service.container.shm_size // 2**20}Mi"
    held = {"medium": "Memory", "sizeLimit": Commented(amount, _SHARED)}
    return [{"name": "dshm", "emptyDir": held}]
