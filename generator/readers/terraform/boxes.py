"""Containers that a cloud starts: those of a task, of a service without servers, of a group.

They differ from cloud to cloud in all but the image and the variables; those are read.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, image_name
from generator.readers.helm.read import quantity
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.readers.terraform import ELSEWHERE
from generator.readers.terraform.invokers import SERVICES
from generator.view import INGRESS, NOT_OURS, Asked, Bound, Container, Line, NotJudged, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.view import Place, View

_VARIABLES: Final = ("env", "environment", "environment_variables", "env_vars")
_DEEPEST: Final = 12
_AFTER: Final = "depends_on"
"""The key of resources that are only made before this one."""
_APP: Final = "azurerm_container_app"
_PARTS: Final = {
    _APP: "command, variables, memory, volumes and ingress",
    **dict.fromkeys(SERVICES, "command, variables, memory and who may call it"),
}
_OF_AMAZON: Final = ("entryPoint", "command")
_OF_OTHERS: Final = ("command", "args")
"""What names the program of a container, and what that is told."""
_NAMED: Final = "*.azurecontainerapps.io"
_ASKS: Final = frozenset({"ip_security_restriction", "client_certificate_mode"})
"""What an ingress has that lets in some callers alone."""


def boxes_of(
    kind: str, table: Table, context: Context, called: str = ""
) -> tuple[list[View], list[NotJudged]]:
    """Return the servers that a resource of some type starts, and that the rest is not read.

    `called`: what the file itself calls that type, where it is none of Terraform.
    """
    own = _OF_AMAZON if kind.startswith("aws_") else _OF_OTHERS
    views = [_view(box, image, own, context, kind) for box, image in _boxes(table, context)]
    if _may_have_gpus(table):
        views = [replace(view, bounds=()) for view in views]  # What holds the models then?
    views = [_with_strangers(view, table) for view in views]
    if views and sum(1 for _ in _with_images(table)) > 1:
        # They have one address, at which a client of the task may find another one's server.
        views = [_beside_others(view) for view in views]
    if kind == _APP:
        views = [_of_app(view, table) for view in views]
    parts = _PARTS.get(kind, "command, variables and memory")
    reason = f"of `{called or kind}` image, {parts} alone are read here"
    gaps = [
        NotJudged(
            file=view.place.file,
            line=view.place.line,
            part="what else its container has",
            reason=reason,
            hint="check how it gets volumes, GPUs and its address",
        )
        for view in views
    ]
    return views, gaps


def _with_images(node: Node, depth: int = 0) -> Iterator[Table]:
    inner: tuple[Node, ...] = ()
    if isinstance(node, Table):
        yield from [node] if node.scalar("image") else []
        inner = tuple(n for key, n in node.entries.items() if key != _AFTER)
    elif isinstance(node, Items):
        inner = node.items
    for one in inner if depth < _DEEPEST else ():
        yield from _with_images(one, depth + 1)


def _beside_others(view: View) -> View:
    shared = Line(section="", name="pod", value="", place=view.place)
    return replace(view, lines=(*view.lines, shared))


def _with_strangers(view: View, table: Table) -> View:
    """Return a task of ECS with the file systems of EFS that are root's, and no access point's."""
    box, volumes = view.container, [one for one in table.items("volume") if isinstance(one, Table)]
    efs = {one.text("name"): one.items("efs_volume_configuration") for one in volumes}
    bare = {
        name
        for name, told in efs.items()
        if any(isinstance(c, Table) and "authorization_config" not in c.entries for c in told)
    }
    user = box.user.partition(":")[0] if box is not None else ""
    if box is None or not bare or not user.isdecimal() or not int(user):
        return view
    lines = [
        Line(section=NOT_OURS, name=text.partition(":")[2], value="efs", place=place)
        for text, place in box.mounts
        if text.partition(":")[0] in bare
    ]
    return replace(view, lines=(*view.lines, *lines))


def _may_have_gpus(table: Table) -> bool:
    """Whether a resource may run on a card: what is there of the memory is not all then."""
    return table.text("workload_profile_name").lower() not in {"", "consumption"} or _asks_gpus(
        table
    )


def _asks_gpus(node: Node, depth: int = 0) -> bool:
    entries = node.entries if isinstance(node, Table) else {}
    if any(_OF_GPUS.search(key) for key in entries):
        return True
    inner = entries.values() if isinstance(node, Table) else getattr(node, "items", ())
    return depth < _DEEPEST and any(_asks_gpus(one, depth + 1) for one in inner)


_OF_GPUS: Final = re.compile(r"(?i)gpu|accelerator|resourceRequirements|node_selector")


def _of_app(view: View, table: Table) -> View:
    """Return a server of Container Apps, with its volumes and what opens it to the internet."""
    box = view.container
    mounts = [
        (f"{mount.text('name')}:{mount.text('path')}", mount.place)
        for container in _containers(table)
        for mount in container.items("volume_mounts")
        if isinstance(mount, Table)
    ]
    book = replace(
        view.phrases, volumes_told=True, keep_volume="add a `volume`, and mount it there"
    )
    opened = tuple(_opened(table))
    asked = tuple(_targets(table))
    return replace(
        view,
        phrases=book,
        container=box and replace(box, mounts=tuple(mounts), exposed=opened, asked=asked),
    )


def _targets(table: Table) -> Iterator[Asked]:
    """Yield the port at which an ingress asks, of an application with one container."""
    alone = sum(1 for _ in _containers(table)) == 1
    for ingress in (one for one in table.items("ingress") if isinstance(one, Table) and alone):
        port = ingress.scalar("target_port")
        if port is not None and port.explicit:
            yield Asked(by="its ingress", port=port.text, place=port.place)


def _containers(table: Table) -> Iterator[Table]:
    for template in table.items("template"):
        if isinstance(template, Table):
            yield from (one for one in template.items("container") if isinstance(one, Table))


def _opened(table: Table) -> Iterator[Line]:
    for ingress in (one for one in table.items("ingress") if isinstance(one, Table)):
        outside = ingress.scalar("external_enabled")
        if outside is not None and outside.is_true and not _ASKS & ingress.entries.keys():
            yield Line(section=INGRESS, name="cloud", value=_NAMED, place=outside.place)


def _boxes(node: Node, context: Context, depth: int = 0) -> Iterator[tuple[Table, Scalar]]:
    inner: tuple[Node, ...] = ()
    if isinstance(node, Table):
        image = node.scalar("image")
        if image and context.engine.is_image(image_name(image.text).repository):
            yield node, image
        inner = tuple(n for key, n in node.entries.items() if key != _AFTER)
    elif isinstance(node, Items):
        inner = node.items
    for one in inner if depth < _DEEPEST else ():
        yield from _boxes(one, context, depth + 1)


def _view(box: Table, image: Scalar, keys: tuple[str, str], context: Context, kind: str) -> View:
    name = image_name(image.text)
    entry, words = (_words(box, key) for key in keys)
    return context.view(
        ELSEWHERE,
        context.release_of(image.text),
        name=box.text("name") or context.engine.name,
        place=box.place,
        variables=tuple(_variables(box)),
        bounds=tuple(_bounds(box, kind)),
        container=Container(
            image=image.text,
            place=replace(image.place, key="image"),
            tag=name.tag,
            digest=name.digest or not image.explicit,
            restart="always",
            user=box.text("user"),
            asked=tuple(_asked(box)),
            mounts=tuple(_mounts(box)),
            arguments=() if keys[0] in box.entries else words,
            program=(*entry, *words) if entry else (),
        ),
    )


def _mounts(box: Table) -> Iterator[tuple[str, Place]]:
    """Yield the volumes of a container of Amazon's."""
    for mount in (one for one in box.items("mountPoints") if isinstance(one, Table)):
        source, path = mount.text("sourceVolume"), mount.scalar("containerPath")
        if path is not None and path.explicit:
            yield f"{source or 'volume'}:{path.text}", path.place


