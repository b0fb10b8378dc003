"""Texts that resources hand on: user data of a machine, files that are written, scripts."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from generator.readers.embedded import embedded, file_name
from generator.readers.passed import uses_an_engine
from generator.readers.signs import names_an_engine
from generator.readers.syntax.applied import while_booting, without_home
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.readers.templates import untold
from generator.readers.terraform.docker import not_literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.readers.base import Context
    from generator.view import NotJudged, View

_HANDED: Final = re.compile(
    r".*user[-_]data.*|custom_data.*|.*startup[-_]script.*|cloud_?init.*|content.*|rendered"
)
_AT_BOOT: Final = re.compile(r".*user[-_]?data.*|custom_data.*|.*startup[-_]script.*|cloud_?init.*")
_SCRIPTS: Final = frozenset({"inline", "command"})
_NAMES: Final = ("filename", "destination", "path", "file", "target")
_DEEPEST: Final = 12


def texts_of(table: Table, context: Context) -> tuple[list[View], list[NotJudged]]:
    """Return what the texts in a resource say, each at its lines, and what of them nobody reads."""
    views: list[View] = []
    gaps: list[NotJudged] = []
    for key, text, name in _texts(table):
        if not names_an_engine(text.text):
            continue
        kind = "script" if key in _SCRIPTS else _kind_of(text.text)
        found, unread = embedded(text.text, name, text.place.file, text.starts, context, kind)
        # What Terraform fills in is known to nobody here.
        found = (
            [without_home(while_booting(view)) for view in found]
            if _AT_BOOT.fullmatch(key)
            else found
        )
        views += found if text.explicit else map(untold, found)
        gaps += unread
        if not found and not unread and uses_an_engine(text.text):
            gaps.append(not_literal(key, text.place))
    return views, gaps


def _kind_of(text: str) -> str | None:
    """Return the kind that a text says of itself, as cloud-init asks its first line."""
    first = text.lstrip()
    kinds = {"#!": "script", "#cloud-config": "steps", "## template: jinja": "steps"}
    return next((kind for head, kind in kinds.items() if first.startswith(head)), None)


def _texts(node: Node, depth: int = 0) -> Iterator[tuple[str, Scalar, str]]:
    """Yield each text with its key and the name of the file that it becomes."""
    if isinstance(node, Items):
        for one in node.items if depth < _DEEPEST else ():
            yield from _texts(one, depth + 1)
    if not isinstance(node, Table) or depth > _DEEPEST:
        return
    name = next((file_name(told) for key in _NAMES if (told := node.text(key))), "")
    for key, value in node.entries.items():
        if key in _SCRIPTS:
            yield from ((key, script, "") for script in _script(node, key))
        elif isinstance(value, Scalar) and (value.block or _HANDED.fullmatch(key)):
            yield key, value, name
        else:
            yield from _texts(value, depth + 1)


def _script(node: Table, key: str) -> Iterator[Scalar]:
    """Yield the lines of a script, which are a list or one text."""
    lines = [one for one in node.items(key) if isinstance(one, Scalar)]
    if len(lines) == 1:
        yield lines[0]
    elif lines:
        text = "".join(
            "\n" * max(after.place.line - one.place.line, 1) + after.text
            for one, after in pairwise(lines)
        )
        told = all(one.explicit for one in lines)
        yield Scalar(f"{lines[0].text}{text}", lines[0].place, explicit=told, shared=True)
