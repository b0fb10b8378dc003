"""Nix as a syntax tree: names that a text binds itself, and values that it says literally."""

from __future__ import annotations

import functools
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from generator.readers.syntax.grammar import TooMuch, parsed, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tree_sitter import Node, Parser

MOST_STEPS: Final = 30_000
MOST_DEPTH: Final = 150
# The parser takes a time that grows with the square of these.
_CHAIN: Final = re.compile(r"(?:\.[ \t\n]*[\w'-]{1,200}[ \t\n]*){100}", re.ASCII)
_OPEN_COMMENTS: Final = 50
_INNER: Final = {
    "source_code": "expression",
    "parenthesized_expression": "expression",
    "with_expression": "body",
    "assert_expression": "body",
}
PRIORITIES: Final = {"mkDefault": 1000, "mkForce": 50, "mkOptionDefault": 1500, "mkVMOverride": 10}
SAME: Final = {"mkBefore": 0, "mkAfter": 0, "mkOrder": 1, "mkIf": 1, "optionalAttrs": 1}
"""Functions that hand on one of their arguments."""
_LITERALS: Final = {"true": True, "false": False, "null": None}
_ESCAPES: Final = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "'''": "''", "''$": "$", "''\\n": "\n"}
_SPECIAL: Final = re.compile(r'[\\"$%]')
_DOUBLED: Final = {"\\": "\\\\", '"': '\\"', "$": "$$", "%": "%%"}
UNKNOWN: Final = "…"
"""What stands in a text for a part that is not known."""
_UNKNOWN: Final = (None, True)
_DIGITS: Final = 19  # Of the largest integer of Nix.


@functools.cache
def parser() -> Parser | None:
    """Return what reads Nix; None where it is not installed."""
    try:
        import tree_sitter
        import tree_sitter_nix
    except ImportError:
        return None
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_nix.language()))


def tree(text: str) -> Node | None:
    """Return the root of the tree of a text; None where nothing can read it. Raises TooMuch."""
    reader = parser()
    if reader is None:
        return None
    if _CHAIN.search(text) or text.count("/*", text.rfind("*/") + 1) > _OPEN_COMMENTS:
        raise TooMuch
    return parsed(reader, text)


def inner(node: Node | None) -> Node | None:
    """Return an expression without what stands around it: brackets, `with`, `assert`."""
    while node is not None and (field := _INNER.get(node.type)):
        node = node.child_by_field_name(field)
    return node


class Scope:
    """The names that are bound where a piece of text stands; None: not by the text."""

    def __init__(self, names: Mapping[str, Node | None], above: Scope | None) -> None:
        self.names, self.above = names, above

    def find(self, name: str) -> tuple[Node | None, Scope]:
        """Return what a name is bound to, and the names that are bound there."""
        scope = self
        while scope.above is not None and name not in scope.names:
            scope = scope.above
        return scope.names.get(name), scope


def bindings(node: Node) -> Iterator[Node]:
    """Yield what a set or a `let` binds and inherits."""
    for child in node.named_children:
        if child.type == "binding_set":
            yield from (b for b in child.named_children if b.type != "comment")


def attrs(attrpath: Node | None) -> Iterator[tuple[str | None, int]]:
    """Yield the names of a path with their lines; None for one that is computed."""
    for attr in attrpath.named_children if attrpath else ():
        line = attr.start_point[0] + 1
        if attr.type == "identifier":
            yield text_of(attr), line
        elif attr.type == "string_expression":
            plain = all(piece.type == "string_fragment" for piece in attr.named_children)
            yield "".join(map(text_of, attr.named_children)) if plain else None, line
        elif attr.type != "comment":
            yield None, line


def bound(node: Node) -> dict[str, Node | None]:
    """Return what `let` and `rec` bind: names with a whole expression; others are unknown."""
    names: dict[str, Node | None] = {}
    for binding in bindings(node):
        if binding.type == "binding":
            path = [name for name, _ in attrs(binding.child_by_field_name("attrpath"))]
            if path and path[0] is not None:
                whole = len(path) == 1
                names[path[0]] = binding.child_by_field_name("expression") if whole else None
        elif (named := binding.child_by_field_name("attrs")) is not None:
            names |= {text_of(attr): None for attr in named.named_children}
    return names


def is_table(node: Node) -> bool:
    """Return whether an expression is a set, or makes one."""
    whole = inner(node)
    return whole is not None and whole.type in {
        "attrset_expression", "rec_attrset_expression", "function_expression", "let_expression",
    }  # fmt: skip


def called(node: Node) -> tuple[str, list[Node]]:
    """Return the name of the function that is called, and its arguments."""
    arguments: list[Node] = []
    at: Node | None = node
    while at is not None and at.type == "apply_expression":
        argument = at.child_by_field_name("argument")
        arguments += [argument] if argument is not None else []
        at = at.child_by_field_name("function")
    plain = at is not None and at.type in {"variable_expression", "select_expression"}
    name = re.sub(r"\s+", "", text_of(at)) if at is not None and plain else "a function"
    return name, arguments[::-1]


