"""YAML as Go's programs read it, every value with its line: for Compose files and Helm values.

Nothing is loaded by tag, aliases are shared and not copied, and every fault of the text is a
Problem. Types follow yaml.v3: `yes` is a string, `0o17` and `017` are fifteen.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeAlias

import yaml

from generator.errors import Problem, ProfileError, shortened, split_message
from generator.readers.base import Source, problem_at, refused
from generator.readers.syntax.yaml_nodes import PLAIN, PREFIX, Alias, composed
from generator.readers.syntax.yaml_scalar import Kind, resolved
from generator.records import dataclass, replace
from generator.view import Line, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MERGED_AT_MOST: Final = 100_000
VALUES_AT_MOST: Final = 10_000
DEEPEST: Final = 5
QUOTES: Final = ("'", '"')
BLOCKS: Final = ("|", ">")
_BREAK: Final = re.compile("\n")


def _syntax_error(error: yaml.YAMLError, source: str) -> ProfileError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = f"line {mark.line + 1}" if mark else ""
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return refused(source, where, f"is not YAML: {shortened(str(said), 100)}", _advice(str(said)))


def _advice(said: str) -> str:
    if "'\\t'" in said:
        return "indent with spaces; YAML allows no tab there"
    if "another document" in said or "single document" in said:
        return "keep one document in a file"
    return "mend the YAML syntax"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value: `text` as Go prints it, `written` as the line spells it, without quotes.

    `told` is False where the value depends on what the file does not say. `quote` is the kind of
    quotes that it is written in; `shared` whether an alias and its anchor share it; `block` whether
    its text begins on the next line.
    """

    text: str
    place: Place
    kind: Kind = "str"
    written: str = ""
    explicit: bool = True
    tag: str = ""
    quote: str = ""
    shared: bool = False
    block: bool = False

    @property
    def starts(self) -> int:
        """The line on which the text itself begins."""
        return self.place.line + self.block

    @property
    def replaceable(self) -> str:
        """What a fix may replace: nothing where that would change other values, too."""
        return "" if self.shared else self.written

    @property
    def is_true(self) -> bool:
        """Whether this switches something on."""
        return self.explicit and self.text.lower() in {"true", "yes", "on", "y"}


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    place: Place
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping in file order; `places` are those of its keys."""

    entries: Mapping[str, Node]
    place: Place
    places: Mapping[str, Place] = field(default_factory=dict)
    tag: str = ""

    def get(self, *path: str) -> Node | None:
        """Return what stands under a path of keys, None where a step of it is missing."""
        node: Node | None = self
        for key in path:
            node = node.entries.get(key) if isinstance(node, Table) else None
            # Compose's word for a key that shall not be there.
            if node is None or node.tag == "!reset":
                return None
        return node

    def scalar(self, *path: str) -> Scalar | None:
        """Return the value under a path of keys, None where there is none or only `null`."""
        node = self.get(*path)
        return node if isinstance(node, Scalar) and node.kind != "null" else None

    def text(self, *path: str) -> str:
        """Return the text under a path of keys, empty where nothing is told."""
        found = self.scalar(*path)
        return found.text if found is not None and found.explicit else ""

    def table(self, *path: str) -> Table:
        """Return the mapping under a path of keys, an empty one where there is none."""
        node = self.get(*path)
        return node if isinstance(node, Table) else Table({}, self.place)

    def items(self, *path: str) -> tuple[Node, ...]:
        """Return the list under a path of keys, or the one value that stands in its place."""
        node = self.get(*path)
        if isinstance(node, Items):
            return node.items
        return () if node is None or (isinstance(node, Scalar) and node.kind == "null") else (node,)

    def place_of(self, key: str) -> Place:
        """Return where a key stands, or this mapping where it is not there."""
        return self.places.get(key, self.place)


Node: TypeAlias = Scalar | Items | Table


def plain(node: Node | None) -> str:
    """Return the text of a scalar, and nothing for what is none."""
    return node.text if isinstance(node, Scalar) else ""


def parse(
    source: Source,
    substitute: Callable[[str], str | None] | None = None,
    again: list[tuple[str, Place, Place]] | None = None,
) -> Node:
    """Return the document of `source`; an empty one is an empty mapping.

    `substitute` is applied to each string value: None means that it depends on something untold,
    a ValueError that it is malformed. Raises ProfileError with every Problem of the text. With
    `again` the last of several keys counts: their names go there, with the places of both.
    """
    found = _parsed(source, substitute, single=True, again=again)
    return found[0] if found else Table({}, Place(source.path, 1))


def parse_all(source: Source, substitute: Callable[[str], str | None] | None = None) -> list[Node]:
    """Return all documents of `source`. Raises ProfileError as `parse`."""
    return _parsed(source, substitute, single=False)


def _parsed(
    source: Source,
    substitute: Callable[[str], str | None] | None,
    *,
    single: bool,
    again: list[tuple[str, Place, Place]] | None = None,
) -> list[Node]:
    try:
        # JSON has tabs between its words, and none inside of them.
        tabs = " " if source.path.endswith(".json") else "\t"
        roots, shared = composed(source.text.replace("\t", tabs), single=single)
        tree = _Tree(source, substitute, shared, again)
        found = [tree.node(root) for root in roots]
    except yaml.YAMLError as error:
        raise _syntax_error(error, source.path) from error
    except RecursionError as error:
        hint = "nothing needs that depth"
        raise refused(source.path, "", "is nested too deeply", hint) from error
    if tree.problems:
        raise ProfileError(source.path, tuple(tree.problems))
    return found


def flat(section: str, table: Table, skipped: frozenset[tuple[str, ...]]) -> Iterator[Line]:
    """Yield every value of a mapping as a Line, a few levels deep, but for the `skipped` paths.

    Raises ProfileError where aliases make more of it than anybody wrote.
    """
    for number, (path, value) in enumerate(_values(table, (), skipped)):
        if number >= VALUES_AT_MOST:
            message, hint = "aliases make it longer than anybody wrote", "use fewer of them"
            raise refused(table.place.file, f"line {table.place.line}", message, hint)
        if isinstance(value, Scalar):
            above = ".".join((section, *path[:-1])).strip(".")
            text = value.text if value.explicit else value.written
            key = f"{above}.{path[-1]}".strip(".")
            place = Place(value.place.file, value.place.line, key)
            yield Line(section=above, name=path[-1], value=text, place=place)


def _values(
    table: Table, path: tuple[str, ...], skipped: frozenset[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], Node]]:
    for name in table.entries:
        here = (*path, name)
        for value in table.items(name) if here not in skipped else ():
            yield here, value
            if isinstance(value, Table) and len(here) < DEEPEST:
                yield from _values(value, here, skipped)


class _Tree:
    """One pass over the composed nodes; each is turned once, however often it is referred to."""

    def __init__(
        self,
        source: Source,
        substitute: Callable[[str], str | None] | None,
        shared: set[yaml.Node],
        again: list[tuple[str, Place, Place]] | None = None,
    ) -> None:
        self.source, self.substitute, self.shared = source, substitute, shared
        self.again = again
        self.problems: list[Problem] = []
        self.done: dict[int, Node | None] = {}
        self.merged = 0
        self.breaks = [found.start() for found in _BREAK.finditer(source.text)]
        self.places: dict[int, Place] = {}

    def node(self, node: yaml.Node) -> Node:
        if isinstance(node, Alias):
            return replace(self.node(node.target), place=self._place(node))
        if id(node) not in self.done:
            self.done[id(node)] = None
            self.done[id(node)] = self._turned(node)
        found = self.done[id(node)]
        if found is None:
            self._problem(node, "this alias is inside what it stands for", "write it out")
        return found or Table({}, self._place(node))

    def _turned(self, node: yaml.Node) -> Node:
        tag = node.tag if node.tag.startswith("!") else ""
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, tag)
        if isinstance(node, yaml.SequenceNode):
            return Items(tuple(map(self.node, node.value)), self._place(node), tag)
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 -- there is no other kind
        return self._table(node, tag)

    def _scalar(self, node: yaml.ScalarNode, tag: str) -> Scalar:
        kind, text = resolved(node.value, _kind_of(node.tag))
        explicit: str | None = text
        if kind == "str" and self.substitute is not None:
            try:
                explicit = self.substitute(text)
            except ValueError as error:
                message, hint = split_message(error)
                self._problem(node, message, hint)
        quote = node.style if node.style in QUOTES else ""
        place, written, shared = self._place(node), self._written(node), node in self.shared
        block = node.style in BLOCKS
        if explicit is None and not written:
            written = text  # Of several lines nothing is replaced, and nobody else has the value.
        return Scalar(
            explicit or "", place, kind, written, explicit is not None, tag, quote, shared, block
        )

    def _table(self, node: yaml.MappingNode, tag: str) -> Table:
        entries: dict[str, Node] = {}
        places: dict[str, Place] = {}
        bases: list[Table] = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._problem(key, "this key is no plain word", "write a name")
            elif key.tag == PLAIN and key.value == "<<":
                bases += self._bases(value)
            elif (name := resolved(key.value, _kind_of(key.tag))[1]) in entries and (
                self.again is None
            ):
                first = places[name].line
                message = f"`{shortened(name)}` stands here twice; the first is on line {first}"
                self._problem(key, message, "keep one of them")
            else:
                if name in entries and self.again is not None:
                    self.again.append((name, places[name], self._place(key)))
                entries[name], places[name] = self.node(value), self._place(key)
        self._merge(node, bases, entries, places)
        return Table(entries, self._place(node), places, tag)

    def _bases(self, value: yaml.Node) -> list[Table]:
        """Return what `<<` merges in; the first one has the last word."""
        found = self.node(value)
        several = found.items if isinstance(found, Items) else (found,)
        tables = [table for table in several if isinstance(table, Table)]
        if len(tables) != len(several):
            self._problem(value, "`<<` merges mappings only", "name the anchor of a mapping")
        return tables

    def _merge(
        self,
        node: yaml.Node,
        bases: list[Table],
        entries: dict[str, Node],
        places: dict[str, Place],
    ) -> None:
        for base in bases:
            before, self.merged = self.merged, self.merged + len(base.entries)
            if before <= MERGED_AT_MOST < self.merged:
                self._problem(node, "merges more than anybody wrote", "use fewer `<<`")
            if self.merged > MERGED_AT_MOST:
                return
            for name, value in base.entries.items():
                if name not in entries:
                    entries[name], places[name] = value, base.place_of(name)

    def _place(self, node: yaml.Node) -> Place:
        # The line by newlines alone; YAML counts other breaks, too.
        line = bisect_left(self.breaks, node.start_mark.index) + 1
        found = self.places.get(line)
        if found is None:
            found = self.places[line] = Place(self.source.path, line)
        return found

    def _written(self, node: yaml.ScalarNode) -> str:
        """Return the value as its line spells it; empty where it spans lines or is a block."""
        start, end = node.start_mark, node.end_mark
        if start.line != end.line:
            return ""
        if node.style in QUOTES:
            raw = self.source.text[start.index : end.index]
            return raw[raw.index(node.style) + 1 : -1]
        return "" if node.style in BLOCKS else node.value

    def _problem(self, node: yaml.Node, message: str, hint: str) -> None:
        self.problems.append(problem_at(self._place(node), message, hint))


def _kind_of(tag: str) -> str:
    return "" if tag == PLAIN else tag.removeprefix(PREFIX)
