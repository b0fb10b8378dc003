"""The keys of a YAML document with their paths, for readers that know all that they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from generator.readers.base import refused
from generator.readers.syntax.yaml_tree import VALUES_AT_MOST, Items, Node, Scalar, Table
from generator.view import Key, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST: Final = 8


def keys_of(table: Table, prefix: str = "") -> Iterator[Key]:
    """Yield every key of a mapping with its path, also of mappings in lists.

    `prefix` is where the mapping stands in its file. Raises ProfileError where aliases make more of
    it than anybody wrote.
    """
    for number, key in enumerate(_keys(table, (), prefix.strip("."))):
        if number >= VALUES_AT_MOST:
            message, hint = "aliases make it longer than anybody wrote", "use fewer of them"
            raise refused(table.place.file, f"line {table.place.line}", message, hint)
        yield key


def _form(node: Node) -> tuple[Literal["value", "list", "table", "empty"], str]:
    if isinstance(node, Scalar):
        return ("empty" if node.kind == "null" else "value"), node.written
    return ("list" if isinstance(node, Items) else "table"), ""


def _keys(table: Table, path: tuple[str, ...], above: str) -> Iterator[Key]:
    for name, value in table.entries.items():
        # `!reset` is Compose's word for a key that shall not be there.
        if value.tag == "!reset" or len(path) >= _DEEPEST:
            continue
        place, here, dotted = table.place_of(name), (*path, name), f"{above}.{name}".strip(".")
        form, text = _form(value)
        yield Key(path=here, place=Place(place.file, place.line, dotted), form=form, value=text)
        inner = value.items if isinstance(value, Items) else (value,)
        for one in inner:
            if isinstance(one, Table):
                yield from _keys(one, here, dotted)
