"""Units of systemd that are written in pieces: each file as it stands in the end."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.written import Document, is_unit, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SECTION: Final = re.compile(r"\s*\[")


def whole(documents: Iterable[Document]) -> Iterator[Document]:
    """Yield documents, those that go to one unit together; others stay as they are.

    What is put into a unit that something else has written is read as a drop-in of it.
    """
    pieces: dict[tuple[str, bool], list[Document]] = {}
    every = list(documents)
    grouped = {line for one in every if one.target for line in one.lines}
    for one in every:
        if not one.target and one.line in grouped:
            continue  # It is a part of what a group of commands writes.
        if not is_unit(one.target):
            yield one
            continue
        key = one.target, one.inserted
        if key in pieces and not one.appends:
            yield _made(pieces.pop(key))
        pieces.setdefault(key, []).append(one)
    for several in pieces.values():
        yield _made(several)


def _made(pieces: list[Document]) -> Document:
    first = pieces[0]
    if not first.appends:
        return first if len(pieces) == 1 else joined(pieces, first.target)
    told = joined(pieces, _beside(first.target))
    if _SECTION.match(told.text):
        return told
    # What comes behind all that a unit has is below its last section.
    header = "[Service]" if told.target == first.target else "[Install]"
    lines = (told.each_line()[0], *told.each_line())
    return dataclasses.replace(told, text=f"{header}\n{told.text}", lines=lines)


def _beside(path: str) -> str:
    """Return the name of a drop-in beside a unit; a drop-in keeps its own."""
    return path if path.endswith(".conf") else f"{path}.d/added.conf"
