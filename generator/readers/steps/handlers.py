"""Handlers of Ansible: what a task that notifies some waits for."""

from __future__ import annotations

import functools
import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.errors import ProfileError
from generator.readers.base import Context, Source
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table, parse_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SERVICES: Final = frozenset({"systemd", "systemd_service", "service"})
_COMMANDS: Final = frozenset({"command", "shell"})
_OF_ROLE: Final = ("../handlers/main.yml", "../handlers/main.yaml")
_REREADS: Final = re.compile(r"daemon[-_]re(?:load|exec)|(?:import|include)_role")
"""What has systemd read its files again, or may."""
_MOST: Final = 40
_KEYWORDS: Final = frozenset(
    {"name", "listen", "become", "become_user", "when", "tags", "changed_when", "register"}
)


class Handlers:
    """The handlers that the tasks of a file may notify: of their plays, and of the role."""

    def __init__(self, file: str, context: Context) -> None:
        self.file, self.context = file, context
        self._of_plays: dict[int, dict[str, bool]] = {}

    def may_restart(self, task: Table, around: Sequence[Table]) -> bool:
        """Return whether a task notifies one that may restart something, or that is not here.

        One that has systemd read its files again leaves alone what runs.
        """
        notified = task.get("notify")
        told = _items(notified) or (notified,)
        names = {one.text for one in told if isinstance(one, Scalar)}
        known = [*map(self._of_play, around), self._of_role] if names else []
        reload = ([several[name] for several in known if name in several] for name in names)
        return not all(found and all(found) for found in reload)

    def of_role_restart_alone(self, task: Table, service: str) -> bool:
        """Return whether a task notifies a handler of the role that restarts a service, no more.

        Nothing in the role has systemd read its files again.
        """
        if self._rereads:
            return False
        notified = task.get("notify")
        names = {o.text for o in _items(notified) or (notified,) if isinstance(o, Scalar)}
        tables = [one for one in self._role_handlers if isinstance(one, Table)]
        named = (one for one in tables if names & {*_called(one)})
        return any(_restarts(one, service) for one in named)

    @functools.cached_property
    def _rereads(self) -> bool:
        folder = posixpath.dirname(self.file)
        beside = (posixpath.join(folder, part, "x") for part in ("", "../handlers"))
        listed = [path for one in beside for path in self.context.listed(posixpath.normpath(one))]
        if len(listed) > _MOST:
            return True  # Nobody reads so many.
        return any(_REREADS.search(self.context.read(path) or "") for path in listed)

    def _of_play(self, play: Table) -> dict[str, bool]:
        if id(play) not in self._of_plays:
            self._of_plays[id(play)] = _reloading(play.items("handlers"))
        return self._of_plays[id(play)]

    @functools.cached_property
    def _of_role(self) -> dict[str, bool]:
        return _reloading(self._role_handlers)

    @functools.cached_property
    def _role_handlers(self) -> list[Node]:
        folder = posixpath.dirname(self.file)
        paths = (posixpath.normpath(posixpath.join(folder, name)) for name in _OF_ROLE)
        texts = ((path, self.context.read(path)) for path in paths)
        tops = (top for path, text in texts if text is not None for top in _parsed(path, text))
        return [one for top in tops for one in _items(top)]


def _reloading(handlers: Sequence[Node]) -> dict[str, bool]:
    """Return whether all handlers of a name do no more than to have systemd read its files."""
    found: dict[str, bool] = {}
    for one in (one for one in handlers if isinstance(one, Table)):
        for name in _called(one):
            found[name] = found.get(name, True) and _reloads(one)
    return found


def _parsed(path: str, text: str) -> list[Node]:
    try:
        return parse_all(Source(path, text))
    except ProfileError:
        return []  # It is told where that file is judged.


def _items(node: Node | None) -> tuple[Node, ...]:
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


def _restarts(handler: Table, service: str) -> bool:
    """Whether a handler restarts a service by a module of Ansible."""
    modules = ((k.rpartition(".")[2], given) for k, given in handler.entries.items())
    return any(
        name in SERVICES
        and isinstance(given, Table)
        and given.text("state") == "restarted"
        and given.text("name").removesuffix(".service") == service
        for name, given in modules
    )


def _reads_again(module: str, given: Node) -> bool:
    if module in SERVICES and isinstance(given, Table):
        return given.text("state") in {"", "started"}
    command = given.text if isinstance(given, Scalar) else ""
    command = given.text("cmd") if isinstance(given, Table) else command
    return module in _COMMANDS and command.split()[-2:] == ["systemctl", "daemon-reload"]
