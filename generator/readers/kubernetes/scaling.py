"""What changes the number of pods of a workload, and what they all share.

Source: kubernetes.io: HorizontalPodAutoscaler v2; keda.sh/docs: ScaledObject, scalers/prometheus,
whose `metadata` takes texts alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.around import Expression, Scaler, Scaling, Trigger
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.units import whole
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KINDS: Final = {
    "HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
    "ScaledObject": ("minReplicaCount", "maxReplicaCount"),
}
TOLD_BY: Final = (*_KINDS, "PersistentVolumeClaim")
"""Kinds of the resources beside a workload that say something of the number of its pods."""
_SCALED: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet"})
_GPU: Final = re.compile(r"(?:nvidia|amd)\.com/(?:gpu|mig)|gpu\.intel\.com/")
_FLOORED: Final = re.compile(r"\bor\s+(?:on\s*\(\s*\)\s*)?vector\s*\(")
_SOLE: Final = frozenset({"ReadWriteOnce", "ReadWriteOncePod"})


def scaling_of(owner: Table, pod: Table, tables: Sequence[Table]) -> Scaling | None:
    """Return what is told of the number of pods of a workload; None: it is none that has one."""
    if owner.text("kind") not in _SCALED:
        return None
    replicas = owner.scalar("spec", "replicas")
    rolls = replicas.place if replicas else owner.place_of("kind")
    grace = pod.scalar("spec", "terminationGracePeriodSeconds")
    return Scaling(
        replicas=whole(replicas.text) if replicas else None,
        replicas_at=replicas.place if replicas else None,
        scalers=tuple(s for table in tables for s in _scalers(table) if _is_for(table, owner)),
        shared=tuple(_shared(pod, tables)),
        rolls=rolls if _rolls(owner) else None,
        grace=whole(grace.text) if grace else None,
        gpus=any(
            _GPU.match(key)
            for box in _boxes(pod)
            for key in box.table("resources", "limits").entries
        ),
    )


def loose(tables: Sequence[Table], engine: str) -> Iterator[tuple[Table, Scaling]]:
    """Yield what scales a workload of an engine that is in none of the files."""
    there = [table for table in tables if table.text("kind") in _SCALED]
    for table in tables:
        target = table.text("spec", "scaleTargetRef", "name")
        if engine not in target.lower() or any(_is_for(table, owner) for owner in there):
            continue
        for scaler in _scalers(table):
            yield table, Scaling(scalers=(scaler,))


def _rolls(owner: Table) -> bool:
    """Whether a new pod starts while the only old one still runs."""
    strategy = owner.table("spec", "strategy")
    bounds = strategy.table("rollingUpdate")
    one = owner.text("spec", "replicas") in {"", "1"}
    given = bounds.text("maxUnavailable") not in {"", "0", "0%", "25%"}
    rolling = strategy.text("type") in {"", "RollingUpdate"} and not given
    return owner.text("kind") == "Deployment" and one and rolling and _is_whole(owner)


def _is_whole(owner: Table) -> bool:
    """Whether a workload is no patch alone, which may leave its strategy to what it is for."""
    return bool(owner.table("spec", "selector").entries)


def _boxes(pod: Table) -> Iterator[Table]:
    yield from (box for box in pod.items("spec", "containers") if isinstance(box, Table))


def _is_for(table: Table, owner: Table) -> bool:
    target = table.table("spec", "scaleTargetRef")
    kind = target.text("kind") or "Deployment"
    spaces = {one.text("metadata", "namespace") for one in (table, owner)} - {""}
    named = target.text("name") == owner.text("metadata", "name")
    return named and kind == owner.text("kind") and len(spaces) < 2  # noqa: PLR2004 -- the same


def _scalers(table: Table) -> Iterator[Scaler]:
    """Yield what a resource scales by, if it is one that does."""
    bounds = _KINDS.get(table.text("kind"))
    if bounds is None:
        return
    spec = table.table("spec")
    least, most = (whole(spec.text(key)) if spec.text(key) else None for key in bounds)
    triggers = [
        one for one in (*spec.items("triggers"), *spec.items("metrics")) if isinstance(one, Table)
    ]
    yield Scaler(
        to_none=bounds[0] == "minReplicaCount" and spec.text(bounds[0]) in {"", "0"},
        kind=table.text("kind"),
        name=table.text("metadata", "name"),
        place=table.place_of("spec"),
        least=least,
        most=most,
        triggers=tuple(_trigger(one) for one in triggers),
    )


def _trigger(table: Table) -> Trigger:
    named = table.scalar("resource", "name") or table.scalar("type")
    metadata = table.table("metadata")
    values = [(k, v) for k, v in metadata.entries.items() if isinstance(v, Scalar)]
    query = metadata.scalar("query")
    empty = metadata.text("ignoreNullValues").lower()
    return Trigger(
        kind=named.text.lower() if named else "",
        place=named.place if named else table.place,
        misread=tuple((k, v.text, _at(v, k)) for k, v in values if v.kind not in {"str", "null"}),
        query=Expression(text=query.text, place=_at(query, "query")) if query else None,
        empty_is_load=empty == "false" if query else None,
        floored=query is not None and _FLOORED.search(query.text) is not None,
    )


def _at(scalar: Scalar, key: str) -> Place:
    return Place(scalar.place.file, scalar.place.line, key)


def _shared(pod: Table, tables: Sequence[Table]) -> Iterator[tuple[str, Place]]:
    """Yield the claims that all pods mount, and that one node at a time may."""
    claims = {
        table.text("metadata", "name"): table
        for table in tables
        if table.text("kind") == "PersistentVolumeClaim"
    }
    for volume in pod.items("spec", "volumes"):
        named = (
            volume.scalar("persistentVolumeClaim", "claimName")
            if isinstance(volume, Table)
            else None
        )
        claim = claims.get(named.text) if named else None
        modes = claim.items("spec", "accessModes") if claim else ()
        told = {mode.text for mode in modes if isinstance(mode, Scalar)}
        if named and told and told <= _SOLE:
            yield named.text, named.place
