"""`helm`: values held against the keys of the chart, and read as it writes them into a pod.

The chart writes them down as they are, so that its templates need not be at hand; a key that it
does not know it would ignore.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from generator.catalogue.catalogue import load_catalogue
from generator.targets import limitations
from tests.consumers import kubernetes
from tests.consumers.effective import ConsumerError, Effective
from tests.consumers.same import bytes_of, environment_in_a_container

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from generator.plan import Plan

# Below these the chart writes what Kubernetes reads.
PLACES = {
    "affinity": "affinity",
    "podSecurityContext": "securityContext",
    "runtimeClassName": "runtimeClassName",
    "tolerations": "tolerations",
    "volumes": "volumes",
}
IN_THE_BOX = {
    "extraEnv": "env",
    "extraEnvFrom": "envFrom",
    "securityContext": "securityContext",
    "volumeMounts": "volumeMounts",
    "resources": "resources",
}


def complaints(folder: Path, plan: Plan) -> list[str]:
    every = [_values(file) for file in sorted(folder.glob("*.yaml"))]
    faults = [fault for values in every for fault in _unknown(values)]
    return [*faults, *kubernetes.verify([_deployment(values) for values in every])]


def _values(file: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return values


def _unknown(table: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield each key that the chart does not know."""
    known = load_catalogue().at("ollama").accepted("helm").below(path)
    for key, value in table.items():
        if known is not None and key not in known:
            yield f"the chart has no `{'.'.join((*path, key))}`"
        elif isinstance(value, dict):
            yield from _unknown(value, (*path, key))


def _deployment(values: dict[str, Any]) -> dict[str, Any]:
    """Return the Deployment that the chart makes of values, as far as they tell of it."""
    labels = {"app.kubernetes.io/name": "ollama"}
    box = {key: values[value] for value, key in IN_THE_BOX.items() if value in values}
    box |= {"name": "ollama", "image": f"{values['image']['repository']}:{values['image']['tag']}"}
    pod = {key: values[value] for value, key in PLACES.items() if value in values}
    volumes = [*pod.pop("volumes", ()), {"name": "ollama-data", "emptyDir": {}}]
    template = {
        "metadata": {"labels": labels},
        "spec": {**pod, "volumes": volumes, "containers": [box]},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": values["fullnameOverride"]},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def read(folder: Path, plan: Plan) -> Effective:
    if faults := complaints(folder, plan):
        raise ConsumerError("\n".join(faults))
    values = _values(folder / "values.yaml")
    told = kubernetes.environment({"env": values["extraEnv"]})
    home = told.pop("HOME")
    limits = values["resources"].get("limits", {})
    cpu = kubernetes.quantity(limits["cpu"]) if "cpu" in limits else None
    return Effective(
        environment=told,
        restart="always",
        cpu_quota_percent=None if cpu is None else round(cpu * 100),
        memory_max=round(kubernetes.quantity(limits["memory"])) if "memory" in limits else None,
        extra={"values": values, "home": home},
    )


def compare(plan: Plan, found: Effective) -> None:
    service, values = plan.service, found.extra["values"]
    assert service.pod is not None
    assert found.environment == environment_in_a_container(plan)
    quota = service.limit("cpu_quota")
    assert found.cpu_quota_percent == (quota.value if quota else None)
    assert found.memory_max == bytes_of(plan, "memory_max")
    assert values["image"] == {"repository": "ollama/ollama", "tag": service.release}
    assert values["service"]["port"] == service.listen.port
    assert values["ollama"]["mountPath"].startswith(found.extra["home"])
    models = values["ollama"].get("models", {})
    assert models.get("pull", []) == [model.name for model in service.models]
    gpus = values["ollama"].get("gpu", {}).get("number")
    ids = service.devices.ids if service.devices else ()
    assert gpus == (len(ids) or len(plan.host.gpus) if service.devices else None)
    said = {finding.where for finding in limitations("helm", plan)}
    for name in ("allowed_cpus", "memory_high", "tasks_max", "oom_score_adjust", "cpu_weight"):
        assert (f"resources.{name}" in said) == (service.limit(name) is not None), name
