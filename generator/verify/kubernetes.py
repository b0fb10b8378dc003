"""A pod: what the cluster holds of it, what its processes got, and its server, all by kubectl.

Nothing is changed: the script that takes a capture runs in the container, and the cluster's own
proxy asks the server, so that no port is forwarded.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from generator.engines import load_signs
from generator.errors import EnvironmentFailure, shortened
from generator.live.door import ask_bytes
from generator.records import dataclass
from generator.redact import HIDDEN, redacted
from generator.verify.capture import taken
from generator.verify.observed import Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.catalogue.records import SecretNames
    from generator.engines.base import AskApi
    from generator.plan import Service
    from generator.verify.machine import Machine

HELD: Final = frozenset({"cpu_quota", "memory_max"})
"""The limits that a pod has a word for."""
UNSUPPORTED: Final = "a pod has no word for it"
PODS: Final = "kubectl-pods.json"
LOG: Final = "kubectl-log.txt"
"""The names under which a capture keeps what kubectl says of the pod, and its log."""
_LOG: Final = 4_000_000  # bytes from its beginning
_QUANTITY: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(m|[kKMGTPE]i?)?")
_SCALES: Final = {
    "": 1.0,
    "m": 0.001,
    **{f"{unit}i": 2.0 ** (10 * at) for at, unit in enumerate("KMGTPE", 1)},
    **{unit: 10.0 ** (3 * at) for at, unit in enumerate("kMGTPE", 1)},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod and the container in it that has the server."""

    namespace: str
    name: str
    container: str
    spec: Mapping[str, Any]
    started: str = ""
    label: str = ""

    @property
    def place(self) -> tuple[str, ...]:
        """The options that name it."""
        return ("--namespace", self.namespace, self.name, "--container", self.container)


def found(service: Service, machine: Machine) -> Pod:
    """Return the pod of a service: by its labels, its image, or the container's name.

    First one of the namespace that kubectl is set to. Raises EnvironmentFailure: there is none.
    """
    name = service.container.name
    label = f"--selector=app.kubernetes.io/name={name}"
    for scope in ((), ("--all-namespaces", label)):
        told = machine.told(PODS, ("kubectl", "get", "pods", *scope, "-o", "json"))
        pods = sorted(_pods(service, told), key=lambda pod: not pod.started)
        if pods:
            return pods[0]
    why = machine.gaps.get("kubectl") or "no pod has its label, its image or its name"
    hint = "`kubectl config set-context --current --namespace NAME` says where to look"
    raise EnvironmentFailure(f"kubectl knows of no pod with {name}: {shortened(why)}", hint=hint)


def _pods(service: Service, told: str) -> Iterator[Pod]:
    signs, name = load_signs(service.engine), service.container.name
    for item in _records(_parsed(told).get("items")):
        meta, spec, state = (_table(item, key) for key in ("metadata", "spec", "status"))
        labels = {_table(meta, "labels").get(key) for key in ("app.kubernetes.io/name", "app")}
        labelled = name in labels
        every = _records(spec.get("containers"))
        ours = [
            one
            for one in every
            if one.get("name") == name or signs.is_image(_repository(str(one.get("image", ""))))
        ] or (every[:1] if labelled else [])
        for one in ours[:1]:
            yield Pod(
                namespace=str(meta.get("namespace", "")),
                name=str(meta.get("name", "")),
                container=str(one.get("name", "")),
                spec=one,
                started=str(state.get("startTime", "")) if state.get("phase") == "Running" else "",
                label=name if labelled else "",
            )


def _repository(image: str) -> str:
    return re.sub(r"(?:@.*|:[^/]*)$", "", image)


def held(pod: Pod, given: Mapping[str, str] | None) -> Held:
    """Return what the cluster holds of a container.

    `given` is what its process got: variables that another object has are not in the pod.
    """
    plain = {}
    for one in _records(pod.spec.get("env")):
        name, value = str(one.get("name", "")), one.get("value", "")
        if "valueFrom" not in one:
            plain[name] = str(value)
        elif given and name in given:
            plain[name] = given[name]
    others = dict(given or {}) if pod.spec.get("envFrom") else {}
    limits = _table(_table(pod.spec, "resources"), "limits")
    cpu, memory = _quantity(limits.get("cpu")), _quantity(limits.get("memory"))
    return Held(
        by="kubectl",
        name=f"{pod.namespace}/{pod.name}",
        variables=others | plain,
        limits={
            "cpu_quota": None if cpu is None else round(cpu * 100),
            "memory_max": None if memory is None else round(memory),
        },
        started=pod.started,
    )


def _quantity(value: object) -> float | None:
    """Return a quantity of Kubernetes as a number; None: none, or it is no such."""
    match = _QUANTITY.fullmatch(str(value))
    return float(match[1]) * _SCALES[match[2] or ""] if match else None


def kept(pod: Pod, secrets: SecretNames) -> str:
    """Return what a capture keeps of a pod: what `found` and `held` read, and no secret."""
    spec = {
        key: pod.spec[key] for key in ("name", "image", "envFrom", "resources") if key in pod.spec
    }
    one = {
        "metadata": {"namespace": pod.namespace, "name": pod.name, "labels": {"app": pod.label}},
        "spec": {"containers": [spec | {"env": [*_without_secrets(pod, secrets)]}]},
        "status": {"phase": "Running", "startTime": pod.started} if pod.started else {},
    }
    return json.dumps({"items": [one]})


def _without_secrets(pod: Pod, secrets: SecretNames) -> Iterator[Mapping[str, Any]]:
    for one in _records(pod.spec.get("env")):
        name, value = str(one.get("name", "")), one.get("value")
        if value is None:
            yield one
        else:
            clean = HIDDEN if secrets.has(name) else redacted(str(value), secrets.has)
            yield {"name": name, "value": clean}


def inside(pod: Pod, lines: str, seconds: float) -> dict[str, bytes]:
    """Return what the script of a capture keeps in the container. Raises EnvironmentFailure."""
    return taken(("kubectl", "exec", "--stdin", *pod.place, "--", "sh"), lines, seconds)


def log(pod: Pod, machine: Machine) -> str:
    """Return the beginning of what the container has written."""
    argv = ("kubectl", "logs", *pod.place, f"--limit-bytes={_LOG}")
    return machine.told(LOG, argv)


def api(pod: Pod, port: int, machine: Machine) -> AskApi:
    """Return who asks the server through the proxy of the cluster."""
    base = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}:{port}/proxy"

    def ask(path: str, body: dict[str, Any] | None = None, /) -> Mapping[str, Any]:
        verb = ("get", "--raw") if body is None else ("create", "--filename", "-", "--raw")
        given = b"" if body is None else json.dumps(body).encode()
        argv = ("kubectl", *verb, f"{base}{path}")
        answer = ask_bytes(argv, given=given, seconds=machine.left)
        if answer.code:
            why = answer.err.decode(errors="replace").strip().rpartition("\n")[2]
            raise EnvironmentFailure(f"{base}{path}: {shortened(why, 200)}")
        return _parsed(answer.out.decode(errors="replace"))

    return ask


def _parsed(told: str) -> Mapping[str, Any]:
    try:
        data = json.loads(told)
    except (RecursionError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _records(found: object) -> list[Mapping[str, Any]]:
    every = found if isinstance(found, list) else []
    return [one for one in every if isinstance(one, dict)]
