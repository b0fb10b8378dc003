"""What other files tell a module: values of options that it declares, and arguments it is given."""

from __future__ import annotations

import functools
import posixpath
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from generator.readers.base import Source
from generator.readers.nixos.evaluate import Definition, ToldBy
from generator.readers.nixos.literal import parts
from generator.readers.syntax.grammar import TooMuch, text_of
from generator.readers.syntax.nix import Scope, Values, bindings, bound, called, inner, tree
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Node

    from generator.readers.base import Context

MOST: Final = 200
"""Files of a tree that are asked."""
_UP: Final = 2
"""How far above a module the file may lie that calls it, where nobody names that one."""
_ROOTS: Final = frozenset({
    "services", "systemd", "networking", "virtualisation", "boot", "hardware", "environment",
    "programs", "users", "nixpkgs", "nix", "home", "imports", "security", "fileSystems", "launchd",
})  # fmt: skip
"""First names of options that NixOS has, of which modules of others may be there as well."""
_CALLERS: Final = frozenset({"default.nix", "configuration.nix", "flake.nix"})


@dataclass(frozen=True, slots=True)
class Said:
    """One value that another file tells, under the name by which the module asks for it.

    `within` is the option that it is a part of, which the module may hand on as a whole.
    """

    name: str
    within: str
    value: Any
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Told:
    """What Nix is told for a module, and where each of the values stands."""

    by: ToldBy
    said: tuple[Said, ...] = ()

    def placed(self, found: Definition, texts: Sequence[str]) -> Definition:
        """Return a definition at the place where its value stands, if one other file tells it."""
        line = texts[found.line - 1] if 0 < found.line <= len(texts) else ""
        named = [s for s in self.said if s.name in line or _is_part(s, found, line)]
        same = [s for s in named if s.value == found.value]
        if found.file or found.unresolved or len(same) != 1 or _stands_in(found.value, line):
            return found
        return replace(found, file=same[0].file, line=same[0].line)


def _is_part(one: Said, found: Definition, line: str) -> bool:
    """Return whether a line hands on the set in which another file says what is found."""
    if not one.within or one.name != found.path[-1]:
        return False
    return re.search(rf"\.{re.escape(one.within)}(?![\w'.-])", line) is not None


def _stands_in(value: Any, line: str) -> bool:  # noqa: ANN401 -- any Nix value
    return isinstance(value, bool) or (isinstance(value, str) and bool(value) and value in line)


def told(source: Source, context: Context) -> Told:
    """Return what other files tell a module."""
    beside = tuple(other.text for other in _declaring(source, context))
    options = _options(source, "\n".join((source.text, *beside)), context)
    arguments = _arguments(source, context)
    if not options and not arguments:
        return Told(ToldBy(beside=beside))
    by = ToldBy(
        tuple({"path": list(path)} | _one(found) for path, found in options.items()),
        {name: _one(found) for name, found in arguments.items()},
        beside=beside,
    )
    every = [(path[-1], path[-2], found) for path, found in options.items()]
    every += [(name, "", found) for name, found in arguments.items()]
    said = (
        Said(n, of, f[0].value, f[0].file, f[0].line) for n, of, f in every if "value" in _one(f)
    )
    return Told(by, tuple(said))


def _one(found: Sequence[Definition]) -> dict[str, Any]:
    """Return the one value that definitions agree on, as `module.nix` takes it."""
    first = found[0]
    agreed = all(d.value == first.value and not d.unresolved and not d.maybe for d in found)
    return {"value": first.value} if agreed else {"unknown": True}


_ASKED: Final = re.compile(r"\bconfig((?:\.[A-Za-z_][\w'-]*){2,6})", re.ASCII)
_DECLARED: Final = re.compile(_ASKED.pattern.replace("config", "options"), re.ASCII)
_DEEP: Final = 3
_MOST_BESIDE: Final = 3


def _declaring(source: Source, context: Context) -> list[Source]:
    """Return the modules of the folder that declare options which a module only asks for."""
    if "mkOption" in source.text or "config." not in source.text:
        return []
    asked = _begun(_ASKED, source.text, _DEEP)
    folder, found = posixpath.dirname(source.path), []
    for other in context.fellows[:MOST] if asked else ():
        near = other.path != source.path and posixpath.dirname(other.path) == folder
        if near and not asked.isdisjoint(_begun(_DECLARED, other.text, _DEEP - 1, _DEEP)):
            found.append(other)
    return found[:_MOST_BESIDE]


