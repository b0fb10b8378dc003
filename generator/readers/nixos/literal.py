"""What modules of Nix say literally: the definitions of a syntax tree, with nothing evaluated.

Names that `let` and `rec` bind are followed, and so are the functions of the module system. What
anything else makes is unresolved.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from generator.engines import READ
from generator.readers.nixos.evaluate import Definition
from generator.readers.syntax.grammar import text_of
from generator.readers.syntax.nix import (
    PRIORITIES,
    SAME,
    Scope,
    Values,
    attrs,
    bindings,
    bound,
    called,
    inner,
    is_table,
    tree,
)
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tree_sitter import Node

Path = tuple[str, ...]
INSTALL: Final = "pip install 'hostwright[nix]'"
_KNOWN: Final = frozenset({"nixosSystem", "mkFlake"})
"""Functions that take modules as they are."""
_OF_TEXT: Final = 2
_OPTIONS: Final = re.compile(r"(?<![\w.'-])options\.[^()]*\?")
_SWITCH: Final = re.compile(rf"config\.services\.(?:{'|'.join(READ)})\.enable")
_CLASSES: Final = frozenset({"nixos", "nixosModules", "homeManager", "homeModules", "darwin"})
"""Names of what holds modules of a kind, or the one that an aspect has of it."""
_OPTIONS_OF_NIXOS: Final = frozenset({
    "boot", "environment", "hardware", "home", "launchd", "networking", "nixpkgs", "programs",
    "security", "services", "systemd", "users", "virtualisation",
})  # fmt: skip
_MODULES: Final = frozenset({"imports", "modules", "sharedModules", "extraModules"})
"""Lists of modules."""


@dataclass(frozen=True, slots=True)
class Part:
    """A module of a file: where it stands in it (empty: it is the file) and what it defines.

    `through` are functions that make something else of what is in it. `open`: something sets more
    of it, of which the text does not tell the names.
    """

    where: Path
    found: tuple[Definition, ...]
    through: tuple[str, ...] = ()
    open: bool = False


@functools.lru_cache(maxsize=512)
def parts(text: str) -> tuple[Part, ...] | None:
    """Return the modules of a file; None where nothing can read them here.

    Raises TooMuch.
    """
    root = tree(text)
    if root is None:
        return None
    walk = _Walk()
    walk.define(root, _At(), Scope({}, None))
    walk.open |= {*walk.found} if root.has_error else set()
    every = walk.found.items()
    return tuple(Part(w, tuple(f), tuple(walk.above(w)), w in walk.open) for w, f in every)


class _At(NamedTuple):
    """Where a definition stands: in which module, at which path."""

    module: Path = ()
    path: Path = ()
    priority: int = 100
    line: int = 0
    maybe: bool = False
    conditions: tuple[str, ...] = ()
    released: bool = False

    def below(self, name: str, line: int) -> _At:
        path = (*self.path, name)
        at = self._replace(path=path, line=line)
        if path == ("config",):
            return at._replace(path=())
        if len(path) > 1 and path[-2] in _CLASSES and name in _OPTIONS_OF_NIXOS:
            # The class holds the module itself, as an aspect does.
            return self.inside()._replace(path=(name,), line=line)
        return at.inside() if _begins_module(path) else at

    def inside(self) -> _At:
        """Return the start of the module that stands here."""
        return self._replace(module=(*self.module, *self.path), path=())


def _begins_module(path: Path) -> bool:
    """Return whether a path leads to a module, and not to the options of one."""
    above = path[-2] if len(path) > 1 else ""
    own = above in _CLASSES
    container = path[-1] == "config" and path[:1] == ("containers",)
    special = path[-1] == "configuration" and path[:1] == ("specialisation",)
    user = len(path) == 3 and path[:2] == ("home-manager", "users")  # noqa: PLR2004
    return own or container or special or user


def exclude(one: Path, other: Path) -> bool:
    """Return whether some conditions, as a Definition has them, cannot hold beside others."""
    return any(_is_contrary(a, b) for a in one for b in other)


def _is_contrary(one: str, other: str) -> bool:
    (left, equal, right), (same, as_well, differs) = (c.partition(" == ") for c in (one, other))
    return (
        f"!{one}" == other
        or f"!{other}" == one
        or (bool(equal and as_well) and left == same and right != differs)
    )


def _condition(node: Node | None, *, holds: bool) -> str:
    """Return the text of a condition, of which the opposite is the same behind a `!`."""
    node = inner(node)
    while node is not None and node.type == "unary_expression" and text_of(node).startswith("!"):
        node, holds = inner(node.child_by_field_name("argument")), not holds
    text = " ".join(text_of(node).split()) if node is not None else ""
    if text.count(" != ") == 1 and "||" not in text:
        text, holds = text.replace(" != ", " == "), not holds
    return text if holds else f"!{text}"


def asks_options(condition: Node | None, scope: Scope) -> bool:
    """Return whether a condition asks which options there are, as the release of NixOS has them."""
    return _OPTIONS.search(_asked(condition, scope)) is not None


def asks_switch(condition: Node | None, scope: Scope) -> bool:
    """Return whether a condition asks whether the server is on, without which nothing is judged."""
    return _SWITCH.fullmatch(_asked(condition, scope)) is not None


def _asked(condition: Node | None, scope: Scope) -> str:
    """Return the text of a condition, or of what its name is bound to."""
    node = inner(condition)
    if node is not None and node.type == "variable_expression":
        node, _ = scope.find(text_of(node))
    return text_of(node) if node is not None else ""


def _parts_of(attrpath: Node | None) -> list[Node]:
    """Return the parts of a path, as `attrs` has their names."""
    return [a for a in attrpath.named_children if a.type != "comment"] if attrpath else []


class _Walk:
    def __init__(self) -> None:
        self.found: dict[Path, list[Definition]] = {}
        self.through: dict[Path, list[str]] = {}
        self.open: set[Path] = set()
        self.values = Values()
        # Each says whether it has dealt with the expression.
        self.shapes: dict[str, Callable[[Node, _At, Scope], bool]] = {
            "attrset_expression": self._attrset,
            "rec_attrset_expression": self._rec_attrset,
            "let_expression": self._let,
            "function_expression": self._function,
            "if_expression": self._if,
            "list_expression": self._list,
            "variable_expression": self._variable,
            "binary_expression": self._binary,
            "apply_expression": self._apply,
        }

    def above(self, where: Path) -> Iterator[str]:
        """Yield the functions that are given a module, or one that it stands in."""
        for module, names in self.through.items():
            yield from names if where[: len(module)] == module else ()

    def define(self, node: Node | None, at: _At, scope: Scope) -> None:
        """Add what an expression defines at a place."""
        node = inner(node)
        if node is None:
            return
        with self.values.step():
            special = self.shapes.get(node.type)
            if special is None or not special(node, at, scope):
                self._leaf(node, at, scope)

    def _leaf(self, node: Node, at: _At, scope: Scope) -> None:
        if not at.path:
            self.open.add(at.module)
        else:
            value, unresolved = self.values.value(node, scope)
            definition = Definition(
                at.path,
                value,
                at.priority,
                at.line,
                unresolved,
                maybe=at.maybe,
                below=at.conditions,
                released=bool(at.conditions) and at.released,
                holds=self._text_in(node, scope),
            )
            self.found.setdefault(at.module, []).append(definition)

    def _text_in(self, node: Node, scope: Scope) -> str:
        """Return the text of the file that `pkgs.writeText` makes; empty: something else does."""
        name, arguments = called(node) if node.type == "apply_expression" else ("", [])
        if name.rpartition(".")[2] != "writeText" or len(arguments) < _OF_TEXT:
            return ""
        text, _ = self.values.value(arguments[1], scope)
        return text if isinstance(text, str) else ""

    def _attrset(self, node: Node, at: _At, scope: Scope) -> bool:
        empty = True
        for binding in bindings(node):
            empty = False
            self._binding(binding, at, scope)
        return not empty

    def _rec_attrset(self, node: Node, at: _At, scope: Scope) -> bool:
        return self._attrset(node, at, Scope(bound(node), scope))

    def _binding(self, node: Node, at: _At, scope: Scope) -> None:
        if node.type != "binding":
            self._inherit(node, at, scope)
            return
        attrpath = node.child_by_field_name("attrpath")
        for attr, (told, line) in zip(_parts_of(attrpath), attrs(attrpath), strict=True):
            name = self._computed(attr, scope) if told is None else told
            if name is None:
                self.open.add(at.module)
                return  # Nobody knows what it sets.
            at = at.below(name, line)
        self.define(node.child_by_field_name("expression"), at, scope)

    def _computed(self, attr: Node, scope: Scope) -> str | None:
        """Return a name that the text computes, as the newest release of NixOS has it."""
        if attr.type != "interpolation":
            return None
        node = inner(attr.child_by_field_name("expression"))
        if node is not None and node.type == "variable_expression":
            told, scope = scope.find(text_of(node))
            node = inner(told)
        if node is not None and node.type == "if_expression":
            asked = asks_options(node.child_by_field_name("condition"), scope)
            node = node.child_by_field_name("consequence") if asked else None
        value, unknown = self.values.value(node, scope)
        return value if isinstance(value, str) and not unknown else None

    def _inherit(self, node: Node, at: _At, scope: Scope) -> None:
        named = node.child_by_field_name("attrs")
        for attr in named.named_children if named else ():
            name, line = text_of(attr), attr.start_point[0] + 1
            told, there = scope.find(name) if node.type == "inherit" else (None, scope)
            here = at.below(name, line)
            if told is not None:
                self.define(told, here, there)
            else:
                definition = Definition(
                    here.path, None, here.priority, line, unresolved=True, maybe=here.maybe
                )
                self.found.setdefault(here.module, []).append(definition)

    def _let(self, node: Node, at: _At, scope: Scope) -> bool:
        self.define(node.child_by_field_name("body"), at, Scope(bound(node), scope))
        return True

    def _function(self, node: Node, at: _At, scope: Scope) -> bool:
        formals = node.child_by_field_name("formals")
        names = [f.child_by_field_name("name") for f in formals.named_children] if formals else []
        names.append(node.child_by_field_name("universal"))
        arguments = {text_of(name): None for name in names if name is not None}
        self.define(
            node.child_by_field_name("body"), at.inside(), Scope(arguments, scope)
        )  # fmt: skip
        return True

    def _if(self, node: Node, at: _At, scope: Scope) -> bool:
        branches = [node.child_by_field_name(n) for n in ("consequence", "alternative")]
        if not any(branch and is_table(branch) for branch in branches):
            return False
        condition = node.child_by_field_name("condition")
        for branch, holds in zip(branches, (True, False), strict=True):
            self.define(branch, self._on(condition, at, scope, holds=holds), scope)
        return True

    def _on(self, condition: Node | None, at: _At, scope: Scope, *, holds: bool = True) -> _At:
        """Return a place below a condition, which what stands there may not be defined by."""
        at = self._below(condition, at, scope, holds=holds)
        return at._replace(maybe=at.maybe or bool(at.conditions))

    def _below(self, condition: Node | None, at: _At, scope: Scope, *, holds: bool = True) -> _At:
        """Return a place below a condition, or where it does not hold.

        One that the text itself decides is none.
        """
        if not self.values.value(condition, scope)[1] or asks_switch(condition, scope):
            return at
        released = asks_options(condition, scope) and (at.released or not at.conditions)
        conditions = (*at.conditions, _condition(condition, holds=holds))
        return at._replace(conditions=conditions, released=released)

    def _list(self, node: Node, at: _At, scope: Scope) -> bool:
        # A file that is a list is one of modules, which a library of its author puts together.
        if at.path and at.path[-1] not in _MODULES:
            return False
        # What a module imports is part of it.
        here = at._replace(path=()) if at.path in {(), ("imports",)} else at.inside()
        for element in filter(is_table, node.named_children):
            self.define(element, here, scope)
        return not at.path

    def _variable(self, node: Node, at: _At, scope: Scope) -> bool:
        told, there = scope.find(text_of(node))
        if told is None:
            return False
        self.define(told, at, there)
        return True

    def _binary(self, node: Node, at: _At, scope: Scope) -> bool:
        operator = node.child_by_field_name("operator")
        if operator is None or text_of(operator) != "//":
            return False
        # `//` looks at the names of the first level alone.
        sides = (node.child_by_field_name("left"), node.child_by_field_name("right"))
        self._both(*sides, at, scope, len(at.path) + 1)
        return True

    def _both(
        self,
        left: Node | None,
        right: Node | None,
        at: _At,
        scope: Scope,
        depth: int | None = None,
    ) -> None:
        """Add both sides; what the right one defines, up to a depth, the left one does not.

        What it defines on a condition that is not known here stands beside the left one.
        """
        before = {module: len(found) for module, found in self.found.items()}
        self.define(left, at, scope)
        middle = {module: len(found) for module, found in self.found.items()}
        self.define(right, at, scope)
        for module, found in self.found.items():
            start, end = before.get(module, 0), middle.get(module, 0)
            level = depth if module == at.module else None
            later = {each.path[:level] for each in found[end:] if each.maybe <= at.maybe}
            found[start:end] = [e for e in found[start:end] if e.path[:level] not in later]

    def _apply(self, node: Node, at: _At, scope: Scope) -> bool:
        name, arguments = called(node)
        last = name.rpartition(".")[2]
        if last in PRIORITIES and arguments:
            self.define(arguments[0], at._replace(priority=PRIORITIES[last]), scope)
        elif last == "mkOverride" and len(arguments) > 1:
            told, unknown = self.values.value(arguments[0], scope)
            priority = told if isinstance(told, int) and not unknown else at.priority
            self.define(arguments[1], at._replace(priority=priority), scope)
        elif last in SAME and len(arguments) > SAME[last]:
            # Below `mkIf`, an option has to be there whatever the condition says.
            if last == "optionalAttrs":
                at = self._on(arguments[0], at, scope)
            elif last == "mkIf":
                at = self._below(arguments[0], at, scope)
            self.define(arguments[SAME[last]], at, scope)
        elif last == "mkMerge" and arguments and arguments[0].type == "list_expression":
            for element in arguments[0].named_children:
                self.define(element, at, scope)
        elif last == "recursiveUpdate" and len(arguments) > 1:
            self._both(arguments[0], arguments[1], at, scope)
        else:
            return self._unknown_call(name, arguments, at, scope)
        return True

    def _unknown_call(self, name: str, arguments: list[Node], at: _At, scope: Scope) -> bool:
        """Read what a function is given as the module that it may make of it."""
        tables = [argument for argument in arguments if is_table(argument)]
        if at.path and at.path[-1] in {"package", "environmentVariables", "environment"}:
            return False
        for table in tables:
            here = at.inside()
            if name.rpartition(".")[2] not in _KNOWN:
                self.through.setdefault(here.module, []).append(name)
            self.define(table, here, scope)
        return False
