"""Tasks and steps that go on as if nothing were, where a pull or a start of the service fails."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from generator.readers.steps.handlers import SERVICES
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import FORGIVEN, UNNOTICED, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.readers.syntax.yaml_tree import Node
    from generator.view import Command

_FORGIVES: Final = {"ignore_errors": True, "continue-on-error": True, "failed_when": False}
"""What of a task or a step says so, with the value that does."""
_VERBS: Final = frozenset({"pull", "create"})
_STARTED: Final = frozenset({"started", "restarted"})
_NEXT: Final = re.compile(r"(?m)^[ \t]*-[ \t]+\w")
_ASKED: Final = re.compile(r"\b(\w++)(?=\.(?:rc|failed|stderr|results)\b|\s+is\s+\w)")
_PULLS: Final = re.compile(r"/api/(?:pull|create)\b")


class Results:
    """The text of a file, where its tasks ask what has become of others."""

    def __init__(self, text: str) -> None:
        self.last = {found[1]: found.start() for found in _ASKED.finditer(text)}
        self.tasks = [found.end() for found in _NEXT.finditer(text)]
        self.lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def asked(self, result: str, line: int) -> bool:
        """Return whether a later task asks for the result of the one around a line."""
        at = bisect_left(self.tasks, self.lines[min(line, len(self.lines) - 1)])
        return at < len(self.tasks) and self.last.get(result, -1) >= self.tasks[at]


def forgiven(
    task: Table, commands: Sequence[Command], results: Callable[[], Results], engine: str
) -> Iterator[Line]:
    """Yield what may fail in a task without anybody hearing of it: a pull, or a start.

    `commands` are those of the engine that it runs, `results` those that its file asks for.
    """
    said = next((key for key in _FORGIVES if _is_so(task, key)), "")
    what = _done(task, commands, engine) if said else ""
    if what and not results().asked(task.text("register"), task.place_of(said).line):
        yield Line(section=FORGIVEN, name=what, value=said, place=task.place_of(said))


def streamed(task: Table, text: str) -> Iterator[Line]:
    """Yield a pull through the API whose failure stands in a stream, at which nothing looks.

    `text` is that of the file.
    """
    for module, given in task.entries.items():
        if module.rpartition(".")[2] != "uri" or not isinstance(given, Table):
            continue
        url, body = given.scalar("url"), given.get("body")
        if url is None or body is None or not _PULL.search(url.text) or _is_whole(body):
            continue
        result = re.escape(task.text("register"))
        looks = {"failed_when", "until"} & task.entries.keys() or (
            result and re.search(rf"\b{result}\b[\w.\[\]\"' ]*\b(?:content|json)\b", text)
        )
        if not looks:
            yield Line(section=UNNOTICED, name="stream", value=module, place=url.place)


_PULL: Final = re.compile(r"/api/pull\b")
_WHOLE: Final = re.compile(r"stream\\?[\"']?\s*:\s*[Ff]alse")


def _is_whole(body: Node) -> bool:
    """Whether an answer is asked for at once, and so with the status of the whole."""
    if isinstance(body, Table):
        told = body.scalar("stream")
        return told is not None and not told.is_true
    return not isinstance(body, Scalar) or "{{" in body.text or bool(_WHOLE.search(body.text))


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
