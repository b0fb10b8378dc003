"""What the targets for Kubernetes share: the pod of a Service, and what that leaves out."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from generator.errors import RenderError
from generator.formats.kubernetes import cpus, literal, object_name, size
from generator.formats.text import Commented
from generator.plan import Service, Step
from generator.targets.base import LeftOut
from generator.targets.container import (
    NOT_IN_CONTAINERS,
    SHARED,
    arguments,
    env_files,
    mounted,
    variables,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from generator.plan import Limit, Plan, Setting
    from generator.pod import NodeRule, Pod, PodGpus, Probe, Scaling

Object = dict[str, Any]
PORT: Final = "http"
MODELS: Final = "models"
_CACHE: Final = "cache"
_SHARED: Final = "shared-memory"
_SECRETS: Final = "credentials"
_MODE: Final = 0o440
_EMPTY: Final = "There is always an answer: if there is none, KEDA says so and keeps what is there."
_LISTED: Final = frozenset({"gpu.visible_devices", "gpu.device_order", "open_firewall"})
_READER: Final = re.compile(r"instances\.\d+\.name")
"""The key of what a server is told that does not write its models."""
_NODES: Final = "set it for the nodes, or use the systemd or nixos target"
_ASKED: Final = frozenset({"cpu_quota", "memory_max"})
_RESOURCES: Final = {
    "memory_high": "a pod has no soft limit that slows it down",
    "allowed_cpus": "the kubelet picks the CPUs of a pod: see its static CPU manager",
    "cpu_weight": "the CPUs that a pod asks for are its share",
    "numa_policy": "the kubelet places memory: see its memory manager",
    "numa_mask": "the kubelet places memory: see its topology manager",
    "io_weight": "there is no share of disk time for a pod",
    "nice": "a pod has no nice level",
    "tasks_max": "the kubelet bounds processes, of all its pods alike (`podPidsLimit`)",
    "limit_memlock": "the container runtime sets ulimits, of all its pods alike",
    "oom_score_adjust": "the kubelet derives it from what a pod asks for",
}


def _swaps(service: Service) -> bool:
    swap = service.limit("memory_swap_max")
    return swap is not None and swap.value != 0


def _is_given(service: Service) -> bool:
    kept = (guard.values for guard in service.container.guards if guard.name == "cap_add")
    return any(set(values) - {"DAC_OVERRIDE"} for values in kept)


NOT_IN_PODS: Final = (
    *(
        item
        for item in NOT_IN_CONTAINERS
        if item.key not in _LISTED and "Service.command" not in item.fields
    ),
    LeftOut(
        "the image has the program, and its backends",
        "Service.program Service.user Service.group Service.home Service.acceleration "
        "Service.models_below Service.installed_models",
    ),
    *(
        LeftOut(why, key=f"resources.{name}", asked=partial(Service.limit, name=name), fix=_NODES)
        for name, why in _RESOURCES.items()
    ),
    LeftOut(
        "a pod has no swap of its own to bound",
        key="resources.memory_swap_max",
        asked=_swaps,
        fix=_NODES,
        when="above 0",
    ),
    LeftOut(
        "whoever hands out GPUs picks them; their number is asked for",
        key="gpu.visible_devices",
        asked=lambda service: service.devices and service.devices.ids,
        fix="leave it to the cluster, or bind a pod to a node by `k8s.node_selector`",
        severity="info",
    ),
    LeftOut(
        "a NetworkPolicy says who reaches a pod, and a Service of your own opens it",
        "Listen.open_firewall",
        key="open_firewall",
        asked=lambda service: service.listen.open_firewall,
        fix="add an Ingress, an HTTPRoute or a Service of type LoadBalancer",
        severity="info",
    ),
    LeftOut(
        "a pod has its models in a claim, whichever node it is on",
        key="models_dir",
        asked=lambda service: service.models_dir and not service.puller,
        fix="leave it out, and have the pod pull the models",
    ),
    LeftOut(
        "a pod has its models in a claim, whichever node it is on",
        key="container.home_dir",
        asked=lambda service: service.container.home_dir,
        fix="leave it out, and have the pod pull the models",
    ),
    LeftOut(
        "a server that is not root has no use of capabilities",
        "Container.guards",
        key="container.capabilities",
        asked=_is_given,
        fix="leave it out for Kubernetes",
        severity="info",
    ),
    LeftOut(
        "it is for one host",
        "Cache.host Cache.port Cache.reason Cache.program Cache.image Cache.inside Cache.key_file "
        "Cache.namespace Cache.ttl_seconds Cache.ttl_reason Cache.call_types Cache.mode "
        "Cache.mode_reason Cache.max_messages Cache.routes Cache.fallbacks Cache.store "
        "Cache.semantic",
        key="cache",
        of_host=lambda plan: plan.cache,
        fix="run LiteLLM and Redis by charts of their own, or leave it out",
    ),
    LeftOut(
        "a pod has no timers of its own",
        "Job.calendar",
        key="scale.periods",
        asked=lambda service: any(job.calendar for job in service.jobs),
        fix="have a CronJob patch the StatefulSet, or leave it to the scheduler of the cluster",
    ),
    LeftOut(
        "nobody reloads a kernel module of a node from a pod",
        "Job.before Job.remain_after_exit Job.stop_when_unneeded Job.programs Job.stop_steps "
        "Step.where",
        key="service.resume_fix",
        asked=lambda service: any(job.kind == "resume" for job in service.jobs),
        fix="nodes of a cluster do not sleep",
        severity="info",
    ),
    LeftOut(
        "a StatefulSet starts its pods again, however they end",
        key="container.restart",
        asked=lambda service: service.container.restart in {"no", "on-failure"},
        fix="leave it out for Kubernetes",
        severity="info",
    ),
    LeftOut(
        "a pod is on the network of its cluster",
        key="container.network",
        asked=lambda service: service.container.network,
        fix="leave it out for Kubernetes",
        severity="info",
    ),
    LeftOut(
        "for Compose and Podman",
        "Container.service Container.project Container.form Container.named Container.volume "
        "Container.start_seconds Container.variables Container.rootless "
        "Container.models_path",
    ),
    LeftOut(
        "for systemd and for other engines of containers",
        "Service.unit Service.after Service.restart Job.sandbox Job.guards Job.name "
        "Job.unit Job.description Job.after Job.wants Job.part_of Job.wanted_by",
    ),
    LeftOut(
        "a container that fails is started again, with pauses of the kubelet's own",
        "Job.tries Job.retry_seconds",
    ),
    LeftOut(
        "in what the pod is asked by",
        "Service.health Service.api Job.probe Job.timeout_seconds",
    ),
    LeftOut("in who reaches the pod", "Listen.host"),
    LeftOut("capabilities have no reason here", "Guard.reason"),
    LeftOut("a value's reason is printed beside it", "Storage.key"),
    LeftOut(
        "for `verify.py` of a bundle",
        "Setting.form Setting.default Service.runner Service.era_since Service.era_until",
    ),
    LeftOut("a bound in a unit is written so", "Limit.directive Limit.written"),
    LeftOut(
        "nodes have their devices ready",
        "Devices.nodes Devices.modules Devices.wait Devices.reason Devices.vendor",
    ),
    LeftOut("written in commands already", "Listen.variable Listen.address"),
    LeftOut("a Secret has it decrypted", "Credential.encrypted"),
)


def pod_of(service: Service) -> Pod:
    """Return how a service runs in Kubernetes; a plan that an older release wrote has not said."""
    if service.pod is None:
        raise RenderError(
            "this plan does not say how the server runs in Kubernetes",
            hint="write it again with `gen plan PROFILE`",
            where="services.pod",
        )
    return service.pod


def environment(service: Service) -> list[Object]:
    """Return `env` of the server, each with its reason."""
    home = pod_of(service).home_variable
    told: list[tuple[str, str, tuple[str, ...]]]
    told = [("HOME", home, ("That of the image is root's.",))]
    told += [(one.name, one.value, one.comment) for one in _settings(service)]
    return [_variable(name, Commented(literal(text, name), why)) for name, text, why in told]


def same_environment(service: Service, **places: str) -> list[Object]:
    """Return `env` of another server that is set up alike, but for `places`; without reasons."""
    home = pod_of(service).home_variable
    told = {one.name: one.value for one in _settings(service)}
    return [
        _variable(name, literal(text, name))
        for name, text in ({"HOME": home} | told | places).items()
    ]


def _settings(service: Service) -> list[Setting]:
    """Return the variables, but those of a server whose models another one writes: a pod has its
    own.
    """
    told = variables(service, decrypted=True, home=pod_of(service).home_variable)
    return [one for one in told if not (service.puller and _READER.fullmatch(one.key))]


def _variable(name: str, value: object) -> Object:
    return {"name": name, "value": value}


def sources(service: Service, name: str) -> list[Object]:
    """Return `envFrom`: a Secret for each file of variables."""
    return [{"secretRef": {"name": secret}} for secret in secrets(service, name)]


def secrets(service: Service, name: str) -> dict[str, str]:
    """Return the Secrets that have variables, each with the file that it is made of."""
    files = env_files(service)
    return {f"{name}-env{f'-{n}' if n > 1 else ''}": file for n, file in enumerate(files, 1)}


def credentials_secret(name: str) -> str:
    """Return the Secret that has the credentials."""
    return f"{name}-{_SECRETS}"


def told(service: Service) -> list[Any]:
    """Return `args` of the server: the image has the program."""
    return [
        Commented(literal(word, each.key), each.reason if not place else "")
        for each in arguments(service)
        for place, word in enumerate(each.words)
    ]


def mounts(service: Service, claim: str = MODELS) -> list[Object]:
    """Return `volumeMounts` of the server: keys and models, of the volume `claim`, first; then what
    it writes, and credentials.
    """
    pod = pod_of(service)
    found: list[Any] = [{"name": claim, "mountPath": pod.home}]
    if service.cache:
        found.append({"name": claim, "mountPath": service.cache, "subPath": _CACHE})
    found += [{"name": _volume(path), "mountPath": path} for path in pod.writes]
    if service.container.shm_size:
        found.append(Commented({"name": _SHARED, "mountPath": "/dev/shm"}, SHARED))  # noqa: S108
    for one, path in mounted(service, decrypted=True, home=pod.home_variable):
        mount = {"name": _SECRETS, "mountPath": path, "subPath": one.name, "readOnly": True}
        found.append(Commented(mount, one.reason))
    return found


def volumes(service: Service, name: str) -> list[Object]:
    """Return `volumes` of the pod, beside that of its claim."""
    found: list[Object] = [
        {"name": _volume(path), "emptyDir": {}} for path in pod_of(service).writes
    ]
    if size := service.container.shm_size:
        held = {"medium": "Memory", "sizeLimit": f"{size // 2**20}Mi"}
        found.append({"name": _SHARED, "emptyDir": held})
    if mounted(service, decrypted=True):
        secret = {"secretName": credentials_secret(name), "defaultMode": _MODE}
        found.append({"name": _SECRETS, "secret": secret})
    return found


def _volume(path: str) -> str:
    return f"scratch-{path.rpartition('/')[2].lstrip('.')}"


def pod_security(pod: Pod, *, models: bool = True) -> Object:
    """Return `securityContext` of a pod, with `models` or without."""
    once = Commented("OnRootMismatch", "Models are many gigabytes: their owner is set once.")
    return {
        "runAsNonRoot": True,
        "runAsUser": Commented(pod.user, pod.user_reason),
        "runAsGroup": pod.user,
        "fsGroup": pod.user,
        **({"fsGroupChangePolicy": once} if models else {}),
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def security(pod: Pod) -> Object:
    """Return `securityContext` of a container."""
    return {
        "allowPrivilegeEscalation": pod.escalates,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": pod.read_only,
    }


def resources(service: Service, *, gpus: bool = True) -> Object:
    """Return `resources` of a container, with the GPUs of the pod or without."""
    pod = pod_of(service)
    limits = {key: Commented(text, limit.comment) for limit in service.limits
              for key, text in _limit(limit).items()}  # fmt: skip
    asked = {
        "cpu": cpus(pod.cpu) if pod.cpu else "",
        "memory": size(pod.memory) if pod.memory else "",
    }
    requests: Object = {key: text for key, text in asked.items() if text}
    held = pod.gpus if gpus else None
    if held and held.mode == "device-plugin":
        limits[held.resource] = Commented(held.count, held.reason)
    found: Object = {}
    if requests:
        found["requests"] = Commented(requests, pod.requests_reason)
    if limits:
        found["limits"] = limits
    if held and held.mode == "dra":
        found["claims"] = Commented([{"name": "gpu"}], held.reason)
    return found


def _limit(limit: Limit) -> Mapping[str, str]:
    if limit.name == "cpu_quota":
        return {"cpu": cpus(int(limit.value) * 10)}
    if limit.name == "memory_max" and limit.value != "infinity":
        return {"memory": size(int(limit.value))}
    return {}


def affinity(pod: Pod) -> Object:
    """Return `affinity` of the pod; nothing where any node will do."""
    if not pod.nodes:
        return {}
    terms = [Commented(_expression(rule), rule.reason) for rule in pod.nodes]
    selector = {"nodeSelectorTerms": [{"matchExpressions": terms}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector}}


def _expression(rule: NodeRule) -> Object:
    return {"key": rule.label, "operator": "In", "values": list(rule.values)}


def tolerations(gpus: PodGpus | None) -> list[Object]:
    """Return `tolerations` of the pod."""
    if gpus is None:
        return []
    return [{"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in gpus.taints]


def probe(service: Service, asked: Probe) -> Object:
    """Return a probe."""
    how: Object = {"httpGet": {"path": asked.path, "port": PORT}}
    if not asked.path:
        how = {"exec": {"command": words(service, Step(argv=asked.argv))}}
    return {
        **how,
        "periodSeconds": asked.interval_seconds,
        "timeoutSeconds": asked.timeout_seconds,
        "failureThreshold": asked.failures,
    }


def image(service: Service) -> str:
    """Return the image of the server."""
    return service.build.image if service.build else service.container.image


def name_of(service: Service) -> str:
    """Return what the objects of a service are called, or how their names begin."""
    return object_name(service.container.name, "container.name")


def selector(service: Service) -> dict[str, str]:
    """Return the labels by which the pods of a service are found."""
    return {
        "app.kubernetes.io/name": service.engine,
        "app.kubernetes.io/instance": name_of(service),
    }


def labels(plan: Plan, chosen: Mapping[str, str], release: str) -> dict[str, str]:
    """Return the labels of an object, of which `chosen` are those that it is found by."""
    return {
        **chosen,
        "app.kubernetes.io/version": release,
        "app.kubernetes.io/part-of": plan.name[:63].rstrip("-."),
        "app.kubernetes.io/managed-by": "hostwright",
    }


def made(kind: str, name: str, namespace: str, marks: Mapping[str, str], **parts: object) -> Object:
    """Return an object of a kind, like `apps/v1/StatefulSet`."""
    version, _, kind = kind.rpartition("/")
    within = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **within, "labels": dict(marks)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}


def scaled(pod: Pod, scaling: Scaling, target: str, query: object) -> Object:
    """Return `spec` of a ScaledObject of KEDA for a target, like `StatefulSet/server`."""
    kind, _, name = target.partition("/")
    return {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": name},
        "minReplicaCount": pod.replicas,
        "maxReplicaCount": pod.most,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _slowly(scaling)}},
        "triggers": [_trigger(scaling, query)],
    }


def _slowly(scaling: Scaling) -> Object:
    policy = {"type": "Pods", "value": 1, "periodSeconds": scaling.pause_seconds}
    down = {"stabilizationWindowSeconds": scaling.pause_seconds, "policies": [policy]}
    return {"scaleDown": Commented(down, scaling.pause_reason)}


def _trigger(scaling: Scaling, query: object) -> Object:
    told = {
        "serverAddress": scaling.address,
        "query": query,
        "threshold": Commented(str(scaling.threshold), scaling.threshold_reason),
        "ignoreNullValues": Commented("false", _EMPTY),
    }
    return {"type": "prometheus", "metricType": "AverageValue", "metadata": told}
