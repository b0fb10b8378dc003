"""Target `k8s`: manifests for Kubernetes, a StatefulSet for each server, and a kustomization. With
`k8s.serve = "kserve"` it is an LLMInferenceService for each instead.

A container that ends before the server begins pulls and creates the models, on the same claim: a
server must run for that, and a Job beside it would reach one replica of several. See
kubernetes.io/docs/concepts/workloads/pods/init-containers.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from generator.formats.kubernetes import data_key, documents, literal, size
from generator.formats.shell import quote
from generator.formats.template import render_template
from generator.formats.text import Commented, comment
from generator.formats.yaml import Lines, to_yaml
from generator.plan import ADDRESS, Step
from generator.targets import kserve
from generator.targets.base import File, LeftOut
from generator.targets.components import components
from generator.targets.container import LOCALHOST, MODELFILE_DIR, build_files, mounted, words
from generator.targets.front.kubernetes import front, front_name, fronts
from generator.targets.pod import (
    MODELS,
    NOT_IN_PODS,
    PORT,
    affinity,
    credentials_secret,
    environment,
    image,
    labels,
    made,
    mounts,
    name_of,
    pod_of,
    pod_security,
    probe,
    resources,
    same_environment,
    secrets,
    security,
    selector,
    sources,
    told,
    tolerations,
    volumes,
)
from generator.units import address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from generator.plan import Job, Modelfile, Plan, Service
    from generator.targets.pod import Object

    Make = Callable[[Plan, Service, str], Object]

LEFT_OUT: Final = (
    *NOT_IN_PODS,
    LeftOut("in the commands of the jobs, and the pod's own", "Model.name Variable.reason"),
    LeftOut("for the target `helm`", "Pod.chart"),
    LeftOut("a pod has as long as the servers behind it", "Front.drain_seconds"),
    LeftOut("whoever runs the pod bounds and places it", "Step.seconds"),
    LeftOut("in what its plugin or driver calls the GPUs", "PodGpus.maker"),
    LeftOut("the front tells the same, and what waits there too", "Scaling.own Scaling.own_reason"),
    LeftOut(
        "a cluster has a Prometheus, Alertmanager and Grafana of its own",
        "Monitor.follow Monitor.alertmanager Monitor.prober Monitor.says Monitor.scrapes "
        "Monitor.absent Monitor.rows Monitor.receiver Monitor.collector Monitor.reason "
        "Alert.trials",
    ),
    LeftOut(
        "a pod of its own has its image, and the rights of a restricted one",
        "Front.program Front.unit Front.product Front.confined",
    ),
    LeftOut(
        "KServe has a gateway before its pods, and they have no names that a front could ask",
        key="front",
        of_host=lambda plan: plan.front and _is_kserve(plan),
        fix='write k8s.router = "route" or "scheduler"',
        when="with KServe",
    ),
    LeftOut(
        "KServe adds pods by an autoscaler of its own, and ours asks the front",
        key="scale.max_replicas",
        asked=lambda service: pod_of(service).kserve and pod_of(service).scaling,
        fix="write as many as are wanted into k8s.replicas, or leave it to that of KServe",
        when="with KServe",
    ),
    LeftOut(
        "KServe has the models on the disk of the node, which has no claim",
        key="k8s.storage_class",
        asked=lambda service: pod_of(service).kserve and pod_of(service).storage.storage_class,
        fix="leave it out, or have a StatefulSet make the pods",
        when="with KServe",
    ),
)
_MODELFILES: Final = "modelfiles"
_BRINGS: Final = frozenset({"pull", "create"})
_ALONE: Final = "One at a time; `maxUnavailable` lets a node be drained of the only one, too."
_NO_LINKS: Final = "Else each Service of the namespace is told in variables, under its name."
_PARALLEL: Final = "Replicas do not wait for each other, and each pulls its own models."
_SAME: Final = "As the server below has them, but that no other reaches this one."
_APART: Final = (
    "Where the cluster has their operators, add `components: [{}]`: their kinds are none of "
    "Kubernetes itself."
)
_AGAIN: Final = "As many as there are at least; `scaling` takes this line away, for KEDA says it."
_BEHIND: Final = "The front alone reaches it: what went past that would go past its queue."
_BEFORE: Final = "A server of its own, on the same claim, for the models: no other can pull them."


def render(plan: Plan) -> tuple[File, ...]:
    """Return the manifests, a file for each kind, and the kustomization."""
    made_of = _OF_KSERVE if _is_kserve(plan) else _OF_ITS_OWN
    kinds: dict[str, tuple[Make, ...]] = {
        **made_of,
        "poddisruptionbudget": (_budget,),
        "networkpolicy": (_policy,),
        "configmap": (_modelfiles,),
        "resourceclaimtemplate": (_claim,),
    }
    first = next(iter(made_of))
    files = [file for kind, make in kinds.items() for file in _file(plan, kind, make, first)]
    before = [] if _is_kserve(plan) else [front(plan)]
    files += [File("front.yaml", documents(plan.header, each)) for each in before if each]
    listed = [file.path for file in files]
    apart = _apart(plan)
    return (
        *files,
        _kustomization(plan, listed, apart),
        *apart,
        *build_files(plan, "build"),
    )


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:
    """Return the README."""
    named = [(service, name_of(service)) for service in plan.services]
    found = {
        name: (secrets(service, name), _credentials(service), credentials_secret(name))
        for service, name in named
    }
    context = {
        "front": front_name(plan) if plan.front and not _is_kserve(plan) else "",
        "kserve": _kserve(plan),
        "chosen": {name: _joined(_chosen(service, name)) for service, name in named},
        "others": _others(plan),
        "plan": plan,
        "named": named,
        "made": found,
        "before": bool(_before(*named[0])),
        "apart": _folders(_apart(plan)),
        "quote": quote,
    }
    paths = [file.path for file in files if file.path.endswith(".yaml")]
    text = render_template("k8s/README.md.jinja", **context, files=paths)
    return (File("README.md", text),)


def _others(plan: Plan) -> str:
    """Return what selects the objects of this profile that its files no longer have."""
    every = [labels(plan, selector(one), one.release) for one in plan.services]
    own = [each["app.kubernetes.io/instance"] for each in every]
    own += [front_name(plan)] if plan.front else []
    part = f"app.kubernetes.io/part-of={every[0]['app.kubernetes.io/part-of']}"
    return f"{part},app.kubernetes.io/instance notin ({','.join(own)})"


def _credentials(service: Service) -> dict[str, str]:
    return {one.name: one.path for one, _ in mounted(service, decrypted=True)}


def _is_kserve(plan: Plan) -> bool:
    return pod_of(plan.services[0]).kserve is not None


def _kserve(plan: Plan) -> Object:
    """Return what the README says of KServe; nothing where it makes no pods."""
    own = pod_of(plan.services[0]).kserve
    if own is None:
        return {}
    told = {"service": kserve.SERVICE, "box": kserve.SERVER, "downloads": kserve.DOWNLOADS}
    return {**told, "router": own.router, "version": own.version, "port": own.port}


def _joined(marks: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in marks.items())


def _apart(plan: Plan) -> tuple[File, ...]:
    """Return the components: they are about a front and a StatefulSet."""
    return () if _is_kserve(plan) else components(plan)


def _file(plan: Plan, kind: str, makes: Sequence[Make], first: str) -> Iterator[File]:
    every = [make(plan, service, name_of(service)) for service in plan.services for make in makes]
    objects = [one for one in every if one]
    if objects:
        gone = dict.fromkeys(one.reason for each in plan.services for one in each.omissions)
        above = [*plan.header, *gone] if kind == first else plan.header
        yield File(f"{kind}.yaml", documents(above, objects))


def _made(plan: Plan, service: Service, kind: str, name: str, **parts: object) -> Object:
    return made(kind, name, pod_of(service).namespace, _labels(plan, service), **parts)


def _labels(plan: Plan, service: Service) -> dict[str, str]:
    return labels(plan, selector(service), service.release)


def _stateful_set(plan: Plan, service: Service, name: str) -> Object:
    pod = pod_of(service)
    spec = {
        "replicas": Commented(pod.replicas, _AGAIN if pod.scaling else ""),
        "serviceName": f"{name}-pods",
        "podManagementPolicy": Commented("Parallel", _PARALLEL),
        "selector": {"matchLabels": selector(service)},
        "template": {
            "metadata": {"labels": _labels(plan, service), **_annotations(service)},
            "spec": _pod(service, name),
        },
        "volumeClaimTemplates": [_volume_claim(service)],
    }
    return _made(plan, service, "apps/v1/StatefulSet", name, spec=spec)


def _of_kserve(plan: Plan, service: Service, name: str) -> Object:
    own = pod_of(service).kserve
    assert own is not None  # noqa: S101 -- whoever calls has looked
    return kserve.service_of(service, own, name, _labels(plan, service))


def _chosen(service: Service, name: str) -> dict[str, str]:
    """Return the labels by which the pods of a service are found, whoever makes them."""
    return kserve.selector(name) if pod_of(service).kserve else selector(service)


def _annotations(service: Service) -> Object:
    """Return what changes with the Modelfiles, so that pods start anew when those do."""
    texts = [model.modelfile.text for model in service.models if model.modelfile]
    if not texts:
        return {}
    digest = hashlib.sha256("\0".join(texts).encode()).hexdigest()
    return {"annotations": {"hostwright/modelfiles": digest}}


def _pod(service: Service, name: str) -> Object:
    pod, held = pod_of(service), pod_of(service).gpus
    claims = [{"name": "gpu", "resourceClaimTemplateName": f"{name}-gpu"}]
    before = _before(service, name)
    parts: Object = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": Commented(False, _NO_LINKS),
        "runtimeClassName": pod.runtime_class,
        "terminationGracePeriodSeconds": Commented(pod.grace_seconds, pod.grace_reason),
        "securityContext": pod_security(pod),
        "affinity": affinity(pod),
        "tolerations": tolerations(held),
        "resourceClaims": claims if held and held.mode == "dra" else [],
        "initContainers": [before] if before else [],
        "containers": [_server(service, name)],
        "volumes": [*volumes(service, name), *_configured(service, name)],
    }
    return {key: value for key, value in parts.items() if value not in ("", {}, [])}


def _configured(service: Service, name: str) -> list[Object]:
    if not _created(service):
        return []
    items = [{"key": key, "path": file.file} for key, file in _keyed(service).items()]
    held = {"name": f"{name}-{_MODELFILES}", "items": items}
    return [{"name": _MODELFILES, "configMap": held}]


def _keyed(service: Service) -> dict[str, Modelfile]:
    """Return the Modelfiles by what a ConfigMap may call them."""
    files = [model.modelfile for model in service.models if model.modelfile]
    return {data_key(f"{number}.{file.file}"): file for number, file in enumerate(files, 1)}


def _server(service: Service, name: str) -> Object:
    pod, named = pod_of(service), sources(service, name)
    return {
        "name": service.engine,
        "image": image(service),
        **({"args": told(service)} if told(service) else {}),
        "ports": [{"name": PORT, "containerPort": service.container.port}],
        **({"envFrom": named} if named else {}),
        "env": environment(service),
        "resources": resources(service),
        "securityContext": security(pod),
        "startupProbe": Commented(probe(service, pod.start), pod.start.reason),
        "readinessProbe": Commented(probe(service, pod.ready), pod.ready.reason),
        "livenessProbe": Commented(probe(service, pod.alive), pod.alive.reason),
        "lifecycle": {
            "preStop": Commented({"exec": {"command": list(pod.drain)}}, pod.drain_reason)
        },
        "volumeMounts": mounts(service),
    }


def _before(service: Service, name: str) -> Object:
    """Return what pulls and creates the models; nothing where there are none."""
    jobs = service.alone or tuple(job for job in service.jobs if job.kind in _BRINGS)
    if not jobs:
        return {}
    named, told = sources(service, name), _addresses(service, jobs)
    mount = {"name": _MODELFILES, "mountPath": MODELFILE_DIR, "readOnly": True}
    reasons = " ".join([_BEFORE, *(job.reason for job in jobs)])
    return Commented(  # type: ignore[return-value]
        {
            "name": MODELS,
            "image": image(service),
            "command": ["/bin/sh", "-c"],
            "args": [Lines(literal(_script(service, jobs), "models"))],
            **({"envFrom": named} if named else {}),
            "env": Commented(same_environment(service, **told), _SAME),
            "resources": resources(service, gpus=False),
            "securityContext": security(pod_of(service)),
            "volumeMounts": [*mounts(service), *([mount] if _created(service) else [])],
        },
        reasons,
    )


def _addresses(service: Service, jobs: Sequence[Job]) -> dict[str, str]:
    """Return what tells the server before the server, and its client, where it listens."""
    place = address(LOCALHOST, service.container.port)
    told = (v for job in jobs for v in job.environment if v.scope == "any")
    return {v.name: place for v in told if v.value == ADDRESS}


def _script(service: Service, jobs: Sequence[Job]) -> str:
    """Return the lines that start a server, bring the models to it, and end."""
    steps = [step for job in jobs for step in job.commands]
    waits = [job.wait for job in jobs if job.wait]
    bounded = [f"timeout {pod_of(service).wait_seconds} {_line(service, one)}" for one in waits[:1]]
    lines = [*bounded, *(_line(service, step) for step in steps)]
    return "\n".join(["set -e", f"{_line(service, Step(argv=service.command))} &", *lines, ""])


def _line(service: Service, step: Step) -> str:
    return " ".join(map(quote, words(service, step)))


def _created(service: Service) -> bool:
    return any(model.modelfile for model in service.models)


def _volume_claim(service: Service) -> Object:
    room = pod_of(service).storage
    request = {"requests": {"storage": Commented(size(room.size), room.reason)}}
    named = {"storageClassName": room.storage_class} if room.storage_class else {}
    spec = {"accessModes": ["ReadWriteOnce"], **named, "resources": request}
    return {"metadata": {"name": MODELS}, "spec": spec}


def _service(plan: Plan, service: Service, name: str) -> Object:
    ports = [{"name": PORT, "port": service.listen.port, "targetPort": PORT}]
    spec = {"type": "ClusterIP", "selector": selector(service), "ports": ports}
    return _made(plan, service, "v1/Service", name, spec=spec)


def _headless(plan: Plan, service: Service, name: str) -> Object:
    """Return what gives each pod a name of its own."""
    ports = [{"name": PORT, "port": service.container.port, "targetPort": PORT}]
    spec = {"clusterIP": "None", "selector": selector(service), "ports": ports}
    return _made(plan, service, "v1/Service", f"{name}-pods", spec=spec)


def _budget(plan: Plan, service: Service, name: str) -> Object:
    spec = {
        "maxUnavailable": Commented(1, _ALONE),
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": _chosen(service, name)},
    }
    return _made(plan, service, "policy/v1/PodDisruptionBudget", name, spec=spec)


def _policy(plan: Plan, service: Service, name: str) -> Object:
    own = pod_of(service).kserve
    port = {"port": own.port if own else service.container.port, "protocol": "TCP"}
    reach = own or pod_of(service)
    within: Object = {} if reach.everywhere else {"from": [{"podSelector": {}}]}
    reason = reach.reach_reason
    if plan.front and not own:
        within = {"from": [{"podSelector": {"matchLabels": fronts(plan)}}]}
        reason = _BEHIND
    above = (reason, *service.listen.comment[1:])
    spec = {
        "podSelector": {"matchLabels": _chosen(service, name)},
        "policyTypes": ["Ingress"],
        "ingress": Commented([{**within, "ports": [port]}], above),
    }
    return _made(plan, service, "networking.k8s.io/v1/NetworkPolicy", name, spec=spec)


def _modelfiles(plan: Plan, service: Service, name: str) -> Object:
    data = {key: Lines(file.text) for key, file in _keyed(service).items()}
    if not data:
        return {}
    return _made(plan, service, "v1/ConfigMap", f"{name}-{_MODELFILES}", data=data)


def _claim(plan: Plan, service: Service, name: str) -> Object:
    held = pod_of(service).gpus
    if held is None or held.mode != "dra":
        return {}
    chosen = [{"cel": {"expression": text}} for text in held.selectors]
    exactly = {"deviceClassName": held.device_class, "allocationMode": "ExactCount",
               "count": held.count, **_told(chosen, held.selectors_reason)}  # fmt: skip
    spec = {"spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}}
    return _made(
        plan, service, "resource.k8s.io/v1/ResourceClaimTemplate", f"{name}-gpu", spec=spec
    )


_OF_ITS_OWN: Final = {"statefulset": (_stateful_set,), "service": (_service, _headless)}
_OF_KSERVE: Final = {"llminferenceservice": (_of_kserve,)}
"""What has the pods made; the file of the first kind says what is left out of the profile."""


def _told(chosen: list[Object], reason: str) -> Object:
    return {"selectors": Commented(chosen, reason)} if chosen else {}


def _folders(apart: Sequence[File]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(file.path.partition("/")[0] for file in apart))


def _kustomization(plan: Plan, paths: Sequence[str], apart: Sequence[File]) -> File:
    folders = _folders(apart)
    named = ", ".join(f'"{folder}"' for folder in folders)
    told = [_APART.format(named)] if folders else []
    above = "\n".join(line for text in (*plan.header, *told) for line in comment(text))
    document: Object = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": Commented(list(paths), ""),
    }
    return File("kustomization.yaml", f"{above}\n{to_yaml(document)}")
