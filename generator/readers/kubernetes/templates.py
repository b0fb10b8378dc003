"""Templates of a Helm chart, read as the manifests that its own values make of them.

No template is run: a value of the chart's `values.yaml` is put in where it is asked for alone, and
so is a part of them that stands on lines of its own; conditions on values are decided, but for one
around a whole resource. Lines that only direct are left out, and so is what other functions put in.
"""

from __future__ import annotations

import dataclasses
import json
import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import Source
from generator.readers.helm.releases import values_in
from generator.readers.kubernetes.conditions import holds
from generator.readers.syntax.yaml_tree import Items, Node, Scalar, Table
from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from generator.readers.base import Context

_DIRECTS: Final = re.compile(
    r"\{\{-?\s{0,9}(?:/\*|(?:if|else|end|with|range|define|block|template|break|continue)\b|\$\w+\s{0,9}:?=)"
)
_STEERS: Final = re.compile(r"\{\{-?\s{0,9}(if|else|end|with|range|define|block)\b([^{}\n]*)\}\}")
_ALONE: Final = re.compile(r"[ \t]*(?:\{\{[^{}\n]*\}\}[ \t]*)+\r?")
_WHOLE: Final = re.compile(r"\{\{[^{}\n]*\}\}")
_INDENT: Final = re.compile(r"\bn?indent\s{1,9}(\d{1,3})")
_ASKED: Final = re.compile(
    r"\{\{-?\s{0,9}(?:\$?\.(\w+(?:\.\w+)*))\s{0,9}"
    r"(?:\|\s{0,9}(?:quote|squote|toString|int|trim)\s{0,9}"
    r"|\|\s{0,9}default\s{1,9}(?:\"([^\"]*)\"|(\d+|\.[\w.]+))\s{0,9}){0,3}-?\}\}"
)
_QUOTES: Final = re.compile(r"\|\s{0,9}s?quote\b")
_PART: Final = re.compile(
    r"([ \t]*(?:- )?[\w./-]+:[ \t]*)?[ \t]*\{\{-?\s{0,9}(?:tpl\s{1,9}\(\s{0,9})?"
    r"(?:to(?:Yaml|Json)\s{1,9}(\$?\.[\w.]*)|(\$?\.[\w.]*)\s{0,9}\|\s{0,9}to(?:Yaml|Json))\s{0,9}"
    r"(?:\)\s{0,9}[.$]\s{0,9})?(?:\|\s{0,9}n?indent\s{1,9}(\d{1,3})\s{0,9})?-?\}\}[ \t]*\r?"
)
"""A part of the values as a whole: behind a key, or on a line of its own."""
_VOLUMES: Final = re.compile(r"[vV]olumes?\b(?!Mount)")
_COMMENT: Final = re.compile(r"\{\{-?\s{0,9}/\*.*?\*/\s{0,9}-?\}\}", re.DOTALL)
_RESOURCE: Final = re.compile(r"(?:kind|apiVersion):")
_WORKLOAD: Final = re.compile(
    r"(?m)^kind:[ \t]*(?:Deployment|StatefulSet|DaemonSet|Pod|Job|CronJob)\b"
)
_KEPT: Final = re.compile(r"(?i)(?:persist|volume|storage|pvc)[\w.]*\.enabled?$")
"""What turns a volume on: one that is off is for whoever installs the chart to turn on."""
_DEEPEST: Final = 8
_MARK: Final = "hostwright-values-"
_ROOT: Final = "."


def manifest(source: Source, context: Context) -> tuple[Source, NotJudged, Filler]:
    """Return a template as the manifest that it becomes, and what of that nobody knows here.

    What the Filler does to its nodes is still to be done.
    """
    filler = Filler(*_given(source.path, context))
    filler.inside = not _WORKLOAD.search(source.text)
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), source.text)
    lines = [filler.line(line) for line in text.split("\n")]
    reason = "Helm fills it in: what stands there and the chart's own values were judged"
    gap = NotJudged(file=source.path, reason=reason, hint="check what `helm template` prints",
                    part="what functions and other values put in")  # fmt: skip
    return Source(source.path, "\n".join(lines)), gap, filler


