"""What expressions of Terraform say: literals, and what they refer to in the files of a module.

Nothing is computed but that. What only a run can tell is a value that is not told, with its text as
the file writes it.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.syntax.grammar import text_of
from generator.readers.syntax.hcl import (
    FRAME,
    Block,
    attributes,
    blocks,
    blocks_of,
    dedented,
    is_indented,
    pieces,
    unescaped,
    without_escapes,
)
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.readers.terraform.functions import FUNCTIONS
from generator.readers.terraform.parts import each, operation, pair, sides, walked
from generator.view import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tree_sitter import Node as Syntax

    from generator.readers.base import Context, Source
    from generator.readers.syntax.yaml_scalar import Kind

    Scope = Mapping[str, Node]

MOST_STEPS: Final = 100_000
MOST_DEPTH: Final = 60
BLOCK: Final = "block"
"""The tag of a list whose items are blocks of one name."""


class Module:
    """The blocks of a module, and the values of what they say."""

    def __init__(self, sources: Sequence[Source], context: Context) -> None:
        self.context = context
        self.steps = 0
        self.faults: dict[str, int] = {}
        self.blocks = [block for source in sources for block in self._blocks(source)]
        self.variables: dict[str, tuple[Syntax, str]] = {}
        self.given: dict[str, Node] = {}
        self.locals: dict[str, tuple[Syntax, str]] = {}
        self.resources: dict[tuple[str, str], Block] = {}
        self._bodies: dict[int, Table] = {}
        self._known: dict[tuple[str, str], Table] = {}
        self._open: set[tuple[str, str]] = set()
        for block in self.blocks:
            self._take(block)

    def _blocks(self, source: Source) -> list[Block]:
        found, self.faults[source.path] = blocks_of(source.text, source.path)
        return found

    def tell(self, source: Source) -> None:
        """Take in a file of values for variables."""
        for name, value in self._assigned(source):
            self.variables[name] = value

    def _assigned(self, source: Source) -> Iterator[tuple[str, tuple[Syntax, str]]]:
        # Wrapped, for at the top of a file only blocks are looked for.
        for block in blocks_of(f"values {{ {source.text}\n}}", source.path)[0]:
            for name, _, value in attributes(block.body) if block.body else ():
                yield name, (value, source.path)

    def _take(self, block: Block) -> None:
        named = attributes(block.body) if block.body else ()
        match block.kind, block.labels:
            case "variable", (name,):
                told = {key: value for key, _, value in named}
                if "default" in told:
                    self.variables.setdefault(name, (told["default"], block.file))
            case "locals", ():
                self.locals |= {key: (value, block.file) for key, _, value in named}
            case "resource" | "data", (kind, name):
                self.resources.setdefault((kind, name), block)

    def resource(self, block: Block) -> Table:
        """Return what stands in a block."""
        if id(block) not in self._bodies:
            self._bodies[id(block)] = self.body(block, {})
        return self._bodies[id(block)]

    def body(self, block: Block, scope: Scope, depth: int = 0) -> Table:
        """Return what stands in a block: attributes, and a list of each kind of block in it."""
        place = Place(block.file, block.line)
        entries: dict[str, Node] = {}
        places: dict[str, Place] = {}
        if block.body is None or depth > MOST_DEPTH:
            return Table({}, place)
        for name, line, value in attributes(block.body):
            entries[name] = self.value(value, block.file, scope, depth + 1)
            places[name] = Place(block.file, line)
        several: dict[str, list[Node]] = {}
        for inner in blocks(block.body, block.file):
            name = inner.labels[0] if inner.kind == "dynamic" and inner.labels else inner.kind
            made = self._made(inner, scope, depth + 1) if inner.kind == "dynamic" else None
            made = [self.body(inner, scope, depth + 1)] if made is None else made
            several.setdefault(name, []).extend(made)
            places.setdefault(name, Place(block.file, inner.line))
        entries |= {name: Items(tuple(s), places[name], BLOCK) for name, s in several.items()}
        return Table(entries, place, places)

    def _made(self, block: Block, scope: Scope, depth: int) -> list[Node]:
        """Return the blocks that `dynamic` makes; one that is not told where nobody knows."""
        told = {key: value for key, _, value in attributes(block.body)} if block.body else {}
        inner = list(blocks(block.body, block.file)) if block.body else []
        content = next((one for one in inner if one.kind == "content"), None)
        over = told.get("for_each")
        found = self.value(over, block.file, scope, depth) if over else None
        iterator = text_of(told["iterator"]) if "iterator" in told else block.labels[0]
        if content is None or not isinstance(found, Table | Items):
            return [_unknown("dynamic", Place(block.file, block.line))]
        return [
            self.body(content, {**scope, iterator: pair(key, value)}, depth)
            for key, value in each(found)
        ]

    def value(self, node: Syntax, file: str, scope: Scope, depth: int = 0) -> Node:
        """Return what an expression says."""
        self.steps += 1
        place = Place(file, node.start_point[0] + 1)
        if self.steps > MOST_STEPS or depth > MOST_DEPTH:
            return _unknown(text_of(node)[:100], place)
        inner = [one for one in node.named_children if one.type != "comment"]
        if node.type == "expression" and len(inner) > 1:
            found = self._referred(inner, file, scope, depth + 1)
        else:
            found = self._plain(node, inner, file, scope, depth + 1)
        return found if found is not None else _unknown(text_of(node), place)

    def _plain(
        self, node: Syntax, inner: list[Syntax], file: str, scope: Scope, depth: int
    ) -> Node | None:
        place = Place(file, node.start_point[0] + 1)
        if node.type in _AROUND:
            return self.value(inner[0], file, scope, depth) if inner else None
        if node.type in _TEXTS:
            return self._text(node, file, scope, depth)
        if kind := _LITERALS.get(node.type):
            text = "" if kind == "null" else text_of(node)
            return Scalar(text, place, kind, text)
        if node.type == "tuple":
            items = [one for one in inner if one.type == "expression"]
            return Items(tuple(self.value(i, file, scope, depth) for i in items), place)
        if node.type == "object":
            return self._object(inner, file, scope, depth, place)
        return self._computed(node, inner, file, scope, depth)

    def _computed(
        self, node: Syntax, inner: list[Syntax], file: str, scope: Scope, depth: int
    ) -> Node | None:
        match node.type:
            case "variable_expr":
                return scope.get(text_of(node))
            case "function_call":
                return self._called(inner, file, scope, depth)
            case "conditional":
                met, *ways = (self.value(i, file, scope, depth) for i in inner)
                if isinstance(met, Scalar) and met.explicit and met.kind == "bool":
                    return ways[met.text != "true"]
            case "unary_operation" | "binary_operation":
                sign, several = sides(node)
                values = [self._side(side, file, scope, depth) for side in several]
                return operation(sign, values, Place(file, node.start_point[0] + 1))
            case "for_expr":
                return self._looped(inner[0], file, scope, depth)
        return None

    def _side(self, side: list[Syntax], file: str, scope: Scope, depth: int) -> Node | None:
        """Return what stands on one side of a sign: a path of names is several nodes."""
        if len(side) > 1:
            return self._referred(side, file, scope, depth)
        return self.value(side[0], file, scope, depth) if side else None

    def _text(self, node: Syntax, file: str, scope: Scope, depth: int) -> Node:
        """Return a text with what its gaps stand for; a gap that nobody can fill stays."""
        inner = [c for c in node.named_children if c.type not in FRAME]
        if node.type == "quoted_template" and [c.type for c in inner] == ["template_interpolation"]:
            # Nothing around it: the value as it is.
            return self.value(_expression(inner[0]), file, scope, depth)
        place, here = Place(file, node.start_point[0] + 1), node.type == "heredoc_template"
        parts: list[str] = []
        told = plain = True
        for text, gap in pieces(node):
            filled = self._filled(gap, file, scope, depth) if gap is not None else None
            plain = plain and gap is None
            told = told and (gap is None or filled is not None)
            literal = without_escapes(text) if here else unescaped(text)
            kept = literal if gap is None else _once(text, gap)
            parts.append(kept if filled is None else filled)
        found = "".join(parts)
        found = dedented(found) if here and is_indented(node) else found
        raw = text_of(node)[1:-1] if plain and not here else ""
        quote = "" if here else '"'
        return Scalar(found, place, "str", raw, told, quote=quote, shared=not raw, block=here)

    def _filled(self, gap: Syntax, file: str, scope: Scope, depth: int) -> str | None:
        inner = _expression(gap)
        found = self.value(inner, file, scope, depth) if inner is not gap else None
        return found.text if isinstance(found, Scalar) and found.explicit else None

    def _object(
        self, inner: list[Syntax], file: str, scope: Scope, depth: int, place: Place
    ) -> Table:
        entries: dict[str, Node] = {}
        places: dict[str, Place] = {}
        for one in inner:
            if one.type != "object_elem" or len(one.named_children) < 2:  # noqa: PLR2004
                continue
            key, value = (c for c in one.named_children if c.type == "expression")
            plain = re.fullmatch(r"[\w-]+", text_of(key))
            told = None if plain else self.value(key, file, scope, depth)
            name = text_of(key) if plain else told.text if isinstance(told, Scalar) else ""
            entries[name] = self.value(value, file, scope, depth)
            places[name] = Place(file, one.start_point[0] + 1)
        return Table(entries, place, places)

    def _called(self, inner: list[Syntax], file: str, scope: Scope, depth: int) -> Node | None:
        name, place = text_of(inner[0]), Place(file, inner[0].start_point[0] + 1)
        given = [c for one in inner[1:] for c in one.named_children if c.type == "expression"]
        values = [self.value(one, file, scope, depth) for one in given]
        if name in {"file", "templatefile", "filebase64"} and values:
            return self._file(values[0], file, told=name != "templatefile")
        return FUNCTIONS[name](values, place) if name in FUNCTIONS else None

    def _file(self, named: Node, file: str, *, told: bool) -> Scalar | None:
        """Return the text of a file beside the module; one that is a template is not told."""
        if not isinstance(named, Scalar) or not named.explicit:
            return None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file), named.text))
        text = self.context.read(path)
        return None if text is None else Scalar(text, Place(path, 1), explicit=told, shared=True)

    def _referred(self, inner: list[Syntax], file: str, scope: Scope, depth: int) -> Node | None:
        """Return what a path of names leads to."""
        names = [name for one in inner[1:] if (name := self._step(one, file, scope, depth))]
        if len(names) < len(inner) - 1:
            return None  # A splat, which makes a list of what a run knows.
        head = text_of(inner[0])
        first, *rest = names
        match head:
            case "var" | "local":
                held = (self.variables if head == "var" else self.locals).get(first)
                given = self.given.get(first) if head == "var" else None
                found = given or (self._held((head, first), held, depth) if held else None)
            case "path":
                return Scalar(".", Place(file, inner[0].start_point[0] + 1))
            case "data":
                found = self._resource((first, rest[0]), depth) if rest else None
                rest = rest[1:]
            case _ if head in scope:
                found, rest = scope[head], names
            case _:
                found = self._resource((head, first), depth)
                rest = _of_made(head, rest)
        return walked(found, rest)

    def _step(self, node: Syntax, file: str, scope: Scope, depth: int) -> str:
        if node.type in {"get_attr", "index"}:
            inner = node.named_children[0]
            if inner.type == "new_index":
                found = self.value(inner.named_children[0], file, scope, depth)
                return found.text if isinstance(found, Scalar) and found.explicit else ""
            return text_of(inner).strip(".")
        return ""

    def _held(self, key: tuple[str, str], held: tuple[Syntax, str], depth: int) -> Node | None:
        """Return the value of a name; one that needs itself has none."""
        if key in self._open:
            return None
        self._open.add(key)
        found = self.value(held[0], held[1], {}, depth)
        self._open.discard(key)
        return found

    def _resource(self, key: tuple[str, str], depth: int) -> Table | None:
        block = self.resources.get(key)
        if block is None or key in self._open:
            return None
        if key not in self._known:
            self._open.add(key)
            self._known[key] = self.body(block, {}, depth)
            self._open.discard(key)
        return self._known[key]

    def _looped(self, loop: Syntax, file: str, scope: Scope, depth: int) -> Node | None:
        """Return what `[for …]` or `{for …}` makes, without a condition."""
        intro, *rest = [c for c in loop.named_children if c.type in _OF_LOOPS]
        names = [text_of(c) for c in intro.named_children if c.type == "identifier"]
        over = self.value(intro.named_children[-1], file, scope, depth)
        if not isinstance(over, Table | Items) or any(c.type == "for_cond" for c in rest):
            return None
        items: list[tuple[str, Node]] = []
        for key, value in each(over):
            turn = (key, value) if len(names) > 1 else (value,)
            inner = {**scope, **dict(zip(names, turn, strict=False))}
            made = [self.value(one, file, inner, depth) for one in rest]
            items.append((made[0].text if isinstance(made[0], Scalar) else "", made[-1]))
        place = Place(file, loop.start_point[0] + 1)
        if loop.type == "for_tuple_expr":
            return Items(tuple(value for _, value in items), place)
        return Table(dict(items), place, {key: value.place for key, value in items})


_DIRECTIVE: Final = re.compile(r"%\{[^{}\n]*\}")
_AROUND: Final = frozenset(
    {"expression", "literal_value", "template_expr", "operation", "collection_value"}
)
_TEXTS: Final = frozenset({"string_lit", "quoted_template", "heredoc_template"})
_LITERALS: Final[dict[str, Kind]] = {"numeric_lit": "int", "bool_lit": "bool", "null_lit": "null"}
_OF_LOOPS: Final = frozenset({"for_intro", "expression", "for_cond"})


_PULLED: Final = frozenset({"image_id", "latest", "repo_digest"})
"""What a run knows of an image that has been pulled: each stands for the one by its name."""


def _of_made(kind: str, path: list[str]) -> list[str]:
    """Return the rest of a path behind a resource: each of those that `count` makes is alike."""
    path = path[1:] if path[:1] and path[0].isdecimal() else path
    return ["name"] if kind == "docker_image" and path[:1] and path[0] in _PULLED else path


def _once(text: str, gap: Syntax) -> str:
    """Return a gap that nobody fills: of a loop or a condition what it holds, once."""
    return _DIRECTIVE.sub("", text) if gap.type == "template_directive" else text


def _expression(gap: Syntax) -> Syntax:
    """Return what stands in a gap of a text; the gap itself where it is a directive."""
    return next((one for one in gap.named_children if one.type == "expression"), gap)


def _unknown(text: str, place: Place) -> Scalar:
    return Scalar(f"${{{text}}}", place, written=text, explicit=False, shared=True)
