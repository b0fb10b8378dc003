"""Templates of a Helm chart, read as the manifests that its own values make of them.

No template is run: a value of the chart's `values.yaml` is put in where it is asked for alone,
lines that only direct are left out, and so is what a function puts in on lines of its own.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

from generator.readers.base import Source
from generator.readers.helm.releases import values_in
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import NotJudged

if TYPE_CHECKING:
    from generator.readers.base import Context

_DIRECTS: Final = re.compile(
    r"\{\{-?\s{0,9}(?:/\*|(?:if|else|end|with|range|define|block|template|break|continue)\b|\$\w+\s{0,9}:?=)"
)
_ALONE: Final = re.compile(r"[ \t]*(?:\{\{[^{}\n]*\}\}[ \t]*)+\r?")
_WHOLE: Final = re.compile(r"\{\{[^{}\n]*\}\}")
_INDENT: Final = re.compile(r"\bn?indent\s{1,9}(\d{1,3})")
_ASKED: Final = re.compile(
    r"\{\{-?\s{0,9}(?:\$?\.((?:Values|Chart|Release)(?:\.\w+)+))\s{0,9}"
    r"(?:\|\s{0,9}(?:quote|squote|toString|int|trim)\s{0,9}"
    r"|\|\s{0,9}default\s{1,9}(?:\"([^\"]*)\"|(\d+|\.[\w.]+))\s{0,9}){0,3}-?\}\}"
)
_VOLUMES: Final = re.compile(r"[vV]olumes?\b(?!Mount)")
_COMMENT: Final = re.compile(r"\{\{-?\s{0,9}/\*.*?\*/\s{0,9}-?\}\}", re.DOTALL)
_DEEPEST: Final = 8


def manifest(source: Source, context: Context) -> tuple[Source, NotJudged]:
    """Return a template as the manifest that it becomes, and what of that nobody knows here."""
    given = _given(source.path, context)
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), source.text)
    lines = (_line(line, given) for line in text.split("\n"))
    reason = "Helm fills it in: what stands there and the chart's own values were judged"
    gap = NotJudged(file=source.path, reason=reason, hint="check what `helm template` prints",
                    part="what functions and other values put in")  # fmt: skip
    return Source(source.path, "\n".join(lines)), gap


def _line(line: str, given: dict[str, str]) -> str:
    if "{{" not in line:
        return line
    if not _ALONE.fullmatch(line):
        return _WHOLE.sub("", line) if _DIRECTS.search(line) else _filled(line, given)
    # A list of volumes that is put in may have those which mounts name.
    indent = None if _DIRECTS.search(line) else _INDENT.search(line)
    return " " * int(indent[1]) + "- told" if indent and _VOLUMES.search(line) else ""


def _filled(line: str, given: dict[str, str]) -> str:
    told = _ASKED.sub(lambda found: _value(found, given), line)
    return _WHOLE.sub("$(told)", told)


def _value(found: re.Match[str], given: dict[str, str]) -> str:
    value = given.get(found[1])
    if not value and found[3] and found[3].startswith("."):
        value = given.get(found[3][1:])
    return value or found[2] or (found[3] or "").lstrip(".") or "$(told)"


def _given(path: str, context: Context) -> dict[str, str]:
    """Return the values of the chart whose template a file is."""
    folder = posixpath.dirname(path)
    while posixpath.basename(folder) not in {"templates", ""}:
        folder = posixpath.dirname(folder)
    found = {"Release.Name": "release", "Release.Namespace": "default", "Release.Service": "Helm"}
    for name, root in (("values.yaml", "Values"), ("Chart.yaml", "Chart")):
        file = posixpath.normpath(posixpath.join(folder, "..", name))
        text = context.read(file)
        values = values_in(Source(file, text)) if text is not None else None
        if values is not None:
            _flatten(root, values, found)
    for key in ("name", "version", "appVersion"):
        if told := found.get(f"Chart.{key}"):
            found[f"Chart.{key[0].upper()}{key[1:]}"] = told
    return found


def _flatten(prefix: str, table: Table, into: dict[str, str], depth: int = 0) -> None:
    for key, node in table.entries.items():
        if isinstance(node, Scalar) and "\n" not in node.text:
            into[f"{prefix}.{key}"] = node.text
        elif isinstance(node, Table) and depth < _DEEPEST:
            _flatten(f"{prefix}.{key}", node, into, depth + 1)
