"""Resources of the provider for Kubernetes, as the manifests that it makes of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, TypeVar

from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.readers.terraform.evaluate import BLOCK

T = TypeVar("T", bound=Node)
_RESOURCE: Final = re.compile(r"kubernetes_([a-z_]+?)(?:_v\d(?:beta\d)?)?")
_KINDS: Final = {
    "deployment": "Deployment", "stateful_set": "StatefulSet", "daemon_set": "DaemonSet",
    "daemonset": "DaemonSet", "job": "Job", "cron_job": "CronJob", "pod": "Pod",
    "service": "Service", "config_map": "ConfigMap", "secret": "Secret", "ingress": "Ingress",
    "persistent_volume_claim": "PersistentVolumeClaim",
}  # fmt: skip
_LISTS: Final = {
    "container": "containers", "init_container": "initContainers", "env": "env",
    "env_from": "envFrom", "volume": "volumes", "volume_mount": "volumeMounts", "port": "ports",
    "toleration": "tolerations", "volume_claim_template": "volumeClaimTemplates", "rule": "rules",
    "path": "paths", "image_pull_secrets": "imagePullSecrets",
}  # fmt: skip
"""Blocks that may stand there several times, and the list that they become."""
_NAMES: Final = frozenset({"name", "claim_name", "claimName"})


def manifest_of(kind: str, table: Table) -> Table | None:
    """Return the manifest of a resource by its type; None: it makes none that counts here."""
    found = _RESOURCE.fullmatch(kind)
    named = _KINDS.get(found[1], "") if found else ""
    if not named:
        return None
    made = _camel(table)
    data = "stringData" if named == "Secret" and "data" in made.entries else "data"
    entries = {data if key == "data" else key: node for key, node in made.entries.items()}
    return Table({**entries, "kind": Scalar(named, table.place)}, table.place, made.places)


def _camel(table: Table) -> Table:
    entries: dict[str, Node] = {}
    places = dict(table.places)
    for key, node in table.entries.items():
        block = isinstance(node, Items) and node.tag == BLOCK
        name = _LISTS.get(key, "") if block else ""
        name = name or re.sub(r"_(\w)", lambda found: found[1].upper(), key)
        places[name] = table.place_of(key)
        entries[name] = _value(key, node)
    return replace(table, entries=entries, places=places)


def _value(key: str, node: Node) -> Node:
    if isinstance(node, Items) and node.tag == BLOCK:
        made = [_camel(one) if isinstance(one, Table) else one for one in node.items]
        if key in _LISTS:
            return replace(node, items=tuple(made), tag="")
        return made[0] if made else node
    if isinstance(node, Scalar) and key in _NAMES and not node.explicit:
        # Who refers to it says the same.
        return replace(node, text=node.written or node.text, explicit=True)
    if isinstance(node, Scalar) and key == "value":
        return replace(node, kind="null" if node.kind == "null" else "str")
    if isinstance(node, Table) and key == "data":
        plain = {k: replace(v, kind="str") if isinstance(v, Scalar) else v
                 for k, v in node.entries.items()}  # fmt: skip
        return replace(node, entries=plain)
    return node


def with_names(node: T) -> T:
    """Return a manifest in which names that are not told stand for themselves, here as there."""
    if isinstance(node, Items):
        return replace(node, items=tuple(map(with_names, node.items)))
    if not isinstance(node, Table):
        return node
    entries = {
        key: replace(one, explicit=True)
        if isinstance(one, Scalar) and key in _NAMES and not one.explicit
        else with_names(one)
        for key, one in node.entries.items()
    }
    return replace(node, entries=entries)
