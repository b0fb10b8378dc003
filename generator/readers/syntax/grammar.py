"""A text as a syntax tree by one of the grammars of tree-sitter, within bounds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

MOST_SECONDS: Final = 2
"""Of CPU time, for the tree of one text."""
_CHUNK: Final = 2**10


class TooMuch(Exception):
    """The text is larger or deeper than any that somebody writes."""


def parsed(reader: Parser, text: str) -> Node:
    """Return the root of the tree of a text. Raises TooMuch."""
    data, start = text.encode(errors="replace"), time.process_time()
    try:
        return reader.parse(
            lambda at, _: data[at : at + _CHUNK],
            progress_callback=lambda *_: time.process_time() - start > MOST_SECONDS,
        ).root_node
    except ValueError as error:
        reader.reset()
        raise TooMuch from error


def text_of(node: Node) -> str:
    """Return the text of a node."""
    return (node.text or b"").decode(errors="replace")
