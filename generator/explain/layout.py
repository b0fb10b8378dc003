"""A Page as lines of text; each line says what it is, so that a terminal may colour it."""

from __future__ import annotations

import textwrap
from itertools import compress
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.errors import shortened
from generator.explain.page import KINDS, Grid, Prose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from generator.explain.lookup import Entry
    from generator.explain.page import Block, Page

    Tabulate = Callable[[Sequence[str], Sequence[Sequence[str]]], str]


# The names of a list take this much of a line; the few longer ones push their text aside.
_NAMES: Final = 30


class Line(NamedTuple):
    """A line, or several of a table; `role` is `title`, `label`, `sample`, `text` or `list`."""

    text: str
    role: str = "text"


def laid_out(page: Page, columns: int, tabulate: Tabulate) -> Iterator[Line]:
    """Yield the lines of a Page; `tabulate` makes a table of its head and rows."""
    yield from (Line(line, "title") for line in _wrapped(page.title, columns, "  "))
    before: Block | None = None
    for block in page.blocks:
        if not (_labelled(before) and _labelled(block)):
            yield Line("")
        yield from _block(block, columns, tabulate)
        before = block
    if page.sources:
        yield Line("")
        yield Line("Sources", "label")
        for source in page.sources:
            yield from (Line(line) for line in _wrapped(source, columns, "    ", "  "))


def _labelled(block: Block | None) -> bool:
    """Labelled paragraphs stand together, like the rows of a list."""
    return isinstance(block, Prose) and bool(block.label)


def _block(block: Block, columns: int, tabulate: Tabulate) -> Iterator[Line]:
    if isinstance(block, Prose):
        text = f"{block.label}: {block.text}" if block.label else block.text
        indent = "  " if block.label else ""
        yield from (Line(line) for line in _wrapped(text, columns, indent))
    elif isinstance(block, Grid):
        filled = [any(column) for column in zip(*block.rows, strict=True)]
        head, *rows = (tuple(compress(row, filled)) for row in (block.head, *block.rows))
        yield Line(tabulate(head, rows))
    else:
        yield Line(block.label, "label")
        yield from (Line(f"  {line}".rstrip(), "sample") for line in block.text.splitlines())


def _wrapped(text: str, columns: int, indent: str, first: str = "") -> list[str]:
    return textwrap.wrap(
        text, columns, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    )


def list_lines(entries: Iterable[Entry], columns: int) -> Iterator[Line]:
    """Yield one line for each name, under a heading for each kind."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.kind, []).append(entry)
    for number, (kind, group) in enumerate(groups.items()):
        if number:
            yield Line("")
        yield Line(f"{kind}: {KINDS[kind]}", "label")
        width = min(max(len(entry.name) for entry in group), _NAMES)
        for entry in group:
            yield Line(shortened(f"  {entry.name:{width}}  {entry.summary}", columns), "list")
