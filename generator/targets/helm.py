"""Target `helm`: values for a chart that runs the engine. Ollama's is otwld/ollama-helm, and
what vLLM's is has a module of its own.

The chart is a Deployment with one claim, and pulls, creates and runs models by a hook after the
start, until whose end no probe is asked and nobody is sent to the pod; it writes what values say as
they are, but for templates of models, which a shell reads. The Plan says which release of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.errors import NotForEngine, RenderError
from generator.formats.kubernetes import object_name, size
from generator.formats.shell import heredoc, quote
from generator.formats.template import render_template
from generator.formats.text import Commented, comment
from generator.formats.yaml import Lines, to_yaml
from generator.targets import production_stack
from generator.targets.base import File, LeftOut
from generator.targets.container import build_files, mounted
from generator.targets.pod import (
    NOT_IN_PODS,
    affinity,
    credentials_secret,
    environment,
    image,
    mounts,
    pod_of,
    pod_security,
    resources,
    secrets,
    security,
    sources,
    tolerations,
    volumes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.plan import Modelfile, Plan, Service
    from generator.pod import Chart, Pod, PodGpus, Probe
    from generator.targets.pod import Object

ENGINE: Final = "ollama"
_DATA: Final = "ollama-data"
"""What the chart calls the volume of its claim."""
_CREATED: Final = "A shell reads it before the server does, so that `$` has a backslash."
_OWN: Final = "use the k8s target"


def _of_ollama(item: LeftOut) -> LeftOut:
    return replace(
        item, of_host=lambda plan: plan.cache and not _is_stack(plan), when="with Ollama"
    )


def _is_chosen(service: Service) -> bool:
    gpus = pod_of(service).gpus
    return gpus is not None and bool(gpus.selectors)


def _is_claimed(service: Service) -> bool:
    gpus = pod_of(service).gpus
    return gpus is not None and gpus.mode == "dra"


def _of_stack(service: Service) -> bool:
    return service.engine == production_stack.ENGINE


def _is_alone(service: Service) -> bool:
    """Return whether there can be no second pod of it, and one is asked for."""
    pod = pod_of(service)
    return service.engine == ENGINE and (pod.replicas > 1 or pod.scaling is not None)


LEFT_OUT: Final = (
    *(_of_ollama(item) if item.key == "cache" else item for item in NOT_IN_PODS),
    LeftOut(
        "the chart's cache server keeps what prompts were computed to, and no answers",
        key="cache",
        of_host=lambda plan: plan.cache and _is_stack(plan),
        when="with vLLM",
        fix="run LiteLLM and Redis by charts of their own, or leave it out",
    ),
    LeftOut(
        "the chart runs the program, and makes files of the models that it creates",
        "Container.program Service.command Modelfile.file",
    ),
    LeftOut("a cluster has a Prometheus of its own", "Plan.monitor"),
    LeftOut("the chart has none; that of the k8s target would need its Service", "Plan.front"),
    LeftOut(
        "for another engine, which has another chart",
        "Service.arguments",
    ),
    LeftOut(
        "for a front, and one claim",
        "Service.name Pod.beside_cpu Pod.beside_memory Pod.beside_seconds Pod.beside_reason "
        "Pod.domain Pod.leave_seconds Pod.most",
    ),
    LeftOut(
        "the chart has one claim for all pods, and two servers must not write to one",
        "Scaling.address Scaling.own Scaling.own_reason Scaling.pause_reason "
        "Scaling.pause_seconds Scaling.query Scaling.query_reason Scaling.threshold "
        "Scaling.threshold_reason",
        key="k8s.replicas",
        asked=_is_alone,
        fix=_OWN,
    ),
    LeftOut(
        "the chart has one hook, by which it brings the models, and so none before the end",
        "Pod.drain Pod.drain_reason Pod.grace_reason Pod.wait_seconds",
        key="k8s.longest_answer",
        asked=lambda service: service.engine == ENGINE and pod_of(service).grace_seconds,
        fix=_OWN,
        severity="info",
        when="with Ollama",
    ),
    LeftOut(
        "the chart has no word for it: a pod that is to stop has 30 seconds for its answers",
        key="k8s.longest_answer",
        asked=lambda service: _of_stack(service) and pod_of(service).grace_seconds,
        fix=_OWN,
        when="with vLLM",
    ),
    LeftOut(
        "the chart's own hook has the models pulled and loaded before anybody is sent to the pod",
        "Service.alone Job.steps Job.wait Job.environment Job.reason Probe.argv Pod.start",
    ),
    LeftOut("the chart's claim has no word for it", "PodGpus.selectors_reason"),
    LeftOut(
        "the chart's claim says how many devices, not what they must be",
        key="k8s.gpu",
        asked=lambda service: service.engine == ENGINE and _is_chosen(service),
        fix=_OWN,
        when="with Ollama",
    ),
    LeftOut(
        "the chart has no claims of devices; the device plugin's resource is asked for",
        key="k8s.gpu",
        asked=lambda service: _of_stack(service) and _is_claimed(service),
        fix=_OWN,
        when="with vLLM",
    ),
    LeftOut(
        "the chart makes the pods",
        "Kserve.version Kserve.port Kserve.router Kserve.reason Kserve.disk Kserve.start "
        "Kserve.everywhere Kserve.reach_reason",
        key="k8s.serve",
        asked=lambda service: pod_of(service).kserve,
        fix=_OWN,
        severity="info",
        when="that is KServe",
    ),
    LeftOut(
        "the chart has no NetworkPolicy: every pod of the cluster reaches it",
        "Pod.reach_reason",
        key="host",
        asked=lambda service: not pod_of(service).everywhere,
        fix="add one, or use the k8s target",
        when="that is local",
    ),
)


def render(plan: Plan) -> tuple[File, ...]:
    """Return the values of each server, or of the chart that has them all."""
    if _is_stack(plan):
        return (_of_servers(plan),)
    return (*(_file(plan, service) for service in plan.services), *build_files(plan, "build"))


def _of_servers(plan: Plan) -> File:
    """Return the one file of a chart that has all servers."""
    reasons = (one.reason for service in plan.services for one in service.omissions)
    texts = [*plan.header, _for(plan.services[0]), *dict.fromkeys(reasons)]
    above = "\n".join(line for text in texts for line in comment(text))
    return File("values.yaml", f"{above}\n{to_yaml(production_stack.values(plan.services))}")


def install_note(plan: Plan, files: Sequence[File]) -> tuple[File, ...]:  # noqa: ARG001 -- contract
    """Return the README."""
    if _is_stack(plan):
        return (_note_of_stack(plan),)
    named = [(service, _name(service)) for service in plan.services]
    made = {
        name: (secrets(service, name), _credentials(service), credentials_secret(name))
        for service, name in named
    }
    logs = {name: name for _, name in named}
    return (_note(plan, named, made, logs),)


def _note_of_stack(plan: Plan) -> File:
    """Return the README of one release with all servers."""
    name, first = object_name(plan.name, "name"), plan.services[0]
    every = ((one, object_name(one.container.name, "container.name")) for one in plan.services)
    files = {secret: file for one, own in every for secret, file in secrets(one, own).items()}
    logs = {name: f"{name}-{first.container.name}-deployment-vllm"}
    return _note(plan, [(first, name)], {name: (files, {}, "")}, logs)


def _note(
    plan: Plan,
    named: Sequence[tuple[Service, str]],
    made: Mapping[str, object],
    logs: Mapping[str, str],
) -> File:
    told: Object = {"plan": plan, "named": named, "made": made, "logs": logs, "quote": quote}
    told |= {"stack": _is_stack(plan), "chart": _chart(named[0][0])}
    return File("README.md", render_template("helm/README.md.jinja", **told))


def _for(service: Service) -> str:
    chart = _chart(service)
    return f"Values for the chart {chart.name} {chart.version} of {chart.repository}"


def _chart(service: Service) -> Chart:
    """Return the chart; a plan that an older release wrote has not said."""
    chart = pod_of(service).chart
    if chart is None:
        raise RenderError(
            "this plan does not say which chart its values are for",
            hint="write it again with `gen plan PROFILE`",
            where="services.pod.chart",
        )
    return chart


def _is_stack(plan: Plan) -> bool:
    return _of_stack(plan.services[0])


def _credentials(service: Service) -> dict[str, str]:
    return {one.name: one.path for one, _ in mounted(service, decrypted=True)}


def _name(service: Service) -> str:
    if service.engine != ENGINE:
        raise NotForEngine(
            f"`helm` has values for no chart of {service.product}, and this profile is for "
            f"{service.product}",
            hint="use another target: `-t k8s` writes the manifests themselves",
        )
    return object_name(service.container.name, "container.name")


def _file(plan: Plan, service: Service) -> File:
    name = _name(service)
    texts = [*plan.header, _for(service), *(one.reason for one in service.omissions)]
    above = "\n".join(line for text in texts for line in comment(text))
    file = "values.yaml" if len(plan.services) == 1 else f"{name}.yaml"
    return File(file, f"{above}\n{to_yaml(_values(service, name))}")


def _values(service: Service, name: str) -> Object:
    pod = pod_of(service)
    repository, _, tag = image(service).rpartition(":")
    parts: Object = {
        "fullnameOverride": name,
        "namespaceOverride": pod.namespace,
        "replicaCount": 1,
        "image": {"repository": repository, "tag": tag},
        ENGINE: _server(service, pod),
        "service": {"type": "ClusterIP", "port": Commented(service.listen.port, _reach(service))},
        "serviceAccount": {"automount": False},
        "runtimeClassName": pod.runtime_class,
        "resources": _resources(service, pod),
        "podSecurityContext": pod_security(pod),
        "securityContext": security(pod),
        "readinessProbe": Commented(_probe(pod.ready), pod.ready.reason),
        "livenessProbe": Commented(_probe(pod.alive), pod.alive.reason),
        "persistentVolume": _claim(pod),
        "extraEnvFrom": sources(service, name),
        "extraEnv": environment(service),
        "volumes": volumes(service, name),
        "volumeMounts": mounts(service, _DATA)[1:],
        "affinity": affinity(pod),
        "tolerations": _tolerations(pod.gpus),
    }
    return {key: value for key, value in parts.items() if value not in ("", {}, [])}


def _reach(service: Service) -> tuple[str, ...]:
    return service.listen.comment[1:]


def _type(gpus: PodGpus | None) -> str:
    """Return what the chart calls the maker of the cards; empty: it knows none of them."""
    maker = gpus.maker if gpus else ""
    return maker if maker in {"nvidia", "amd"} else ""


def _tolerations(gpus: PodGpus | None) -> list[Object]:
    """Return `tolerations` beside that of NVIDIA's resource, which the chart has itself."""
    own = gpus.resource if gpus and _type(gpus) == "nvidia" else ""
    return [each for each in tolerations(gpus) if each["key"] != own]


