"""Images of containers, as `images` of a kustomization changes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

from generator.readers.base import image_name
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T", bound=Node)
_BOXES: Final = frozenset({"containers", "initContainers"})


def with_images(node: T, changes: Sequence[Table]) -> T:
    """Return a resource with what `images` of a kustomization makes of those of containers."""
    if isinstance(node, Table) and changes:
        inner = {
            key: _changed(one, changes) if key in _BOXES else with_images(one, changes)
            for key, one in node.entries.items()
        }
        return replace(node, entries=inner)
    return node


def _changed(boxes: Node, changes: Sequence[Table]) -> Node:
    if not isinstance(boxes, Items):
        return boxes
    found: list[Node] = []
    for box in boxes.items:
        image = box.scalar("image") if isinstance(box, Table) else None
        if isinstance(box, Table) and image is not None:
            for change in changes:
                image = _image(image, change)
            found.append(replace(box, entries={**box.entries, "image": image}))
        else:
            found.append(box)
    return replace(boxes, items=tuple(found))


def _image(image: Scalar, change: Table) -> Scalar:
    name = image_name(image.text)
    if name.repository != change.text("name"):
        return image
    digest, tag = change.text("digest"), change.text("newTag") or name.tag
    end = f"@{digest}" if digest else f":{tag}" if tag else ""
    keys = [key for key in ("digest", "newTag") if change.text(key)]
    place = change.place_of(keys[0]) if keys else image.place
    text = f"{change.text('newName') or name.repository}{end}"
    return replace(image, text=text, place=place)
