"""Modules that are called: what the one that calls them gives their variables."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import Context, Source
from generator.readers.syntax.yaml_tree import Scalar
from generator.readers.terraform.evaluate import Module

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.readers.syntax.yaml_tree import Node, Table

ENDS: Final = (".tf", ".tofu")
_UP: Final = 3
"""How many directories above a module its caller is looked for."""
_OWN: Final = frozenset({"source", "version", "providers", "depends_on", "count", "for_each"})


def given_to(folder: str, context: Context) -> dict[str, Node]:
    """Return what the only call of a module gives its variables; nothing where there are several.

    What the caller cannot tell either is left out, and then the default of the module holds.
    """
    calls = [call for above in _above(folder) for call in _calls(above, folder, context)]
    entries: Mapping[str, Node] = calls[0] if len(calls) == 1 else {}
    return {
        name: node
        for name, node in entries.items()
        if name not in _OWN and not (isinstance(node, Scalar) and not node.explicit)
    }


def _above(folder: str) -> Iterator[str]:
    for up in range(1, _UP + 1):
        above = posixpath.normpath(posixpath.join(folder, *[".."] * up))
        if not above.startswith(".."):  # That is nothing that somebody has asked about.
            yield above


def _calls(above: str, folder: str, context: Context) -> Iterator[Mapping[str, Node]]:
    """Yield what the calls of a module in the files of a directory say."""
    files = [p for p in context.listed(posixpath.join(above, "x.tf")) if p.endswith(ENDS)]
    texts = [Source(path, context.read(path) or "") for path in files]
    if not any(_MODULE.search(one.text) for one in texts):
        return
    caller = Module(texts, context)
    for block in caller.blocks:
        if block.kind != "module":
            continue
        table: Table = caller.resource(block)
        source = table.text("source")
        if source.startswith(".") and _same(posixpath.join(above, source), folder):
            yield table.entries


def _same(one: str, other: str) -> bool:
    return posixpath.normpath(one) == posixpath.normpath(other)


_MODULE: Final = re.compile(r"(?m)^[ \t]*module[ \t]+\"")
