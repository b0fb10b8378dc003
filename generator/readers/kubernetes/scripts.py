"""Scripts of a ConfigMap that a container is given, and begins with."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import STARTED, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.kubernetes.beside import Beside


def begun_with(box: Table, spec: Table, beside: Beside) -> Iterator[Line]:
    """Yield the scripts that the command of a container names, of the ConfigMaps at hand."""
    told = (word for key in ("command", "args") for word in box.items(key))
    words = {w for one in told if isinstance(one, Scalar) for w in re.split(r"[\s;&|]+", one.text)}
    held = [one for one in spec.items("volumes") if isinstance(one, Table)]
    maps = {one.text("name"): one.table("configMap") for one in held if "configMap" in one.entries}
    for mount in (one for one in box.items("volumeMounts") if isinstance(one, Table)):
        source = maps.get(mount.text("name"))
        found = beside.data("ConfigMap", source.text("name")) if source is not None else None
        for key, node in found.table("data").entries.items() if found is not None else ():
            if isinstance(node, Scalar) and words & {*_paths(mount, key)}:
                place = Place(node.place.file, node.starts)
                yield Line(section=STARTED, name=key, value=node.text, place=place)


def _paths(mount: Table, key: str) -> Iterator[str]:
    """Yield where a container may find a key of a ConfigMap."""
    path, part = mount.text("mountPath"), mount.text("subPath")
    if part in {"", key}:
        yield path if part else posixpath.join(path, key)
