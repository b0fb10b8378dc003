"""Tasks of Ansible that change a part of a file: what they put into a unit, as a drop-in of it."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from generator.readers.syntax.written import Document, is_unit, section_beside
from generator.readers.syntax.yaml_tree import Items, Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ITEM: Final = re.compile(r"\{\{\s{0,9}item(?:\.(\w+)|\['(\w+)'\])?\s{0,9}\}\}")
_MOST: Final = 100  # items of a loop
_Text: TypeAlias = "Callable[[str], str]"


def put_in(module: str, given: Table, task: Table, filled: _Text) -> Iterator[Document]:
    """Yield what a task puts into a file, once for each item of its loop.

    `filled` puts in the variables that the task sees.
    """
    path = filled(given.text("path") or given.text("dest"))
    told = _TOLD.get(module.rpartition(".")[2])
    for item in islice(_items(task), _MOST) if told else ():
        text = _reading(given, item, filled)
        found, line = told(text, given) if told else ("", 0)
        if found:
            line = item.place.line if item else line
            lines = tuple(line + at * (item is None) for at in range(found.count("\n") + 2))
            yield _document(path, found, lines, _section(module, text, path))


def _reading(given: Table, item: Scalar | Table | None, filled: _Text) -> _Text:
    return lambda key: filled(_with(given.text(key), item))


def _document(path: str, text: str, lines: tuple[int, ...], section: str) -> Document:
    inserted = is_unit(path)
    if inserted and section:
        text, lines = f"[{section}]\n{text}", (lines[0], *lines)
    return Document(
        path, f"{text}\n", lines[0], spoken=True, appends=True, inserted=inserted, lines=lines
    )


def _items(task: Table) -> Iterator[Scalar | Table | None]:
    """Yield the items of the loop of a task; None: there is no loop."""
    loops = (key for key in ("loop", "with_items", "with_list") if key in task.entries)
    key = next(loops, "")
    node = task.get(key) if key else None
    if not key:
        yield None
    for item in node.items if isinstance(node, Items) else ():
        if isinstance(item, Scalar | Table):
            yield item


def _with(text: str, item: Scalar | Table | None) -> str:
    """Return a text with the item of the loop put in, as far as the item tells."""

    def meant(found: re.Match[str]) -> str:
        key = found[1] or found[2]
        if isinstance(item, Table) and key:
            return item.text(key) or found[0]
        return item.text if isinstance(item, Scalar) and not key else found[0]

    return text if item is None else _ITEM.sub(meant, text)


def _of_a_line(text: _Text, given: Table) -> tuple[str, int]:
    return text("line"), given.place_of("line").line


def _of_a_block(text: _Text, given: Table) -> tuple[str, int]:
    block = given.scalar("block") or given.scalar("content")
    return text("block") or text("content"), block.starts if block else 0


def _of_a_key(text: _Text, given: Table) -> tuple[str, int]:
    option, value = text("option"), text("value")
    return (f"{option}={value}" if option and value else ""), given.place_of("value").line


_TOLD: Final = {"lineinfile": _of_a_line, "blockinfile": _of_a_block, "ini_file": _of_a_key}


def _section(module: str, text: _Text, path: str) -> str:
    """Return the section below which a task puts something; empty: what it puts says so."""
    if module.endswith("ini_file"):
        return text("section")
    behind, before = text("insertafter"), text("insertbefore")
    sought = "" if behind in {"EOF", ""} else behind
    if sought or before or text("regexp"):
        return section_beside(
            sought or before or text("regexp"), before=not sought and bool(before)
        )
    # What comes to stand at the end of a unit is below its last section.
    return "Install" if path.endswith(".service") else "Service"
