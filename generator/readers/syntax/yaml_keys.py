"""The keys of a YAML document with their paths, for readers that know all that they take."""

from __future__ import annotations

from typing import Final, Literal

from generator.readers.base import refused
from generator.readers.syntax.yaml_tree import VALUES_AT_MOST, Items, Node, Scalar, Table
from generator.view import Key, Place

_DEEPEST: Final = 8


def keys_of(table: Table, prefix: str = "") -> list[Key]:
    """Return every key of a mapping with its path, also of mappings in lists.

    `prefix` is where the mapping stands in its file. Raises ProfileError where aliases make more of
    it than anybody wrote.
    """
    found: list[Key] = []
    _add(found, table, (), prefix.strip("."))
    if len(found) > VALUES_AT_MOST:
        message, hint = "aliases make it longer than anybody wrote", "use fewer of them"
        raise refused(table.place.file, f"line {table.place.line}", message, hint)
    return found


def _add(found: list[Key], table: Table, path: tuple[str, ...], above: str) -> None:
    """Add the keys of a mapping below a path, no more than one too many."""
    for name, value in table.entries.items():
        if len(found) > VALUES_AT_MOST:
            return
        # `!reset` is Compose's word for a key that shall not be there.
        if value.tag == "!reset":
            continue
        place, here, dotted = table.place_of(name), (*path, name), f"{above}.{name}".strip(".")
        form, text = _form(value)
        at = Place(place.file, place.line, dotted)
        found.append(Key(path=here, place=at, form=form, value=text))
        for one in _inner(value) if len(here) < _DEEPEST else ():
            if isinstance(one, Table):
                _add(found, one, here, dotted)


def _form(node: Node) -> tuple[Literal["value", "list", "table", "empty"], str]:
    if isinstance(node, Scalar):
        return ("empty" if node.kind == "null" else "value"), node.written
    return ("list" if isinstance(node, Items) else "table"), ""


def _inner(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Items) else () if isinstance(node, Scalar) else (node,)
