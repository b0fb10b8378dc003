"""YAML text as composed by PyYAML, with no type but those that the text names, and its faults."""

from __future__ import annotations

from typing import Any, Final

import yaml

from generator.errors import Problem, shortened

PREFIX: Final = "tag:yaml.org,2002:"
PLAIN: Final = "?"
"""The tag of a plain scalar that has none."""
TABS_AT_MOST: Final = 200


class Anchored(yaml.ScalarNode):
    """A scalar with an anchor; `shared`: an alias stands for it elsewhere."""

    shared = False


class Alias(yaml.ScalarNode):
    """A use of an anchored scalar, at the place of the use."""

    def __init__(self, target: Anchored, event: Any) -> None:  # noqa: ANN401 -- marks of two kinds
        super().__init__(target.tag, target.value, event.start_mark, event.end_mark, target.style)
        self.target = target


def composed(text: str) -> yaml.Node | None:
    """Compose a text, in which a tab may stand wherever a space does not indent.

    PyYAML knows no such tabs; each that it stumbles over becomes a space, so that places stay.
    """
    for _ in range(TABS_AT_MOST):
        try:
            found: yaml.Node | None = yaml.compose(text, Loader=_Loader)
        except yaml.scanner.ScannerError as error:
            at = error.problem_mark.index if error.problem_mark else len(text)
            indents = not text[text.rfind("\n", 0, at) + 1 : at].strip()
            if text[at : at + 1] != "\t" or indents:
                raise
            text = f"{text[:at]} {text[at + 1 :]}"
        else:
            return found
    raise yaml.YAMLError("there are too many tabs in it")


class _Loader(yaml.BaseLoader):
    """Composes nodes only; a plain scalar without a tag keeps a mark that it has none."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401
        """Keep where an alias of a scalar is used; PyYAML hands out what it stands for."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        node: yaml.Node | None = super().compose_node(parent, index)
        if isinstance(event, yaml.AliasEvent) and isinstance(node, Anchored):
            node.shared = True
            return Alias(node, event)
        return node

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:  # noqa: ANN401
        """Remember that a scalar has an anchor."""
        node = super().compose_scalar_node(anchor)
        if anchor is None:
            return node
        found = Anchored(node.tag, node.value, node.start_mark, node.end_mark, node.style)
        self.anchors[anchor] = found
        return found

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:  # noqa: ANN401, ARG002
        """Leave the type of a plain scalar to `resolved`."""
        if kind is not yaml.ScalarNode:
            return ""
        return PLAIN if isinstance(implicit, tuple) and implicit[0] else f"{PREFIX}str"


def syntax_problem(error: yaml.YAMLError, source: str) -> Problem:
    """Return what is wrong with a text that is no YAML."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = f"line {mark.line + 1}" if mark else ""
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return Problem(where, f"is not YAML: {shortened(str(said), 100)}", _advice(str(said)), source)


def _advice(said: str) -> str:
    if "'\\t'" in said:
        return "indent with spaces; YAML allows no tab there"
    if "another document" in said or "single document" in said:
        return "keep one document in a file"
    return "mend the YAML syntax"
