"""Templates and files of a role of Ansible that none of its tasks puts anywhere."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.blocks import LONGEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.readers.base import Context

_FOLDERS: Final = frozenset({"templates", "files"})
_UP: Final = 4  # folders below `templates`
_MOST: Final = 60
_ELSEWHERE: Final = re.compile(
    r"fileglob|filetree|first_found|role_path|\blookup\(|\bquery\("
    r"|\b(?:include|import)(?:_tasks)?:[ \t]*[\"']?(?:\.\./|[^\n\"'/]{1,80}/)"
    r"|\bsrc\s{0,9}[:=]\s{0,9}[\"']?[^\n\"']{0,200}/[\"']?\s*$",
    re.MULTILINE,
)
"""What may install more than it names: a pattern, a whole folder, tasks of another one."""
_SOURCE: Final = re.compile(r"\bsrc\s{0,9}[:=]\s{0,9}[\"']?([^\n\"']{0,300}\{\{[^\n]{0,300})")
_GAP: Final = re.compile(r"\{\{.*?\}\}")


def is_left_lying(path: str, others: Iterable[str], context: Context) -> bool:
    """Return whether a file lies in a role with tasks, none of which names it.

    `others` are the texts of tasks elsewhere, which may do so.
    """
    role = _role(path)
    tasks = [_listed(role, part, context) for part in ("tasks", "handlers")] if role else []
    if not role or not tasks[0]:
        return False
    paths = [*tasks[0], *tasks[1], *(one for one in context.listed(path) if one != path)][:_MOST]
    texts = [context.glance(one) for one in paths]
    told = [text for text in texts if text is not None]
    if len(told) < len(paths) or len(paths) == _MOST or any(map(_ELSEWHERE.search, told)):
        return False
    name = posixpath.basename(path)
    return not any(_names(text, name) for text in (*told, *others))


def _role(path: str) -> str:
    """Return the folder of the role that a file lies in; empty: it lies in none."""
    folder = posixpath.dirname(path)
    for _ in range(_UP):
        above, part = posixpath.split(folder)
        if part in _FOLDERS:
            return above or "."
        folder = above
    return ""


def _listed(role: str, part: str, context: Context) -> list[str]:
    every = context.listed(posixpath.normpath(posixpath.join(role, part, "x")))
    return [one for one in every if one.endswith((".yml", ".yaml"))]


def _names(text: str, name: str) -> bool:
    """Return whether tasks name a file, in full or with something to fill in."""
    sources = (found[1][:LONGEST] for found in _SOURCE.finditer(text))
    return name in text or any(_may_be(one, name) for one in sources)


def _may_be(source: str, name: str) -> bool:
    last = posixpath.basename(_GAP.sub("\0", source).rstrip("\"' \t\r"))
    return re.fullmatch(".*".join(map(re.escape, last.split("\0"))), name) is not None
