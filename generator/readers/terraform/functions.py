"""The functions of Terraform that hand on what they are given, or put it together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.readers.helm.merge import all_of
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.view import Place

    Function = Callable[[Sequence[Node], Place], Node | None]


def _first(values: Sequence[Node], _: Place) -> Node | None:
    return values[0] if values else None


def _merge(values: Sequence[Node], _: Place) -> Node | None:
    tables = [one for one in values if isinstance(one, Table)]
    return all_of(tables) if len(tables) == len(values) else None


def _concat(values: Sequence[Node], place: Place) -> Node | None:
    lists = [one for one in values if isinstance(one, Items)]
    # What is not told stays, so that somebody can say that it is there.
    rest = [one for one in values if not isinstance(one, Items)]
    items = (item for one in lists for item in one.items)
    return Items((*items, *rest), place) if lists else None


def _join(values: Sequence[Node], place: Place) -> Node | None:
    if len(values) != 2 or not isinstance(values[1], Items):  # noqa: PLR2004 -- a separator, a list
        return None
    parts = [one.text for one in values[1].items if isinstance(one, Scalar) and one.explicit]
    between = values[0]
    if len(parts) < len(values[1].items) or not isinstance(between, Scalar):
        return None
    return Scalar(between.text.join(parts), place, shared=True)


def _coalesce(values: Sequence[Node], _: Place) -> Node | None:
    for one in values:
        if not isinstance(one, Scalar):
            return one
        if not one.explicit:
            return None
        if one.kind != "null" and one.text:
            return one
    return None


_HAND_ON: Final = (
    *("jsonencode", "yamlencode", "jsondecode", "yamldecode", "base64encode", "base64gzip"),
    *("chomp", "trimspace", "abspath", "pathexpand"),
    *("tostring", "tonumber", "tobool", "tolist", "toset", "tomap", "sensitive", "nonsensitive"),
    *("try", "flatten", "distinct", "compact", "one"),
)
FUNCTIONS: Final[dict[str, Function]] = {
    **dict.fromkeys(_HAND_ON, _first),
    "merge": _merge,
    "concat": _concat,
    "join": _join,
    "coalesce": _coalesce,
}
"""What each makes of its arguments; None: that is not told."""
