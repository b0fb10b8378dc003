"""Kustomizations of Flux: each changes what stands in the directory that it deploys."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.readers.kubernetes.resources import Resources
    from generator.readers.syntax.yaml_tree import Table

_GROUP: Final = "kustomize.toolkit.fluxcd.io"
_CHANGES: Final = ("patches", "patchesStrategicMerge", "patchesJson6902", "images")


def lay_over(folders: Mapping[str, Resources]) -> None:
    """Have the resources of each directory changed by the one Kustomization that deploys it.

    Several may deploy it to several clusters, each in a way of its own: then it is left as it is.
    """
    every = [
        (root, table.table("spec"))
        for resources in folders.values()
        for table in resources.found
        if _changes(table)
        for root in _roots(table)
    ]
    for folder, resources in folders.items() if every else ():
        below = f"{posixpath.normpath(folder)}/"
        near = [(root, spec) for root, spec in every if below.startswith(f"{root}/")]
        most = max((len(root) for root, _ in near), default=0)
        deploying = {id(spec): spec for root, spec in near if len(root) == most}
        if len(deploying) == 1:
            resources.deployed_by(*deploying.values())


def _changes(table: Table) -> bool:
    spec = table.table("spec")
    ours = table.text("kind") == "Kustomization" and _GROUP in table.text("apiVersion")
    return ours and any(spec.items(key) for key in _CHANGES)


def _roots(table: Table) -> Iterator[str]:
    """Yield where its directory may lie: its path begins at some directory above its own file."""
    path = posixpath.normpath(table.text("spec", "path").lstrip("/"))
    if path == "." or path.startswith(".."):
        return  # All that is at hand may be meant.
    above = posixpath.dirname(posixpath.normpath(table.place.file))
    while True:
        yield posixpath.normpath(posixpath.join(above, path))
        if above in {"", "/", "."}:
            return
        above = posixpath.dirname(above)
