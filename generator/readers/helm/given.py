"""Values that are given to a chart one by one: `--set a.b[0].c=d`, or by name and value."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from generator.readers.syntax.yaml_scalar import resolved
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.syntax.options import Argument
    from generator.view import Place

_STEP: Final = re.compile(r"((?:[^.\[\]=\\]|\\.)+)|\[(\d{1,3})\]|\.")
_PART: Final = re.compile(r"((?:[^=,\\]|\\.)+)=((?:\{[^{}]*\}|\\.|[^,\\])*)(?:,|$)", re.DOTALL)
_JSON: Final = re.compile(r"([^=]+)=(.*)", re.DOTALL)
_SETS: Final = frozenset({"--set", "--set-string", "--set-json", "--set-literal"})
_ESCAPED: Final = re.compile(r"\\(.)")

Step = str | int


class Given:
    """Values, each put at its key into others, as Helm does; what is in its way there goes."""

    def __init__(self, below: Table | None, place: Place) -> None:
        self.values = below or Table({}, place)
        self.some = below is not None

    def put(self, name: str, value: Node) -> None:
        """Put a value at a key like `a.b[0].c`; what is no key is left out."""
        path = _path(name)
        found = _with(self.values, path, value) if path else self.values
        if isinstance(found, Table):
            self.values, self.some = found, self.some or bool(path)

    def put_text(self, name: str, text: str, place: Place, *, plain: bool = True) -> None:
        """Put what a text says; `plain`: it may say a number or a switch, as for `--set`."""
        self.put(name, _value(text, place, plain=plain))

    def table(self) -> Table | None:
        """Return all of them; None: there are none."""
        return self.values if self.some else None


def values_set(words: Sequence[Argument], below: Table | None = None) -> Table | None:
    """Return values with what a command line sets in them; a shell may still fill some in."""
    given = Given(below, words[0].place)
    for option, text, place in _options(words):
        for name, value in _pairs(option, text, place):
            given.put(name, value)
    return given.table()


def sets(words: Sequence[Argument]) -> bool:
    """Return whether a command line sets values by itself."""
    return any(True for _ in _options(words))


def _options(words: Sequence[Argument]) -> Iterator[tuple[str, str, Place]]:
    for at, word in enumerate(words):
        name, equals, text = word.text.partition("=")
        if name in _SETS:
            more = words[at + 1 : at + 2]
            told = word if equals or not more else more[0]
            yield name, text if equals else "".join(one.text for one in more), told.place


def _pairs(option: str, text: str, place: Place) -> Iterator[tuple[str, Node]]:
    if option in {"--set-json", "--set-literal"}:
        found = _JSON.fullmatch(text)
        if found and option == "--set-literal":
            yield found[1], Scalar(found[2], place)
        elif found:
            try:
                yield found[1], _node(json.loads(found[2]), place)
            except (ValueError, RecursionError):
                return
        return
    for part in _PART.finditer(text):
        yield part[1], _value(part[2], place, plain=option == "--set")


def _value(text: str, place: Place, *, plain: bool) -> Node:
    """Return a value as Helm reads it: a list in braces, and with `--set` numbers and switches."""
    if "$" in text:
        return Scalar("", place, written=text, explicit=False, shared=True)
    if text.startswith("{") and text.endswith("}"):
        parts = (one.strip() for one in text[1:-1].split(","))
        return Items(tuple(_value(one, place, plain=plain) for one in parts if one), place)
    kind, told = resolved(text, "") if plain else ("str", text)
    if kind in {"bool", "null", "int"}:
        return Scalar(told, place, kind)
    return Scalar(_ESCAPED.sub(r"\1", text), place)


def _node(value: Any, place: Place) -> Node:  # noqa: ANN401 -- any value of JSON
    """Return a value as YAML would have it, all of it at one place."""
    if isinstance(value, dict):
        entries = {str(key): _node(one, place) for key, one in value.items()}
        return Table(entries, place, {key: node.place for key, node in entries.items()})
    if isinstance(value, list):
        return Items(tuple(_node(one, place) for one in value), place)
    if isinstance(value, str):
        return Scalar(value, place)
    kind, told = resolved(json.dumps(value), "")
    return Scalar(told, place, kind)


def _path(name: str) -> list[Step]:
    """Return the steps of a key: names, and numbers in lists; none where it is no key."""
    found: list[Step] = []
    at = 0
    while at < len(name):
        step = _STEP.match(name, at)
        if step is None:
            return []
        at = step.end()
        if step[1]:
            found.append(_ESCAPED.sub(r"\1", step[1]))
        elif step[2]:
            found.append(int(step[2]))
    return found


def _with(node: Node | None, path: Sequence[Step], value: Node) -> Node:
    """Return a node with a value at a path below it."""
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int):
        items = list(node.items) if isinstance(node, Items) else []
        items += [Scalar("", value.place, "null")] * (step + 1 - len(items))
        items[step] = _with(items[step], rest, value)
        return Items(tuple(items), node.place if isinstance(node, Items) else value.place)
    below = node if isinstance(node, Table) else Table({}, value.place)
    found = _with(below.entries.get(step), rest, value)
    entries, places = {**below.entries, step: found}, {**below.places, step: value.place}
    if isinstance(found, Scalar) and found.kind == "null":
        del entries[step]  # The chart's own value counts again.
    return Table(entries, below.place, places)
