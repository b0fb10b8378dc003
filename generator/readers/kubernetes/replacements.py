"""Replacements of a kustomization: a value of one resource, put into fields of others.

Source: kubectl.docs.kubernetes.io: replacements; kyaml/yaml/fns.go, SmarterPathSplitter.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.kubernetes.patches import put
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.units import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Bare = Callable[[str], str]

_STEP: Final = re.compile(r"\[[^\]]*\]|(?:\\.|[^.\[\\])+")
_ITEM: Final = re.compile(r"\[([^=\]]+)=([^\]]*)\]")
_KNOWN: Final = frozenset({"select", "reject", "fieldPaths", "options"})


def replaced(tables: Sequence[Table], entry: Table, bare: Bare) -> list[Table]:
    """Return the resources with a value put in place. Raises LookupError where it finds none."""
    value = _value(tables, entry.table("source"), bare)
    found = [*tables]
    for target in entry.items("targets"):
        if not isinstance(target, Table) or set(target.entries) - _KNOWN:
            raise LookupError("targets")
        met = [at for at, one in enumerate(found) if _is_target(one, target, bare)]
        if not met:
            raise LookupError("select")
        for at in met:
            found[at] = _put_in(found[at], target, value)
    return found


def _value(tables: Sequence[Table], source: Table, bare: Bare) -> Scalar:
    """Return the value that is put elsewhere: by itself the name of the resource."""
    path = source.text("fieldPath") or "metadata.name"
    for table in tables:
        if _is_called(table, source, bare):
            for steps in _places(table, _steps(path)):
                node = _at(table, steps)
                if isinstance(node, Scalar):
                    parts, at = _parted(node.text, source)
                    return replace(node, text=parts[at] if 0 <= at < len(parts) else node.text)
    raise LookupError(path)


def _is_called(table: Table, wanted: Table, bare: Bare) -> bool:
    kind, name = wanted.text("kind"), wanted.text("name")
    same = not name or bare(table.text("metadata", "name")) == bare(name)
    return same and kind in {"", table.text("kind")}


def _is_target(table: Table, target: Table, bare: Bare) -> bool:
    select = target.table("select")
    out = [one for one in target.items("reject") if isinstance(one, Table) and one.entries]
    return _is_called(table, select, bare) and not any(_is_called(table, one, bare) for one in out)


def _parted(text: str, told: Table) -> tuple[list[str], int]:
    """Return the parts of a text by the delimiter of the options, and which of them is meant."""
    delimiter = told.text("options", "delimiter")
    if not delimiter:
        return [text], 0
    at = whole(told.text("options", "index") or "0")
    return text.split(delimiter), -1 if at is None else at


def _put_in(table: Table, target: Table, value: Scalar) -> Table:
    create = target.scalar("options", "create")
    for path in target.items("fieldPaths"):
        steps = _steps(path.text if isinstance(path, Scalar) else "")
        places = [*_places(table, steps)]
        if not places and create is not None and create.is_true and not _chooses(steps):
            places = [steps]
        if not places:
            raise LookupError("fieldPaths")
        for place in places:
            table = _put_at(table, place, target, value)
    return table


def _put_at(table: Table, place: Sequence[str], target: Table, value: Scalar) -> Table:
    before = _at(table, place)
    if isinstance(before, Scalar):
        value = replace(value, text=_within(before.text, target, value.text), written="")
    found = put(table, place, "add" if before is None else "replace", value)
    return found if isinstance(found, Table) else table


def _within(before: str, target: Table, value: str) -> str:
    """Return a text with one of its parts replaced, where the options have a delimiter."""
    parts, at = _parted(before, target)
    if not 0 <= at < len(parts):
        raise LookupError("index")
    return target.text("options", "delimiter").join((*parts[:at], value, *parts[at + 1 :]))


def _steps(path: str) -> list[str]:
    return [step.replace("\\.", ".") for step in _STEP.findall(path)]


def _chooses(steps: Sequence[str]) -> bool:
    return any(step == "*" or step.startswith("[") for step in steps)


def _places(node: Node, steps: Sequence[str]) -> Iterator[list[str]]:
    """Yield the paths of keys and numbers that a path with choices leads to."""
    if not steps:
        yield []
        return
    step, *rest = steps
    for key, inner in _inside(node, step):
        yield from ([key, *more] for more in _places(inner, rest))


def _inside(node: Node, step: str) -> Iterator[tuple[str, Node]]:
    if isinstance(node, Table):
        if step in node.entries:
            yield step, node.entries[step]
        elif step == "*":
            yield from node.entries.items()
    elif isinstance(node, Items):
        wanted = _ITEM.fullmatch(step)
        for at, item in enumerate(node.items):
            named = wanted and isinstance(item, Table) and item.text(wanted[1]) == wanted[2]
            if named or step in {"*", str(at)}:
                yield str(at), item


def _at(node: Node, steps: Sequence[str]) -> Node | None:
    """Return what stands at a path of keys and numbers; None: nothing does."""
    found: Node | None = node
    for step in steps:
        found = next((inner for _, inner in _inside(found, step)), None) if found else None
    return found
