"""Tasks and steps that go on as if nothing were, where a pull or a start of the service fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.readers.steps.handlers import SERVICES
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import FORGIVEN, Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.view import Command

_FORGIVES: Final = {"ignore_errors": True, "continue-on-error": True, "failed_when": False}
"""What of a task or a step says so, with the value that does."""
_VERBS: Final = frozenset({"pull", "create"})
_STARTED: Final = frozenset({"started", "restarted"})
_PULLS: Final = re.compile(r"/api/(?:pull|create)\b")


def forgiven(task: Table, commands: Sequence[Command], text: str, engine: str) -> Iterator[Line]:
    """Yield what may fail in a task without anybody hearing of it: a pull, or a start.

    `commands` are those of the engine that it runs, `text` is that of the file.
    """
    said = next((key for key in _FORGIVES if _is_so(task, key)), "")
    what = _done(task, commands, engine) if said else ""
    if what and not _is_asked(task.text("register"), text, task.place_of(said).line):
        yield Line(section=FORGIVEN, name=what, value=said, place=task.place_of(said))


def _is_asked(result: str, text: str, line: int) -> bool:
    """Whether a later task asks what has become of the one around a line."""
    if not result:
        return False
    behind = _NEXT.split("\n".join(text.split("\n")[line:]), 1)[1:]
    asks = rf"\b{re.escape(result)}(?:\.(?:rc|failed|stderr|results)\b|\s+is\s+\w)"
    return re.search(asks, "".join(behind)) is not None


_NEXT: Final = re.compile(r"(?m)^[ \t]*-[ \t]+\w")


def _is_so(task: Table, key: str) -> bool:
    node = task.get(key)
    if not isinstance(node, Scalar):
        return False
    return node.is_true if _FORGIVES[key] else node.text.lower() in {"false", "no"}


def _done(task: Table, commands: Sequence[Command], engine: str) -> str:
    """Return what of a task matters; empty: nothing, or something inside of it does."""
    asked = (one.words[0][0] for one in commands if one.words and one.words[0][0] in _VERBS)
    verb = next(asked, "")
    if verb and "steps" not in task.entries:
        return f"{engine} {verb}"
    for module, given in task.entries.items():
        name = module.rpartition(".")[2]
        if not isinstance(given, Table):
            continue
        ours = given.text("name").removesuffix(".service") == engine
        if name in SERVICES and ours and given.text("state") in _STARTED:
            return f"systemctl start {engine}"
        if name == "uri" and _PULLS.search(given.text("url")):
            return given.text("url").rpartition("/api")[1] + given.text("url").rpartition("/api")[2]
    return ""