def _begun(paths: re.Pattern[str], text: str, *names: int) -> set[str]:
    """Return how the paths of options in a text begin, by so many names, or by all they have."""
    found = [path.split(".")[1:] for path in paths.findall(text)]
    return {".".join(path[:most]) for path in found for most in names}


def _options(
    source: Source, text: str, context: Context
) -> dict[tuple[str, ...], list[Definition]]:
    """Return what others set of the options that a module declares, by their paths.

    `text` is its own, with that of the modules that declare them for it.
    """
    if "mkOption" not in text and "mkEnableOption" not in text:
        return {}
    found: dict[tuple[str, ...], list[Definition]] = {}
    for other in context.fellows[:MOST]:
        for d in _definitions(other.text) if other.path != source.path else ():
            ours = len(d.path) > 1 and d.path[0] in text and d.path[1] in text
            if ours and (d.path[0] not in _ROOTS or _declares(text, d.path)):
                found.setdefault(d.path, []).append(replace(d, file=other.path))
    return found


def _declares(text: str, path: tuple[str, ...]) -> bool:
    """Return whether a module declares options of its own below a name that NixOS has."""
    return f"options.{'.'.join(path[:2])}" in text


@functools.lru_cache(maxsize=512)
def _definitions(text: str) -> tuple[Definition, ...]:
    try:
        return tuple(found for part in parts(text) or () for found in part.found)
    except TooMuch:
        return ()


def _arguments(source: Source, context: Context) -> dict[str, list[Definition]]:
    """Return the arguments that files call a module with: `import ./module.nix { … }`."""
    found: dict[str, list[Definition]] = {}
    for other in _callers(source, context):
        folder = posixpath.dirname(other.path)
        for path, given in _calls(other.text):
            there = posixpath.normpath(posixpath.join(folder, path))
            if source.path in {there, posixpath.join(there, "default.nix")}:
                for d in given:
                    found.setdefault(d.path[0], []).append(replace(d, file=other.path))
    return found


def _callers(source: Source, context: Context) -> Iterator[Source]:
    """Yield the files that may call a module: those that are checked, and the usual ones above."""
    known = {other.path for other in context.fellows}
    yield from (other for other in context.fellows[:MOST] if other.path != source.path)
    folder = PurePosixPath(source.path).parent
    for above in [folder, *folder.parents][: _UP + 1]:
        for path in context.listed(str(above / "default.nix")):
            usual = PurePosixPath(path).name in _CALLERS and path not in {*known, source.path}
            if usual and (text := context.read(path)) is not None:
                yield Source(path, text)


@functools.lru_cache(maxsize=512)
def _calls(text: str) -> tuple[tuple[str, tuple[Definition, ...]], ...]:
    """Return the files that a text imports with arguments, and what they are."""
    try:
        root = tree(text) if "import" in text else None
        return tuple(_found(root, Scope({}, None))) if root is not None else ()
    except TooMuch:
        return ()


def _found(node: Node, scope: Scope) -> Iterator[tuple[str, tuple[Definition, ...]]]:
    waiting = [(node, scope)]
    while waiting:
        at, scope = waiting.pop()
        if at.type in {"let_expression", "rec_attrset_expression"}:
            scope = Scope(bound(at), scope)
        if at.type == "apply_expression":
            name, words = called(at)
            path, given = (*map(inner, words[:2]), None, None)[:2]
            if name in {"import", "builtins.import"} and path is not None and given is not None:
                yield text_of(path), tuple(_given(given, scope))
        waiting += [(child, scope) for child in at.named_children]


def _given(node: Node, scope: Scope) -> Iterator[Definition]:
    values = Values()
    for binding in bindings(node) if node.type == "attrset_expression" else ():
        path = binding.child_by_field_name("attrpath")
        line = binding.start_point[0] + 1
        if binding.type == "binding" and path is not None:
            value, unknown = values.value(binding.child_by_field_name("expression"), scope)
            yield Definition((text_of(path),), value, 100, line, unresolved=unknown)
        elif binding.type == "inherit" and (named := binding.child_by_field_name("attrs")):
            for attr in named.named_children:
                expression, there = scope.find(text_of(attr))
                value, unknown = values.value(expression, there)
                yield Definition((text_of(attr),), value, 100, line, unresolved=unknown)