@dataclasses.dataclass(slots=True)
class _Block:
    """What an `if`, `with` or `range` opens: what `.` is in it, and whether its branch is taken."""

    dot: str
    taken: bool | None
    shown: bool


class Filler:
    """One pass over a template, and then over what it has become."""

    def __init__(self, given: dict[str, str], values: Mapping[str, Table]) -> None:
        self.given, self.values = given, values
        self.blocks: list[_Block] = []
        self.parts: list[Node] = []
        self.inside = False

    def line(self, line: str) -> str:
        """Return what becomes of a line, of which there are as many as before."""
        self.inside = not line.startswith("---") and (
            self.inside or bool(not self.blocks and _RESOURCE.match(line))
            or line.startswith("kind:")
        )  # fmt: skip
        if "{{" not in line:
            return line if self._shown() else ""
        steers = [*_STEERS.finditer(line)]
        if steers and not _ALONE.fullmatch(line):
            return self._among(line, steers)
        for found in steers:
            self._steer(found[1], found[2].rstrip("-").strip())
        return "" if steers or not self._shown() else self._told(line)

    def _among(self, line: str, steers: Sequence[re.Match[str]]) -> str:
        """Return what becomes of a line that stands among words which direct."""
        kept, at, sure = "", 0, True
        for found in steers:
            kept += line[at : found.start()] if self._shown() else ""
            self._steer(found[1], found[2].rstrip("-").strip())
            decided = (
                found[1] in {"if", "else"} and self.blocks and self.blocks[-1].taken is not None
            )
            sure = sure and bool(found[1] == "end" or decided)
            at = found.end()
        kept += line[at:] if self._shown() else ""
        if sure:
            return self._told(kept) if "{{" in kept else kept.rstrip()
        return _WHOLE.sub("", line) if self._shown() else ""

    def nodes(self, nodes: Iterable[Node]) -> list[Node]:
        """Return nodes with the parts of the values in their places."""
        return [self._with_parts(node) for node in nodes] if self.parts else [*nodes]

    def _shown(self) -> bool:
        return all(block.shown for block in self.blocks)

    def _steer(self, word: str, rest: str) -> None:
        if word == "end":
            del self.blocks[-1:]
        elif word == "else":
            self._otherwise(rest.removeprefix("if").strip() if rest.startswith("if") else "")
        elif word in {"if", "with", "range"}:
            taken = self._holds(rest)
            dot = self._path(rest) if word == "with" else ""
            dot = self._dot() if word == "if" else dot
            self.blocks.append(_Block(dot, taken, taken is not False))
        else:
            self.blocks.append(_Block("", None, shown=True))

    def _otherwise(self, condition: str) -> None:
        """Take another branch of the innermost block, unless one before it is taken for sure."""
        if not self.blocks:
            return
        block = self.blocks[-1]
        if block.taken:
            block.shown = False
            return
        taken = self._holds(condition) if condition else True
        block.shown = taken is not False
        block.taken = taken if block.taken is False or taken is None else block.taken

    def _holds(self, condition: str) -> bool | None:
        """Whether a condition on values holds; None: nobody knows, or a whole workload is on it."""
        return holds(condition, self._value) if self.inside and self.values else None

    def _value(self, name: str) -> Node | None:
        path = self._path(name)
        if not path.startswith("Values."):
            raise LookupError(name)
        node = self._node(path)
        return Scalar("true", node.place) if node and _KEPT.search(path) else node

    def _dot(self) -> str:
        return self.blocks[-1].dot if self.blocks else _ROOT

    def _path(self, name: str) -> str:
        """Return the path of a name like `.Values.a` or `.a` within a `with`; empty: unknown."""
        if name.startswith("$"):
            return name[2:]
        dot = self._dot()
        if not dot or not name.startswith("."):
            return ""
        return name[1:] if dot == _ROOT else f"{dot}{name}".rstrip(".")

    def _node(self, path: str) -> Node | None:
        top, *keys = path.split(".")
        table = self.values.get(top)
        return table.get(*keys) if table is not None and all(keys) else None

    def _told(self, line: str) -> str:
        if part := _PART.fullmatch(line):
            return self._part(line, part)
        if not _ALONE.fullmatch(line):
            return _WHOLE.sub("", line) if _DIRECTS.search(line) else self._filled(line)
        return _some_volumes(line)

    def _part(self, line: str, found: re.Match[str]) -> str:
        """Return a mark for a part of the values, a list or a mapping."""
        node = self._node(self._path(found[2] or found[3]))
        if not isinstance(node, Items | Table):
            return _WHOLE.sub("", line) if found[1] else _some_volumes(line)
        self.parts.append(node)
        mark = f"{_MARK}{len(self.parts) - 1}"
        if found[1]:
            return f"{found[1]}[{mark}]" if isinstance(node, Items) else f"{found[1]}{{{mark}: 1}}"
        indent = " " * int(found[4] or 0)
        return f"{indent}- {mark}" if isinstance(node, Items) else f"{indent}{mark}: 1"

    def _filled(self, line: str) -> str:
        told = _ASKED.sub(self._asked, line)
        return _WHOLE.sub("$(told)", told)

    def _asked(self, found: re.Match[str]) -> str:
        name = found[0].lstrip("{- \t")
        value = self.given.get(self._path("$." + found[1] if name[0] == "$" else "." + found[1]))
        if not value and found[3] and found[3].startswith("."):
            value = self.given.get(self._path(found[3]))
        text = value or found[2] or (found[3] or "").lstrip(".") or "$(told)"
        return json.dumps(text, ensure_ascii=False) if _QUOTES.search(found[0]) else text

    def _with_parts(self, node: Node, depth: int = 0) -> Node:
        if isinstance(node, Scalar) or depth > _MOST_NESTED:
            return node
        if isinstance(node, Items):
            items: list[Node] = []
            for one in node.items:
                part = self._marked(one.text) if isinstance(one, Scalar) else None
                items += part.items if isinstance(part, Items) else (
                    self._with_parts(one, depth + 1),)  # fmt: skip
            return Items(tuple(items), node.place, node.tag)
        entries: dict[str, Node] = {}
        places = dict(node.places)
        for key, one in node.entries.items():
            part = self._marked(key)
            if isinstance(part, Table):
                entries |= part.entries
                places |= part.places
            else:
                entries[key] = self._with_parts(one, depth + 1)
        return Table(entries, node.place, places, node.tag)

    def _marked(self, text: str) -> Node | None:
        number = text.removeprefix(_MARK)
        return self.parts[int(number)] if number != text and number.isdigit() else None


