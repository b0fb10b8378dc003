"""What a manifest or the values of a chart say of the pods, which `[k8s]` has keys for, and what
they say besides: a line each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import HostwrightError
from generator.importing.entries import Entry, Left
from generator.readers.base import Source
from generator.readers.kubernetes.resources import documents_of
from generator.readers.syntax.yaml_tree import Items, Scalar, Table
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from generator.readers.syntax.yaml_tree import Node
    from generator.view import Place, View

OF_CLUSTERS: Final = frozenset({"kubernetes", "helm"})
_NO_KEY: Final = "no key of a profile says it"
_KEEP: Final = {
    "helm": "keep it in values of your own, and give them to helm after those that are rendered",
    "kubernetes": "keep it in a patch of the kustomization",
}
_NOTHING: Final = "it asks for nothing"
_EMPTY: Final = frozenset({"", "false", "~", "null"})
_SAID: Final = frozenset({"name", "image", "env", "envFrom", "ports", "command", "args"})
"""Of a container, what a View has as something else."""
_SAID_OF_CHART: Final = frozenset(
    {
        *("image", "fullnameOverride", "extraEnv", "extraEnvFrom", "nodeSelector"),
        "persistentVolume.enabled",
        *("{engine}.gpu.enabled", "{engine}.gpu.type", "{engine}.models"),
    }
)
"""Of the values of a chart, the same."""
_SAID_OF_PODS: Final = ("spec.nodeSelector", "template.spec.nodeSelector")
_OF_CHART: Final[Mapping[str, tuple[str, ...]]] = {
    "k8s.replicas": ("replicaCount",),
    "{engine}.port": ("{engine}", "port"),
    "k8s.storage": ("persistentVolume", "size"),
    "k8s.storage_class": ("persistentVolume", "storageClass"),
    "k8s.gpu_resource": ("{engine}", "gpu", "nvidiaResource"),
    "k8s.runtime_class": ("runtimeClassName",),
    "k8s.node_selector": ("nodeSelector",),
}
_OF_POD: Final[Mapping[str, tuple[str, ...]]] = {
    "k8s.runtime_class": ("runtimeClassName",),
    "k8s.node_selector": ("nodeSelector",),
}
_OF_CLAIM: Final[Mapping[str, tuple[str, ...]]] = {
    "k8s.storage": ("spec", "resources", "requests", "storage"),
    "k8s.storage_class": ("spec", "storageClassName"),
}
_NUMBERS: Final = frozenset({"{engine}.port", "k8s.replicas"})
_MOST: Final = 40


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of a file: its path as people write it, its value, and the table that has it."""

    path: str
    name: str
    node: Node
    table: Table

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.table.place_of(self.name)


def cluster(view: View, texts: Mapping[str, str]) -> Iterator[Entry]:
    """Yield what the pods of a View are told, as keys of `[k8s]`."""
    for document in _documents(view, texts):
        if view.phrases.kind == "helm":
            yield from _entries(document, _OF_CHART, view)
            continue
        pod, box = _pod(document, view)
        if box is None:
            continue
        yield from _entries(document, {"k8s.namespace": ("metadata", "namespace")}, view)
        yield from _entries(pod, _OF_POD, view)
        if pod is not document.table("spec"):
            yield from _entries(document, {"k8s.replicas": ("spec", "replicas")}, view)
        claims = document.items("spec", "volumeClaimTemplates")
        if len(claims) == 1 and isinstance(claims[0], Table):
            yield from _entries(claims[0], _OF_CLAIM, view)


def _entries(table: Table, keys: Mapping[str, tuple[str, ...]], view: View) -> Iterator[Entry]:
    for key, pattern in keys.items():
        path = [name.format(engine=view.engine) for name in pattern]
        node, name = table.get(*path), ".".join(path)
        place = table.table(*path[:-1]).place_of(path[-1])
        if isinstance(node, Scalar) and node.text not in _EMPTY:
            number = key in _NUMBERS and node.text.isdecimal()
            value: object = int(node.text) if number else node.text
            yield Entry(key=key.format(engine=view.engine), value=value, name=name, place=place)
        elif isinstance(node, Table) and node.entries:
            texts = {k: v.text for k, v in node.entries.items() if isinstance(v, Scalar)}
            yield Entry(key=key, value=texts, name=name, place=place)


