"""What stands below a value, and what signs make of several."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.grammar import text_of
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node as Syntax

    from generator.view import Place

MOST_MADE: Final = 200
"""Blocks or items that one `for` makes."""
_SAME: Final = {"image_id": "name", "latest": "name", "repo_digest": "name"}
"""What a run tells of an image, and what names it in the file."""
_DIGITS: Final = 9  # No list is longer than they can say.
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")


def each(found: Table | Items) -> Iterator[tuple[Node, Node]]:
    """Yield the keys and values of what `for` goes over."""
    if isinstance(found, Table):
        for key, value in list(found.entries.items())[:MOST_MADE]:
            yield Scalar(key, found.place_of(key)), value
    else:
        for at, value in enumerate(found.items[:MOST_MADE]):
            yield Scalar(str(at), value.place, "int"), value


def pair(key: Node, value: Node) -> Table:
    """Return what a block that `dynamic` makes sees of its turn."""
    return Table({"key": key, "value": value}, value.place)


def walked(node: Node | None, names: Sequence[str]) -> Node | None:
    """Return what a path of names leads to below a value."""
    for name in names:
        if isinstance(node, Items):
            at = int(name[:_DIGITS]) if name.isdecimal() else 0
            node = node.items[at] if at < len(node.items) else None
            if not name.isdecimal() and isinstance(node, Table):
                node = node.entries.get(name)
        elif isinstance(node, Table):
            node = node.entries.get(name) or node.entries.get(_SAME.get(name, ""))
        else:
            return None
    return node


def sides(node: Syntax) -> tuple[str, list[list[Syntax]]]:
    """Return the sign of an operation, and what stands before and behind it."""
    at = next((n for n, c in enumerate(node.children) if not c.is_named), 0)
    before, behind = node.children[:at], node.children[at + 1 :]
    sides = ([c for c in side if c.type != "comment"] for side in (before, behind))
    return text_of(node.children[at]), [side for side in sides if side]


def operation(sign: str, values: list[Node | None], place: Place) -> Node | None:
    """Return what a sign makes of values that are told: a number, or whether they are the same."""
    told = [v for v in values if isinstance(v, Scalar) and v.explicit]
    if len(told) != len(values) or not told:
        return None
    one, other = told[0].text, told[-1].text
    if sign in {"==", "!="}:
        return Scalar(str((one == other) is (sign == "==")).lower(), place, "bool")
    if sign == "!":
        return Scalar("false" if one == "true" else "true", place, "bool")
    if not (_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other)):
        return None
    a, b = float(one), float(other)
    made = {"*": a * b, "+": a + b, "-": a - b if len(told) > 1 else -a}.get(sign)
    if made is None:
        return None
    return Scalar(f"{made:g}" if made % 1 else f"{made:.0f}", place, "int")
