"""Handlers of Ansible: what a task that notifies some waits for."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from generator.errors import ProfileError
from generator.readers.base import Context, Source
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SERVICES: Final = frozenset({"systemd", "systemd_service", "service"})
_COMMANDS: Final = frozenset({"command", "shell"})
_OF_ROLE: Final = ("../handlers/main.yml", "../handlers/main.yaml")
_KEYWORDS: Final = frozenset(
    {"name", "listen", "become", "become_user", "when", "tags", "changed_when", "register"}
)


def waits_for_a_restart(task: Table, around: Sequence[Table], file: str, context: Context) -> bool:
    """Return whether a task notifies a handler that may restart something, or one that is not here.

    One that has systemd read its files again leaves alone what runs.
    """
    notified = task.get("notify")
    told = notified.items if isinstance(notified, Items) else (notified,)
    names = {one.text for one in told if isinstance(one, Scalar)}
    if not names:
        return False
    found = [one for one in _handlers(around, file, context) if names & set(_called(one))]
    known = {name for handler in found for name in _called(handler)}
    return not names <= known or not all(map(_reloads, found))


def _handlers(around: Sequence[Table], file: str, context: Context) -> Iterator[Table]:
    """Yield the handlers of the play that a task stands in, and those of its role."""
    for play in around:
        yield from (one for one in play.items("handlers") if isinstance(one, Table))
    for name in _OF_ROLE:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file), name))
        text = context.read(path)
        for top in _parsed(path, text) if text is not None else ():
            yield from (one for one in _items(top) if isinstance(one, Table))


def _parsed(path: str, text: str) -> list[Node]:
    try:
        return parse_all(Source(path, text))
    except ProfileError:
        return []  # It is told where that file is judged.


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Items) else ()


def _called(handler: Table) -> Iterator[str]:
    """Yield the names by which a handler is notified."""
    for key in ("name", "listen"):
        node = handler.get(key)
        yield from (one.text for one in (node, *_items(node or handler)) if isinstance(one, Scalar))


def _reloads(handler: Table) -> bool:
    """Whether all that a handler does is to have systemd read its files again."""
    return all(
        _reads_again(key.rpartition(".")[2], node)
        for key, node in handler.entries.items()
        if key not in _KEYWORDS
    )


def _reads_again(module: str, given: Node) -> bool:
    if module in SERVICES and isinstance(given, Table):
        return given.text("state") in {"", "started"}
    command = given.text if isinstance(given, Scalar) else ""
    command = given.text("cmd") if isinstance(given, Table) else command
    return module in _COMMANDS and command.split()[-2:] == ["systemctl", "daemon-reload"]