def run(script: str) -> str:
    """Return what systemd runs where a command is the path of a script: the lines, by a shell."""
    return f'/bin/sh -c "{_SPECIAL.sub(lambda one: _DOUBLED[one[0]], script)}" sh'


class Values:
    """Reads values, in a bounded number of steps. Raises TooMuch."""

    def __init__(self) -> None:
        self.steps = self.depth = 0
        self.readers: dict[str, Callable[[Node, Scope], tuple[Any, bool]]] = {
            "integer_expression": self._integer,
            "float_expression": lambda node, _: (float(text_of(node)), False),
            "path_expression": lambda node, _: (text_of(node), True),
            "uri_expression": lambda node, _: (text_of(node), False),
            "attrset_expression": lambda node, _: ({}, bool(node.named_children)),
            "string_expression": self._string,
            "indented_string_expression": self._indented,
            "list_expression": self._items,
            "variable_expression": self._name,
            "if_expression": self._if_value,
            "binary_expression": self._joined,
            "apply_expression": self._result,
        }

    @contextmanager
    def step(self) -> Iterator[None]:
        """Count what is read, and how deep it stands."""
        self.steps, self.depth = self.steps + 1, self.depth + 1
        if self.steps > MOST_STEPS or self.depth > MOST_DEPTH:
            raise TooMuch
        yield
        self.depth -= 1

    def value(self, node: Node | None, scope: Scope) -> tuple[Any, bool]:
        """Return a value as far as it is known, and whether a part of it is not."""
        node = inner(node)
        if node is None or (read := self.readers.get(node.type)) is None:
            return _UNKNOWN
        with self.step():
            return read(node, scope)

    def _integer(self, node: Node, _: Scope) -> tuple[Any, bool]:
        text = text_of(node)
        return (int(text), False) if len(text) <= _DIGITS else _UNKNOWN

    def _string(self, node: Node, scope: Scope) -> tuple[Any, bool]:
        text, unresolved = "", False
        for piece in node.named_children:
            if piece.type == "interpolation":
                told, unknown = self.value(piece.child_by_field_name("expression"), scope)
                unknown = unknown or not isinstance(told, str)
                text += UNKNOWN if unknown else told
                unresolved = unresolved or unknown
            else:
                raw = text_of(piece)
                escaped = piece.type in {"escape_sequence", "dollar_escape"}
                text += _ESCAPES.get(raw, raw.lstrip("\\'")) if escaped else raw
        return text, unresolved

    def _indented(self, node: Node, scope: Scope) -> tuple[Any, bool]:
        text, unresolved = self._string(node, scope)
        lines = text.split("\n")
        if lines and not lines[0].strip(" "):
            lines = lines[1:]
        blank = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip(" ")]
        least = min(blank, default=0)
        return "\n".join(line[least:] if line.strip(" ") else "" for line in lines), unresolved

    def _items(self, node: Node, scope: Scope) -> tuple[Any, bool]:
        told = [self.value(item, scope) for item in node.named_children if item.type != "comment"]
        return [value for value, unknown in told if not unknown], any(u for _, u in told)

    def _name(self, node: Node, scope: Scope) -> tuple[Any, bool]:
        name = text_of(node)
        told, there = scope.find(name)
        if told is None and name in _LITERALS:
            return _LITERALS[name], False
        return _UNKNOWN if told is None else self.value(told, there)

    def _if_value(self, node: Node, scope: Scope) -> tuple[Any, bool]:
        one = self.value(node.child_by_field_name("consequence"), scope)
        other = self.value(node.child_by_field_name("alternative"), scope)
        return one if one == other else _UNKNOWN

    def _joined(self, node: Node, scope: Scope) -> tuple[Any, bool]:
        operator = node.child_by_field_name("operator")
        sides = [self.value(node.child_by_field_name(n), scope) for n in ("left", "right")]
        (left, _), (right, _) = sides
        unknown = any(u for _, u in sides)
        if operator is None or text_of(operator) not in {"+", "++"}:
            return _UNKNOWN
        if isinstance(left, str) and isinstance(right, str) and not unknown:
            return left + right, False
        if text_of(operator) == "++":
            lists = [side for side in (left, right) if isinstance(side, list)]
            return [item for side in lists for item in side], unknown
        return _UNKNOWN

    def _result(self, node: Node, scope: Scope) -> tuple[Any, bool]:
        name, arguments = called(node)
        last = name.rpartition(".")[2]
        if last in {*PRIORITIES, *SAME} and len(arguments) > SAME.get(last, 0):
            return self.value(arguments[SAME.get(last, 0)], scope)
        if last == "writeShellScript" and len(arguments) > 1:
            told, unknown = self.value(arguments[1], scope)
            return (run(told), unknown) if isinstance(told, str) else _UNKNOWN
        if last == "toString" and arguments:
            told, unknown = self.value(arguments[0], scope)
            if type(told) in {int, str} and not unknown:
                return str(told), False
        if last in {"optional", "optionals"} and len(arguments) > 1:
            return [], True
        return _UNKNOWN
