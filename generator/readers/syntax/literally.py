"""Values that look as if somebody expanded them, in files whose reader expands nothing."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.yaml_tree import Items, Node, Table
from generator.view import LITERAL, Line, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from generator.readers.base import Context, Source

_VARIABLE: Final = re.compile(r"\$\{[A-Z][A-Z0-9_]*(?::?[-?+=][^{}]*)?\}|^\$[A-Z][A-Z0-9_]{2,}$")
_TEMPLATE: Final = re.compile(r"(?i)\.(?:j2|jinja2?|tmpl|tpl|template|tftpl|in|gotmpl|ctmpl|erb)\b")
_FILLS_IN: Final = re.compile(
    r"\b(?:envsubst|gomplate|dockerize|confd|consul-template|esh|j2cli|jinja2?|mustache|ytt"
    r"|templatefile|replace_vars|render\w*)\b|\bsed\b|expand-env|\.replace\(|\bperl\b|\bawk\b"
)
_TELLS: Final = re.compile(
    r"(?:docker-|podman-)?compose[\w.-]*\.ya?ml|Dockerfile[\w.-]*|[\w.-]+\.(?:sh|bash|py|mk|ps1)"
    r"|[Mm]akefile|[Jj]ustfile|Taskfile\.ya?ml|README\.md|entrypoint[\w.-]*"
)
_FOLDERS: Final = ("", "..", "../..", "../scripts", "../../scripts")
_MOST: Final = 40


def taken_as_it_stands(
    top: Table, source: Source, context: Context, within: Collection[str] = ()
) -> Iterator[Line]:
    """Yield the values with a variable in them, of a file that nothing at hand fills in.

    `within` are keys at the top whose values are expanded.
    """
    # What becomes of a template has a name that is not there.
    if not context.exists(source.path) or _TEMPLATE.search(posixpath.basename(source.path)):
        return
    seen = set[int]()
    found = [
        line
        for key, node in top.entries.items()
        if key not in within
        for line in _values(node, key, seen)
    ]
    if found and not _filled_in(source.path, context):
        yield from found


def _values(node: Node, key: str, seen: set[int]) -> Iterator[Line]:
    """Yield the values below a node; what several aliases stand for is looked into once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, Table):
        for name, inner in node.entries.items():
            yield from _values(inner, name, seen)
    elif isinstance(node, Items):
        for inner in node.items:
            yield from _values(inner, key, seen)
    # What is longer than a line is a text for people, or a template.
    elif (found := _VARIABLE.search(node.text)) and "\n" not in node.text and "{{" not in node.text:
        place = Place(node.place.file, node.place.line, key)
        yield Line(section=LITERAL, name=key, value=found[0], place=place)


def _filled_in(path: str, context: Context) -> bool:
    """Return whether something beside the file may fill in what it has."""
    folder, looked = posixpath.dirname(path), 0
    for above in _FOLDERS:
        place = posixpath.normpath(posixpath.join(folder, above, "x"))
        for file in context.listed(place):
            if _TELLS.fullmatch(posixpath.basename(file)) and looked < _MOST:
                looked += 1
                if _FILLS_IN.search(context.read(file) or ""):
                    return True
    return False
