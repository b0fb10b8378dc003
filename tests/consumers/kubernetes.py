"""What Kubernetes makes of manifests: their schemas of three releases, and how a kubelet expands.

The schemas are those that the API server publishes, closed: a key that it does not know is refused,
as `kubectl apply` refuses it. What they do not say, and the server does, is asked here in a few
words: a selector that does not match, a volume or a claim that is not there.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import yaml

from tests.consumers import kserve
from tests.tools import require_package

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RELEASES = ("1.35", "1.36", "1.37")
MODELS = {
    "keda.sh/v1alpha1": "cloudcoil.models.keda.v1alpha1",
    "monitoring.coreos.com/v1": "cloudcoil.models.prometheus_operator.v1",
}
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_KEY = re.compile(r"[A-Za-z0-9._-]{1,253}")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|[KMGT]i?)?")
_FACTORS = {"": 1, "m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_REFERENCE = re.compile(r"\$\$|\$\((?P<name>[^()]*)\)")


def objects(folder: Path) -> list[dict[str, Any]]:
    """Return what the kustomization of a folder names, and its components, as YAML."""
    found: list[dict[str, Any]] = []
    for file in (folder / "kustomization.yaml", *sorted(folder.glob("*/kustomization.yaml"))):
        whole = yaml.safe_load(file.read_text(encoding="utf-8"))
        texts = ((file.parent / name).read_text(encoding="utf-8") for name in whole["resources"])
        found += [one for text in texts for one in yaml.safe_load_all(text)]
    return found


def one(found: list[dict[str, Any]], kind: str, name: str = "") -> dict[str, Any]:
    """Return the one object of a kind, or that of a name."""
    (only,) = (o for o in found if o["kind"] == kind and name in {"", o["metadata"]["name"]})
    return only


def verify(found: list[dict[str, Any]], releases: tuple[str, ...] = RELEASES) -> list[str]:
    """Return every fault, of the schemas and of what objects say of each other."""
    made = [each for each in found if each["apiVersion"] == kserve.API]
    others = [each for each in found if each not in made]
    own = [each for each in others if each["apiVersion"] not in MODELS] + [*map(kserve.pod, made)]
    faults = [fault for each in own for release in releases for fault in _schema(each, release)]
    faults += [fault for each in others if each not in own for fault in _model(each)]
    faults += [fault for each in made for fault in kserve.faults(each)]
    names = {(each["kind"], each["metadata"]["name"]) for each in found}
    faults += [f"{kind} {name}: no name" for kind, name in names if not _NAME.fullmatch(name)]
    for each in found:
        keys = each.get("data", {}) if each["kind"] == "ConfigMap" else {}
        faults += [f"no key of a ConfigMap: {key}" for key in keys if not _KEY.fullmatch(key)]
        if each["kind"] in {"StatefulSet", "Deployment"}:
            faults += _workload(each, names)
    return faults


def _schema(found: dict[str, Any], release: str) -> Iterator[str]:
    validator = _validator()
    try:
        validator.validate(found, release, strict=True)
    except (validator.ValidationError, validator.SchemaNotFoundError) as error:
        path = ".".join(str(part) for part in getattr(error, "path", ()))
        yield f"{release} {found['kind']} {path}: {error.message}"


def _model(found: dict[str, Any]) -> Iterator[str]:
    """Yield what the model of a kind that is none of Kubernetes itself has against an object.

    A model passes over a key that it does not know, so that what it has understood is compared.
    """
    package = require_package(MODELS[found["apiVersion"]])
    try:
        read = getattr(package, found["kind"]).model_validate(found)
    except ValueError as error:
        yield f"{found['kind']}: {error}"
        return
    understood = read.model_dump(by_alias=True, exclude_unset=True, mode="json")
    if understood != found:
        yield f"{found['kind']}: understood as {understood}"


@functools.cache
def _validator() -> Any:
    """Return the package, which reads each schema once."""
    utils: Any = require_package("kubernetes_validate.utils")
    utils.schema_contents = functools.cache(utils.schema_contents)
    return utils


def _workload(found: dict[str, Any], names: set[tuple[str, str]]) -> Iterator[str]:
    spec = found["spec"]
    pod, labels = spec["template"]["spec"], spec["template"]["metadata"]["labels"]
    if not spec["selector"]["matchLabels"].items() <= labels.items():
        yield "the selector does not match the labels of the pods"
    if found["kind"] == "StatefulSet" and ("Service", spec["serviceName"]) not in names:
        yield "there is no Service of that serviceName"
    claims = {each["metadata"]["name"] for each in spec.get("volumeClaimTemplates", ())}
    volumes = {each["name"]: each for each in pod.get("volumes", ())}
    for box in (*pod.get("initContainers", ()), *pod["containers"]):
        mounted = {mount["name"] for mount in box.get("volumeMounts", ())}
        yield from (f"no volume {name}" for name in mounted - claims - set(volumes))
        yield from _amounts(box.get("resources", {}))
    for volume in volumes.values():
        if "configMap" in volume and ("ConfigMap", volume["configMap"]["name"]) not in names:
            yield f"no ConfigMap for the volume {volume['name']}"


def _amounts(resources: dict[str, Any]) -> Iterator[str]:
    limits = resources.get("limits", {})
    for name, text in {**resources.get("requests", {}), **limits}.items():
        if not _QUANTITY.fullmatch(str(text)):
            yield f"{name}: no quantity {text}"
        elif name in limits and quantity(text) > quantity(limits[name]):
            yield f"{name}: more is asked for than may be had"


def quantity(text: str | int) -> float:
    """Return the number of a quantity."""
    digits = re.match(r"[0-9.]+", str(text))
    assert digits
    return float(digits[0]) * _FACTORS[str(text)[digits.end() :]]


def expanded(text: str, known: dict[str, str]) -> str:
    """Return text as the kubelet puts variables into it.

    As `Expand` of k8s.io/kubernetes/third_party/forked/golang/expansion does: what it does not know
    stays, and `$` before anything else stands for itself.
    """
    return _REFERENCE.sub(
        lambda found: "$" if found["name"] is None else known.get(found["name"], found[0]), text
    )


def environment(box: dict[str, Any]) -> dict[str, str]:
    """Return the variables that a container is started with, each knowing those before it."""
    found: dict[str, str] = {}
    for each in box.get("env", ()):
        found[each["name"]] = expanded(each.get("value", ""), found)
    return found
