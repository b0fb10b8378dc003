"""Patches of kustomize: by strategic merge, and by operations (JSON6902), and for what."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.view import Place

_BY_KEY: Final = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "port"),
    "imagePullSecrets": ("name",),
}
_VERBS: Final = frozenset({"add", "replace", "remove", "test"})
_DIRECTIVE: Final = "$patch"
_AT: Final = re.compile(r"[0-9]{1,9}")  # No list is longer.


@dataclass(frozen=True, slots=True)
class Patch:
    """What is laid over resources: `over`, or the `operations`; `target` tells over which.

    Without a target it is for the resource of its own kind and name.
    """

    place: Place
    over: Table | None = None
    operations: tuple[Node, ...] = ()
    target: Table | None = None

    def meets(self, table: Table, bare: Callable[[str], str]) -> bool:
        """Return whether it is for a resource; `bare` takes the prefix off a name."""
        if self.target is not None:
            return _is_target(self.target, table, bare)
        return self.over is not None and same(self.over, table, bare)

    def applied(self, table: Table) -> Table | None:
        """Return a resource with the patch laid over it; None: the patch deletes it.

        Raises LookupError where kustomize would not put it in place.
        """
        if self.over is not None:
            gone = self.over.text(_DIRECTIVE) == "delete"
            named = {"metadata": table.table("metadata")} if self.target is not None else {}
            over = Table({**self.over.entries, **named}, self.over.place, self.over.places)
            return None if gone else merged(table, over)
        found: Node = table
        for operation in self.operations:
            found = _operated(found, operation)
        return found if isinstance(found, Table) else None


def same(one: Table, other: Table, bare: Callable[[str], str]) -> bool:
    """Return whether two resources are of one kind and name."""
    names = (bare(each.text("metadata", "name")) for each in (one, other))
    return one.text("kind") == other.text("kind") and len({*names}) == 1


def _is_target(target: Table, table: Table, bare: Callable[[str], str]) -> bool:
    group, _, version = table.text("apiVersion").rpartition("/")
    told = {"kind": table.text("kind"), "group": group, "version": version}
    told["namespace"] = table.text("metadata", "namespace") or target.text("namespace")
    name, wanted = table.text("metadata", "name"), target.text("name")
    named = not wanted or _fits(wanted, name) or _fits(bare(wanted), bare(name))
    plain = all(not target.text(key) or _fits(target.text(key), text) for key, text in told.items())
    labels, notes = (table.table("metadata", key) for key in ("labels", "annotations"))
    selected = _selected(target.text("labelSelector"), labels)
    return plain and named and selected and _selected(target.text("annotationSelector"), notes)


def _fits(pattern: str, text: str) -> bool:
    """Return whether a pattern is for a whole text: alternatives of words with gaps.

    Nothing is compiled of what somebody's file says.
    """
    return any(_glob(one, text) for one in pattern.strip("^$()").split("|"))


def _glob(pattern: str, text: str) -> bool:
    first, *rest = pattern.replace(".+", ".*").replace("\\.", ".").split(".*")
    if not rest:
        return first == text
    at = len(first)
    for part in rest[:-1]:
        found = text.find(part, at)
        at = found + len(part) if found >= 0 else len(text) + 1
    return text.startswith(first) and text.endswith(rest[-1]) and at + len(rest[-1]) <= len(text)


def _selected(selector: str, given: Table) -> bool:
    for part in filter(None, selector.split(",")):
        key, equals, value = part.replace("==", "=").partition("=")
        name = key.rstrip("!").strip()
        if not equals:
            met = name in given.entries
        else:
            met = (given.text(name) == value.strip()) is not key.endswith("!")
        if not met:
            return False
    return True


def merged(base: Table, over: Table) -> Table:
    """Return `base` with a strategic merge patch laid over it."""
    if over.text(_DIRECTIVE) == "replace":
        return _plain(over)
    entries, places = dict(base.entries), dict(base.places)
    for key, value in _plain(over).entries.items():
        old = entries.get(key)
        places[key] = over.place_of(key)
        if isinstance(value, Scalar) and value.kind == "null":
            entries.pop(key, None)
        elif isinstance(old, Table) and isinstance(value, Table):
            entries[key] = merged(old, value)
        elif isinstance(old, Items) and isinstance(value, Items) and key in _BY_KEY:
            entries[key] = _by_key(old, value, _BY_KEY[key])
        else:
            entries[key] = value
    return Table(entries, base.place, places)


def _plain(table: Table) -> Table:
    kept = {key: node for key, node in table.entries.items() if key != _DIRECTIVE}
    return replace(table, entries=kept)


def _by_key(old: Items, new: Items, keys: Sequence[str]) -> Items:
    found: dict[object, Node] = {}
    for number, item in enumerate((*old.items, *new.items)):
        # What has none of the keys is an item by itself.
        name = _key_of(item, keys) or number
        before = found.get(name)
        if isinstance(item, Table) and item.text(_DIRECTIVE) == "delete":
            found.pop(name, None)
        elif isinstance(before, Table) and isinstance(item, Table):
            # A value takes the place of where it came from, and the other way round.
            gone = {"value", "valueFrom"} & set(item.entries) if "name" in keys else set()
            kept = {k: v for k, v in before.entries.items() if not (gone and k.startswith("value"))}
            found[name] = merged(replace(before, entries=kept), item)
        else:
            found[name] = item
    return Items(tuple(found.values()), new.place)


def _key_of(item: Node, keys: Sequence[str]) -> tuple[str, ...]:
    """Return what tells an item of a list from others: of a port its protocol as well."""
    if not isinstance(item, Table):
        return ()
    name = next((text for key in keys if (text := item.text(key))), "")
    port = (item.text("protocol") or "TCP",) if name and "port" in keys else ()
    return (name, *port) if name else ()


def _operated(node: Node, operation: Node) -> Node:
    """Return a resource after one operation. Raises LookupError where that cannot be done."""
    verb = operation.text("op") if isinstance(operation, Table) else ""
    if not isinstance(operation, Table) or verb not in _VERBS:
        raise LookupError(verb)
    steps = operation.text("path").split("/")[1:]
    value = operation.get("value")
    if not steps or (value is None and verb in {"add", "replace"}):
        raise LookupError(operation.text("path"))
    if verb == "test":
        return node
    names = [step.replace("~1", "/").replace("~0", "~") for step in steps]
    return put(node, names, verb, value)


def put(node: Node, steps: Sequence[str], verb: str, value: Node | None) -> Node:
    """Return a resource with a value at a path. Raises LookupError where there is none."""
    if isinstance(node, Table):
        return _put_in_table(node, steps, verb, value)
    if isinstance(node, Items):
        return _put_in_list(node, steps, verb, value)
    raise LookupError(steps[0])


def _put_in_table(table: Table, steps: Sequence[str], verb: str, value: Node | None) -> Table:
    step, *rest = steps
    entries, places = dict(table.entries), dict(table.places)
    if step not in entries and (rest or verb != "add"):
        raise LookupError(step)
    if rest:
        entries[step] = put(entries[step], rest, verb, value)
    elif value is None or verb == "remove":
        del entries[step]
    else:
        entries[step], places[step] = value, value.place
    return replace(table, entries=entries, places=places)


def _put_in_list(found: Items, steps: Sequence[str], verb: str, value: Node | None) -> Items:
    step, *rest = steps
    items = list(found.items)
    at = len(items) if step == "-" else int(step) if _AT.fullmatch(step) else -1
    if not 0 <= at < len(items) + (verb == "add" and not rest):
        raise LookupError(step)
    if rest:
        items[at] = put(items[at], rest, verb, value)
    elif value is None or verb == "remove":
        del items[at]
    else:
        items[at : at + (verb == "replace")] = [value]
    return replace(found, items=tuple(items))