_MOST_NESTED: Final = 60


def _some_volumes(line: str) -> str:
    """Return what stands for lines that are put in: volumes may have those which mounts name."""
    indent = None if _DIRECTS.search(line) else _INDENT.search(line)
    return " " * int(indent[1]) + "- told" if indent and _VOLUMES.search(line) else ""


def _given(path: str, context: Context) -> tuple[dict[str, str], dict[str, Table]]:
    """Return the values of the chart whose template a file is, by their paths and as they are."""
    folder = posixpath.dirname(path)
    while posixpath.basename(folder) not in {"templates", ""}:
        folder = posixpath.dirname(folder)
    found = {"Release.Name": "release", "Release.Namespace": "default", "Release.Service": "Helm"}
    tables: dict[str, Table] = {}
    for name, root in (("values.yaml", "Values"), ("Chart.yaml", "Chart")):
        file = posixpath.normpath(posixpath.join(folder, "..", name))
        text = context.read(file)
        values = values_in(Source(file, text)) if text is not None else None
        if values is not None:
            _flatten(root, values, found)
            tables |= {root: values} if root == "Values" else {}
    for key in ("name", "version", "appVersion"):
        if told := found.get(f"Chart.{key}"):
            found[f"Chart.{key[0].upper()}{key[1:]}"] = told
    return found, tables


def _flatten(prefix: str, table: Table, into: dict[str, str], depth: int = 0) -> None:
    for key, node in table.entries.items():
        if isinstance(node, Scalar) and "\n" not in node.text:
            into[f"{prefix}.{key}"] = node.text
        elif isinstance(node, Table) and depth < _DEEPEST:
            _flatten(f"{prefix}.{key}", node, into, depth + 1)
