"""What scripts and roles of the repository make for a unit: its user, and directories."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.beside import scripts_near
from generator.readers.syntax.applied import directories_of_root
from generator.view import HOMELESS, Line, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context

_OF_ROLE: Final = ("../tasks/main.yml", "../tasks/main.yaml")
_USERADD: Final = re.compile(
    r"\buseradd\s+((?:-[\w-]+(?:[= ](?!-)[\w/.:-]+)?\s+)*)[\"']?([\w${}-]+)"
)
_OF_SYSTEM: Final = re.compile(r"(?:^|\s)(?:-\w*[rM]\w*|--system|--no-create-home)(?=\s|$)")
_MAKES: Final = re.compile(r"(?:^|\s)(?:-\w*[mdb]\w*|--create-home|--home(?:-dir)?|--base-dir)\b")
_TASK: Final = re.compile(r"(?m)^\s*(?:-\s+)?(?:ansible\.builtin\.)?user:[ \t]*$")
_NO_HOME: Final = re.compile(r"(?m)^\s+(?:create_home|createhome):\s*(?:false|no|False)\b")


def homeless(path: str, user: str, context: Context) -> Iterator[Line]:
    """Yield where the user of the unit at `path` is made without a home, which nobody else makes.

    The installer of the engine keeps a user that is there, and makes one with a home before.
    """
    for file in _around(path, context):
        text = context.read(file) or ""
        made = _added(text, user) if file.endswith(".sh") else _tasked(text)
        before = re.search(context.engine.installer, text)
        if made is None or f"/home/{user}" in text or (before and before.start() < made):
            continue
        line = text.count("\n", 0, made) + 1
        shown = text.split("\n")[line - 1].strip()
        yield Line(section=HOMELESS, name=user, value=shown, place=Place(file, line))


def kept_by_root(path: str, context: Context) -> Iterator[Line]:
    """Return the directories that scripts near a unit make for root alone."""
    texts = [(file, 1, context.read(file) or "") for file in scripts_near(path, context)]
    return directories_of_root(texts)


def _around(path: str, context: Context) -> list[str]:
    """Return the scripts near a unit, and the tasks of its role."""
    folder = posixpath.dirname(path)
    tasks = [posixpath.normpath(posixpath.join(folder, one)) for one in _OF_ROLE]
    of_role = posixpath.basename(folder) == "templates"
    return scripts_near(path, context) + (tasks if of_role else [])


def _added(text: str, user: str) -> int | None:
    for found in _USERADD.finditer(text):
        options, name = found.groups()
        if name == user and _OF_SYSTEM.search(options) and not _MAKES.search(options):
            return found.start()
    return None


def _tasked(text: str) -> int | None:
    """Return where a task makes the only user of a role, and says that it gets no home."""
    tasks = [*_TASK.finditer(text)]
    after = re.split(r"(?m)^\s*-\s", text[tasks[0].end() :])[0] if len(tasks) == 1 else ""
    found = _NO_HOME.search(after)
    told = found is not None and re.search(r"(?m)^\s+home:", after) is None
    return tasks[0].end() + found.end() if told and found else None
