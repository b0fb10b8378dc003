"""What a manifest or the values of a chart say beside the server: a line each, for nothing of it is
about one host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import HostwrightError
from generator.importing.entries import Left
from generator.readers.base import Source
from generator.readers.kubernetes.resources import documents_of
from generator.readers.syntax.yaml_tree import Items, Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.importing.entries import Entry
    from generator.readers.syntax.yaml_tree import Node
    from generator.view import View

OF_CLUSTERS: Final = frozenset({"kubernetes", "helm"})
_REASON: Final = "it is about a cluster, and a profile about one host"
_SAID: Final = frozenset({"name", "image", "env", "envFrom", "ports", "command", "args"})
"""Of a container, what a View has as something else."""
_MOST: Final = 40


def leftovers(view: View, found: list[Entry | Left], texts: Mapping[str, str]) -> Iterator[Left]:
    """Yield what no entry was made of, by its path: `spec.replicas`, `template.spec.volumes`."""
    try:
        documents = documents_of(Source(view.place.file, texts.get(view.place.file, "")))
    except HostwrightError:
        documents = []
    helm = view.phrases.kind == "helm"
    every = [pair for one in documents for pair in (_values(one) if helm else _workload(one, view))]
    places = [one.place for one in found if one.place.file == view.place.file]
    # A chart's own image has no line in its values, and is said to be on the first.
    used = {place.line for place in places if not place.key.startswith("image.")}
    some = [
        Left(
            name=name,
            value=node.text if isinstance(node, Scalar) else "",
            place=table.place_of(name.rpartition(".")[2]),
            reason=_REASON,
            idle=True,
        )
        for name, node, table in every
        if used.isdisjoint({table.place_of(name.rpartition(".")[2]).line, *_lines(node)})
    ]
    yield from some[:_MOST]
    if not some:
        yield Left(name=view.name, value="", place=view.place, reason=_REASON, idle=True)


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


def _values(table: Table) -> Iterator[tuple[str, Node, Table]]:
    """Yield the keys of the values of a chart."""
    for name, node in table.entries.items():
        yield name, node, table


def _workload(document: Table, view: View) -> Iterator[tuple[str, Node, Table]]:
    """Yield the keys of a workload, its pod and the container of a View; of others nothing."""
    spec = document.table("spec")
    pods = [("template.spec", spec.table("template", "spec")), ("spec", spec)]
    for path, pod in pods:
        boxes = [one for one in pod.items("containers") if isinstance(one, Table)]
        ours = [one for one in boxes if view.place.line in {p.line for p in one.places.values()}]
        if not ours:
            continue
        outer = () if pod is spec else spec.entries.items()
        for name, node in outer:
            if name not in {"template", "selector"}:
                yield f"spec.{name}", node, spec
        for name, node in pod.entries.items():
            if name not in {"containers", "hostNetwork"}:
                yield f"{path}.{name}", node, pod
        for name, node in ours[0].entries.items():
            if name not in _SAID:
                yield f"containers.{name}", node, ours[0]
        return