def _asked(box: Table) -> Iterator[Asked]:
    """Yield the ports of a container that the cloud leads to."""
    for key in ("portMappings", "ports"):
        for port in (one for one in box.items(key) if isinstance(one, Table)):
            told = port.scalar("containerPort") or port.scalar("container_port")
            told = told or port.scalar("port")
            if told is not None and told.explicit:
                yield Asked(by="the cloud", port=told.text, place=told.place)


def _words(box: Table, key: str) -> tuple[tuple[str, Place], ...]:
    """Return the words of a list; of one that only a run of Terraform tells, none."""
    words = [one for one in box.items(key) if isinstance(one, Scalar)]
    told = all(one.explicit for one in words)
    return tuple((one.text, replace(one.place, key=key)) for one in words) if told else ()


def _variables(box: Table) -> Iterator[Variable]:
    for key in _VARIABLES:
        for node in box.items(key):
            if not isinstance(node, Table):
                continue
            if "name" in node.entries:
                yield _variable(node.text("name"), node.get("value"), node.get("name") or node)
            else:
                for name, value in node.entries.items():
                    yield _variable(name, value, replace(value, place=node.place_of(name)))


def _variable(name: str, value: Node | None, at: Node) -> Variable:
    told = value if isinstance(value, Scalar) else None
    return Variable(
        name=name,
        value=told.text if told else "",
        place=replace((told or at).place, key=f"env.{name}"),
        written=told.replaceable if told else "",
        unresolved=told is None or not told.explicit,
        named=at.place,
    )


def _bounds(box: Table, kind: str) -> Iterator[Bound]:
    memory = box.scalar("memory")
    if memory is not None and memory.explicit:
        unit = next((unit for start, unit in _UNITS.items() if kind.startswith(start)), "")
        yield from _bound(memory, unit)
        return
    for node in box.items("resources"):
        limits = node.table("limits") if isinstance(node, Table) else Table({}, box.place)
        memory = limits.scalar("memory")
        if memory is not None and memory.explicit:
            yield from _bound(memory, "")


_UNITS: Final = {"aws_": "Mi", "azurerm_container_group": "G"}
"""What a bare number of a cloud counts: Amazon MiB, Azure's groups GB."""


def _bound(memory: Scalar, unit: str) -> Iterator[Bound]:
    with contextlib.suppress(ValueError):
        text = memory.text if memory.text[-1:].isalpha() else f"{memory.text}{unit}"
        yield Bound(name="memory_max", value=int(quantity(text)), place=memory.place)