def _server(service: Service, pod: Pod) -> Object:
    models = service.models
    asked: Object = {
        "pull": [model.name for model in models],
        "create": [
            {
                "name": _plain(model.served),
                "template": Commented(_template(model.modelfile), _CREATED),
            }
            for model in models
            if model.modelfile
        ],
        "run": [name for job in service.jobs if job.kind == "warmup" for name in job.models],
    }
    told = {key: list(value) for key, value in asked.items() if value}
    return {
        "port": service.container.port,
        "mountPath": pod.home,
        **({"gpu": _gpu(pod.gpus)} if pod.gpus and _type(pod.gpus) else {}),
        **({"models": told} if told else {}),
    }


def _plain(name: str) -> str:
    """Return the name of a model, after which the chart calls a file."""
    if "/" in name:
        raise RenderError(
            f"the chart makes a file of the name `{name}`, and there is no such directory",
            hint="choose `serve_as` without `/`, or use the k8s target",
            where="models.serve_as",
        )
    return name


def _template(file: Modelfile) -> Lines:
    return Lines(heredoc(file.text, "models.parameters"))


def _gpu(gpus: PodGpus) -> Object:
    kind, dra = _type(gpus), gpus.mode == "dra"
    return {
        "enabled": True,
        "type": kind,
        "number": Commented(gpus.count, gpus.reason),
        **({"draEnabled": True, "draDriverClass": gpus.device_class} if dra else {}),
        **({"nvidiaResource": gpus.resource} if kind == "nvidia" and not dra else {}),
    }


def _resources(service: Service, pod: Pod) -> Object:
    """Return what the pod asks for; the chart adds the GPUs of makers that it knows."""
    return resources(service, gpus=not _type(pod.gpus))


def _probe(asked: Probe) -> Object:
    """Return a probe, of which the chart knows the path alone."""
    path = {"path": asked.path} if asked.path else {}
    return {
        **path,
        "initialDelaySeconds": asked.interval_seconds,
        "periodSeconds": asked.interval_seconds,
        "timeoutSeconds": asked.timeout_seconds,
        "failureThreshold": asked.failures,
    }


def _claim(pod: Pod) -> Object:
    room = pod.storage
    named = {"storageClass": room.storage_class} if room.storage_class else {}
    return {"enabled": True, **named, "size": Commented(size(room.size), room.reason)}
