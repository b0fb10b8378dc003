"""Tasks of Ansible that hand a line of the shell to a module which starts programs itself."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import UNSHELLED, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODULES: Final = ("ansible.builtin.command", "ansible.legacy.command", "command")
_OF_A_TASK: Final = frozenset(
    {
        *("name", "register", "when", "args", "changed_when", "failed_when", "become", "tags"),
        *("notify", "loop", "with_items", "ignore_errors", "environment", "until", "delegate_to"),
    }
)
_OF_A_CONTAINER: Final = frozenset({"image", "build", "entrypoint", "container_name"})
_FILLED_IN: Final = re.compile(r"\{\{[^{}]*\}\}|\{%[^%]*%\}")
_SIGN: Final = re.compile(
    r"\|\|?|&&|&|;|[0-9]?>{1,2}(?:&[0-9])?|<|[0-9]>(?:&[0-9]|/\S+)|&>\S*|>\S+"
)
_ASSIGNED: Final = re.compile(r"[A-Z_][A-Z0-9_]*=\S*")
_LONGEST: Final = 2000


def unshelled(task: Table, engine: str) -> Iterator[Line]:
    """Yield what of a command of an engine is for a shell, and reaches none: it, the module."""
    for module in _MODULES:
        given = task.get(module)
        command = given.get("cmd") if isinstance(given, Table) else given
        if not isinstance(command, Scalar) or engine not in command.text:
            continue
        of_a_task = "." in module or not task.entries.keys().isdisjoint(_OF_A_TASK)
        if of_a_task and task.entries.keys().isdisjoint(_OF_A_CONTAINER):
            sign = _sign(command.text[:_LONGEST])
            if sign:
                yield Line(section=UNSHELLED, name=sign, value=module, place=command.place)


def _sign(text: str) -> str:
    """Return the first word that only a shell understands; empty: there is none."""
    try:
        words = shlex.split(_FILLED_IN.sub("x", text))
    except ValueError:
        return ""
    if words and _ASSIGNED.fullmatch(words[0]):
        return words[0]
    return next((word for word in words[1:] if _SIGN.fullmatch(word)), "")