def leftovers(view: View, found: list[Entry | Left], texts: Mapping[str, str]) -> Iterator[Left]:
    """Yield what no entry was made of, by its path: `spec.strategy`, `template.spec.volumes`."""
    helm = view.phrases.kind == "helm"
    every = (
        key
        for one in _documents(view, texts)
        for key in (_keys(one, "") if helm else _workload(one, view))
    )
    places = [one.place for one in found if one.place.file == view.place.file]
    # A chart's own image has no line in its values, and is said to be on the first.
    used = {place.line for place in places if not place.key.startswith("image.")}
    said = {path.format(engine=view.engine) for path in (_SAID_OF_CHART if helm else _SAID_OF_PODS)}
    unsaid = (left for key in every for left in _unsaid(key, used, said, set()))
    for key in [*unsaid][:_MOST]:
        yield _left(key, view)
    yield from _cards(view, texts) if helm else ()


def _left(key: _Key, view: View) -> Left:
    text = key.node.text if isinstance(key.node, Scalar) else ""
    idle = _is_empty(key.node)
    return Left(
        name=key.path,
        value=text,
        place=key.place,
        reason=_NOTHING if idle else _NO_KEY,
        fix="" if idle else _KEEP[view.phrases.kind],
        idle=idle,
    )


def _is_empty(node: Node) -> bool:
    """Whether a value asks for nothing: what is off, or has nothing in it."""
    if isinstance(node, Scalar):
        return node.text in _EMPTY
    if isinstance(node, Items):
        return not node.items
    return not node.entries or node.text("enabled") == "false"


def _cards(view: View, texts: Mapping[str, str]) -> Iterator[Left]:
    """Yield how many GPUs a chart asks for, where that is not the one that it asks for anyway."""
    path = (view.engine, "gpu", "number")
    for document in _documents(view, texts):
        number = document.text(*path)
        if number not in {"", "1"} and document.text(*path[:2], "enabled") == "true":
            reason, fix = "a pod asks for the cards of [host]", "name each by --gpu"
            place = document.table(*path[:2]).place_of(path[-1])
            yield Left(name=".".join(path), value=number, place=place, reason=reason, fix=fix)


def _documents(view: View, texts: Mapping[str, str]) -> list[Table]:
    try:
        return documents_of(Source(view.place.file, texts.get(view.place.file, "")))
    except HostwrightError:
        return []


def _unsaid(key: _Key, used: set[int], said: Collection[str], seen: set[int]) -> Iterator[_Key]:
    """Yield a key of whose lines none is used, or those within it of which that is so."""
    if key.path in said or id(key.node) in seen:
        return
    if used.isdisjoint({key.place.line, *_lines(key.node)}):
        yield key
    elif isinstance(key.node, Table):
        seen.add(id(key.node))
        for one in _keys(key.node, f"{key.path}."):
            yield from _unsaid(one, used, said, seen)


def _lines(node: Node) -> set[int]:
    """Return the lines on which a value stands, and all that is in it, each part once."""
    lines, left, seen = set[int](), [node], set[int]()
    while left:
        one = left.pop()
        if id(one) in seen:
            continue  # an alias of what was there
        seen.add(id(one))
        lines.add(one.place.line)
        left += one.items if isinstance(one, Items) else ()
        left += one.entries.values() if isinstance(one, Table) else ()
    return lines


def _keys(table: Table, prefix: str) -> Iterator[_Key]:
    """Yield the keys of a table, below a path."""
    for name, node in table.entries.items():
        yield _Key(f"{prefix}{name}", name, node, table)


def _pod(document: Table, view: View) -> tuple[Table, Table | None]:
    """Return the pod that has the container of a View, and that container; without it None."""
    spec = document.table("spec")
    for pod in (spec.table("template", "spec"), spec):
        for box in pod.items("containers"):
            lines = {one.line for one in box.places.values()} if isinstance(box, Table) else ()
            if isinstance(box, Table) and view.place.line in lines:
                return pod, box
    return spec, None


def _workload(document: Table, view: View) -> Iterator[_Key]:
    """Yield the keys of a workload, its pod and the container of a View; of others nothing."""
    pod, box = _pod(document, view)
    if box is None:
        return
    spec = document.table("spec")
    inner = pod is spec
    outer = () if inner else _keys(spec, "spec.")
    yield from (one for one in outer if one.name not in {"template", "selector"})
    within = _keys(pod, "spec." if inner else "template.spec.")
    yield from (one for one in within if one.name not in {"containers", "hostNetwork"})
    yield from (one for one in _keys(box, "containers.") if one.name not in _SAID)
