"""Task definitions of ECS, stacks of CloudFormation, containers of Azure: the servers they start.

They say what a resource of Terraform says in other words, and are read as that.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, Source, each
from generator.readers.cloud import APP, CLOUD, GROUP, TASK
from generator.readers.embedded import with_gaps
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse
from generator.readers.terraform.boxes import boxes_of
from generator.readers.terraform.texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import NotJudged, View

_DEFINITIONS: Final = "containerDefinitions"
_TYPES: Final = {
    _DEFINITIONS: "aws_ecs_task_definition", TASK: "aws_ecs_task_definition",
    "AWS::EC2::Instance": "aws_instance", "AWS::EC2::LaunchTemplate": "aws_launch_template",
    APP: "azurerm_container_app", GROUP: "azurerm_container_group",
}  # fmt: skip
"""What Terraform calls a resource of a type."""
_WORDS: Final = {
    "containers": "container", "external": "external_enabled", "mount_path": "path",
    "volume_name": "name",
}  # fmt: skip
"""What Terraform calls keys of Azure."""
_FUNCTIONS: Final = frozenset({"Fn::Base64", "Fn::Sub"})
"""Functions of CloudFormation that hand on the text that they are given."""
_BEGINS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def read(sources: Sequence[Source], context: Context) -> tuple[View, ...]:
    """Return a View of each server that is started. Raises ProfileError for what is no YAML."""
    return tuple(view for views in each(sources, lambda s: _views(s, context)) for view in views)


def _views(source: Source, context: Context) -> tuple[View, ...]:
    views: list[View] = []
    gaps: list[NotJudged] = []
    for called, table in _resources(parse(source)):
        kind = _TYPES[called]
        boxes, left = boxes_of(kind, table, context, called)
        texts, unread = texts_of(table, context)
        views += [replace(view, phrases=replace(CLOUD, mendable=False)) for view in boxes]
        views += texts
        gaps += [*left, *unread]
    return with_gaps(views, gaps)


def _resources(top: Node) -> Iterator[tuple[str, Table]]:
    """Yield what a file asks for: its type, and its arguments as Terraform spells them."""
    if not isinstance(top, Table):
        return
    if _DEFINITIONS in top.entries:
        yield _DEFINITIONS, _plain(top)
    if top.text("type") in _TYPES:
        yield top.text("type"), _of_azure(top.table("properties"))
    for resource in top.table("Resources").entries.values():
        if isinstance(resource, Table) and resource.text("Type") in _TYPES:
            yield resource.text("Type"), _plain(resource.table("Properties"))


def _of_azure(properties: Table) -> Table:
    """Return the properties of a group of containers, or of an application with its ingress."""
    told = _renamed(properties)
    entries = {**told.entries, **told.table("configuration").entries}
    return replace(told, entries=entries)


def _renamed(table: Table) -> Table:
    """Return a table of Azure with the words of Terraform, also in what is below it."""

    def inner(node: Node) -> Node:
        if isinstance(node, Items):
            return replace(node, items=tuple(map(inner, node.items)))
        return _renamed(node) if isinstance(node, Table) else node

    entries: dict[str, Node] = {}
    for key, value in table.entries.items():
        snake = _BEGINS.sub("_", key).lower()
        # A container of a group has all but its name in a table of its own.
        below = inner(value)
        if key == "properties" and isinstance(below, Table):
            entries |= below.entries
        else:
            entries[_WORDS.get(snake, snake)] = below
    return replace(table, entries=entries)


def _plain(table: Table) -> Table:
    """Return a table with keys in the spelling of the API of ECS, and functions undone."""

    def inner(node: Node) -> Node:
        if isinstance(node, Items):
            return replace(node, items=tuple(map(inner, node.items)))
        if isinstance(node, Table):
            function = next(iter(node.entries), "") if len(node.entries) == 1 else ""
            return _text(inner(node.entries[function])) if function in _FUNCTIONS else _plain(node)
        return _text(node) if node.tag.startswith("!") else node

    spelled = {key: _spelled(key) for key in table.entries}
    return replace(
        table,
        entries={spelled[key]: inner(value) for key, value in table.entries.items()},
        places={spelled.get(key, key): place for key, place in table.places.items()},
    )


def _spelled(key: str) -> str:
    return "user_data" if key == "UserData" else key[:1].lower() + key[1:]


def _text(node: Node) -> Node:
    """Return a text that CloudFormation computes, or puts something into: nobody knows all."""
    return replace(node, explicit=False) if isinstance(node, Scalar) else node
