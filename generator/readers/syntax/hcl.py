"""HCL as a syntax tree: the blocks of a file, and what templates and numbers in it say."""

from __future__ import annotations

import functools
import re
import textwrap
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.grammar import TooMuch, parsed, text_of
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node, Parser

_ESCAPE: Final = re.compile(r'\\(?:([nrt"\\])|u([0-9a-fA-F]{4}))|\$(\$\{)|%(%\{)')
_SHORT: Final = {"n": "\n", "r": "\r", "t": "\t"}
# The parser may take a time that grows with the square of these.
_CHAIN: Final = re.compile(
    r"(?:\.[ \t]*[\w-]{1,200}[ \t]*){100}|[(\[{]{200}|[ \t\r\n]{1000}", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block by what it is, like `resource`, its labels, and its body; `file` is where it stands.

    `body` is None where nothing stands in it.
    """

    kind: str
    labels: tuple[str, ...]
    body: Node | None
    file: str
    line: int


@functools.cache
def parser() -> Parser | None:
    """Return what reads HCL; None where it is not installed."""
    try:
        import tree_sitter
        import tree_sitter_hcl
    except ImportError:
        return None
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))


def blocks_of(text: str, file: str) -> tuple[list[Block], int]:
    """Return the blocks of a file, and the line of its first fault, 0 where there is none.

    Nothing where nothing can read it. Raises TooMuch.
    """
    reader = parser()
    if reader is None:
        return [], 0
    if _CHAIN.search(text):
        raise TooMuch
    root = parsed(reader, text)
    bodies = [n for n in root.named_children if n.type == "body"]
    return [block for body in bodies for block in blocks(body, file)], _fault(root)


def _fault(node: Node) -> int:
    """Return the line of the first fault of a tree."""
    while node.has_error and not (node.is_error or node.is_missing):
        node = next((c for c in node.children if c.has_error or c.is_missing), node.children[0])
    return node.start_point[0] + 1 if node.is_error or node.is_missing else 0


def blocks(body: Node, file: str) -> Iterator[Block]:
    """Yield the blocks that stand in a body."""
    for node in body.named_children:
        if node.type == "block":
            names = [c for c in node.named_children if c.type in {"identifier", "string_lit"}]
            kind, *labels = (text_of(name).strip('"') for name in names)
            inner = next((c for c in node.named_children if c.type == "body"), None)
            yield Block(kind, tuple(labels), inner, file, node.start_point[0] + 1)


def attributes(body: Node) -> Iterator[tuple[str, int, Node]]:
    """Yield the attributes that stand in a body: name, line, expression."""
    for node in body.named_children:
        if node.type == "attribute":
            name, *rest = node.named_children
            if expression := next((one for one in rest if one.type == "expression"), None):
                yield text_of(name), node.start_point[0] + 1, expression


def unescaped(text: str) -> str:
    """Return what a piece of a quoted text stands for."""
    return _ESCAPE.sub(_meant, text)


def _meant(found: re.Match[str]) -> str:
    if found[2]:
        return chr(int(found[2], 16))
    return found[3] or found[4] or _SHORT.get(found[1], found[1])


def pieces(template: Node) -> Iterator[tuple[str, Node | None]]:
    """Yield the pieces of a quoted text or a here-document: a text as it is written, or a gap.

    Spaces that the tree leaves out between them are kept.
    """
    data, begin = template.text or b"", template.start_byte
    inner = [c for c in template.named_children if c.type not in FRAME]
    first, last = _inside(template)
    at = first
    for node in inner:
        if node.type == "template_literal":
            continue
        if node.start_byte > at:
            yield data[at - begin : node.start_byte - begin].decode(errors="replace"), None
        yield text_of(node), node
        at = node.end_byte
    if last > at:
        yield data[at - begin : last - begin].decode(errors="replace"), None


FRAME: Final = frozenset(
    {"quoted_template_start", "quoted_template_end", "heredoc_start", "heredoc_identifier"}
)
"""What stands around a text."""


def without_escapes(text: str) -> str:
    """Return what a piece of a here-document stands for, in which `$${` is no gap."""
    return text.replace("$${", "${").replace("%%{", "%{")


def _inside(template: Node) -> tuple[int, int]:
    """Return the bytes between which a text stands, without its quotes or its marks."""
    if template.type != "heredoc_template":
        frame = [c for c in template.named_children if c.type in FRAME]
        ends = len(frame) > 1
        return frame[0].end_byte, frame[-1].start_byte if ends else template.end_byte
    marks = [c for c in template.named_children if c.type == "heredoc_identifier"]
    data = template.text or b""
    first = data.find(b"\n", marks[0].end_byte - template.start_byte) + 1
    last = data.rfind(b"\n", 0, marks[-1].start_byte - template.start_byte) + 1
    return template.start_byte + first, template.start_byte + max(first, last)


def is_indented(template: Node) -> bool:
    """Return whether a here-document leaves out the indentation of its lines: `<<-`."""
    return text_of(template).startswith("<<-")


dedented = textwrap.dedent
"""What becomes of such a text."""
