"""The nodes of a YAML text: by libyaml where that reads what PyYAML reads, else by PyYAML."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX: Final = "tag:yaml.org,2002:"
PLAIN: Final = "?"
"""The tag of a plain scalar that has none."""
TABS_AT_MOST: Final = 20
BOUNDED: Final = (0, 2, 6)
"""The first libyaml that does not go down as deep as a text is nested."""
KEY_AT_MOST: Final = 1024
"""So many characters may stand between the start of a key and its colon."""
_OTHERWISE: Final = re.compile("[&*][^ \\n&*]|[\\t\\ufeff\\x85\\u2028\\u2029]")
"""What `_Loader` alone takes as it should: anchors and their aliases, tabs, rare breaks."""
_BLANKS: Final = re.compile(r"[ \t]*")
_BREAKS: Final = "\r\n\x85\u2028\u2029"


class Alias(yaml.ScalarNode):
    """A use of an anchored scalar, at the place of the use."""

    def __init__(self, target: yaml.ScalarNode, event: Any) -> None:  # noqa: ANN401 -- marks of two kinds
        super().__init__(target.tag, target.value, event.start_mark, event.end_mark, target.style)
        self.target = target


def composed(text: str, *, single: bool = True) -> tuple[list[yaml.Node], set[yaml.Node]]:
    """Compose the documents of a text, in which a tab may stand wherever a space does not indent.

    The few tabs that `_Loader` stumbles over, behind a `|` or a tag, become spaces, so that places
    stay. The scalars for which an alias stands elsewhere come with the nodes.
    """
    if (quick := _quickly(text, single=single)) is not None:
        return quick, set()
    for _ in range(TABS_AT_MOST):
        loader = _Loader(text)
        loader.shared = set()
        try:
            return list(_documents(loader, single=single)), loader.shared
        except yaml.scanner.ScannerError as error:
            at = error.problem_mark.index if error.problem_mark else len(text)
            indents = not text[text.rfind("\n", 0, at) + 1 : at].strip()
            if text[at : at + 1] != "\t" or indents:
                raise
            text = f"{text[:at]} {text[at + 1 :]}"
    raise yaml.YAMLError("there are too many tabs in it")


def _quickly(text: str, *, single: bool) -> list[yaml.Node] | None:
    """Return what libyaml makes of a text, in a tenth of the time; None where it is not asked.

    What it refuses is read again, so that faults are told in one way.
    """
    loader = None if _OTHERWISE.search(text) else _libyaml()
    if loader is None:
        return None
    try:
        return list(_documents(loader(text), single=single))
    except (yaml.YAMLError, UnicodeError):
        return None


def _documents(loader: Any, *, single: bool) -> Iterator[yaml.Node]:  # noqa: ANN401 -- two kinds
    if single:
        node = loader.get_single_node()
        yield from () if node is None else (node,)
        return
    while loader.check_node():
        node = loader.get_node()
        yield from () if node is None else (node,)


class _Loader(yaml.BaseLoader):
    """Composes nodes only; a plain scalar without a tag keeps a mark that it has none.

    PyYAML knows no tabs between tokens and within plain scalars.
    """

    shared: set[yaml.Node]
    indent_of: tuple[int, int] = (-1, 0)
    """A line, and where its indentation ends."""

    def stale_possible_simple_keys(self) -> None:
        """Forget what is no key any more, the earliest first; PyYAML goes through all each time.

        They stand in the order of the text: what encloses others was noted before them.
        """
        keys = self.possible_simple_keys
        while keys:
            level, key = next(iter(keys.items()))
            if key.line == self.line and self.index - key.index <= KEY_AT_MOST:
                return
            if key.required:
                problem = "while scanning a simple key", key.mark, "could not find expected ':'"
                raise yaml.scanner.ScannerError(*problem, self.get_mark())
            del keys[level]

    def next_possible_simple_key(self) -> int | None:
        """Return which token the earliest of them would come before."""
        return next((key.token_number for key in self.possible_simple_keys.values()), None)

    def scan_to_next_token(self) -> None:
        """Skip the tabs behind a token as well."""
        super().scan_to_next_token()
        while self.peek() == "\t" and not self._indents():
            self.forward()
            super().scan_to_next_token()

    def scan_plain_spaces(self, indent: int, start_mark: yaml.Mark) -> list[str]:
        """Keep the tabs of a plain scalar."""
        blanks = _BLANKS.match(self.buffer, self.pointer)
        text = blanks[0] if blanks else ""
        if "\t" in text:
            self.forward(len(text))
        if "\t" not in text or self.peek() in _BREAKS:
            return super().scan_plain_spaces(indent, start_mark) or []
        return [text]

    def _indents(self) -> bool:
        """Whether nothing but blanks stands before this place of its line."""
        if self.indent_of[0] != self.line:
            lead = _BLANKS.match(self.buffer, self.pointer - self.column)
            self.indent_of = (self.line, lead.end() if lead else 0)
        return bool(self.pointer < self.indent_of[1])

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401
        """Keep where an alias of a scalar is used; PyYAML hands out what it stands for."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        node: yaml.Node | None = super().compose_node(parent, index)
        if isinstance(event, yaml.AliasEvent) and isinstance(node, yaml.ScalarNode):
            self.shared.add(node)
            return Alias(node, event)
        return node

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:  # noqa: ANN401
        """Leave the type of a plain scalar to `resolved`."""
        return _tag(kind, value, implicit)


def _tag(kind: type[yaml.Node], value: Any, implicit: Any) -> str:  # noqa: ANN401, ARG001
    if kind is not yaml.ScalarNode:
        return ""
    return PLAIN if isinstance(implicit, tuple) and implicit[0] else f"{PREFIX}str"


@cache
def _libyaml() -> Any:  # noqa: ANN401 -- a class, of a base that is not everywhere
    """Return the class that composes by libyaml; None where there is none, or an old one."""
    try:
        from yaml._yaml import CParser, get_version
    except ImportError:
        return None
    if get_version() < BOUNDED:
        return None
    return type("Quick", (CParser, yaml.resolver.BaseResolver), {"resolve": staticmethod(_tag)})
