"""Values that a HelmRelease takes from elsewhere: from ConfigMaps of the same files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.readers.base import Source
from generator.readers.kubernetes.resources import documents_of, merged
from generator.readers.syntax.yaml_tree import Table
from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.readers.kubernetes.resources import Resources
    from generator.view import Place


def values_from(table: Table, tables: Sequence[Table], resources: Resources) -> Table | None:
    """Return the values that a release takes from ConfigMaps; what is not at hand is noted."""
    found: Table | None = None
    for node in table.items("spec", "valuesFrom"):
        kind, name = (node.text("kind"), node.text("name")) if isinstance(node, Table) else ("", "")
        data = next((t.table("data") for t in tables if _is_named(t, kind, name)), None)
        key = node.text("valuesKey") if isinstance(node, Table) else ""
        text = data.scalar(key or "values.yaml") if data else None
        if text is None or kind == "Secret":
            _not_at_hand(table, kind, name, node.place, resources)
            continue
        padded = "\n" * (text.starts - 1) + text.text
        values = documents_of(Source(text.place.file, padded))[:1]
        found = merged(found, values[0]) if found and values else next(iter(values), found)
    return found


def _is_named(table: Table, kind: str, name: str) -> bool:
    return table.text("kind") == kind and table.text("metadata", "name") == name


def _not_at_hand(table: Table, kind: str, name: str, place: Place, resources: Resources) -> None:
    """Take note of values that are elsewhere, of a chart of the engine."""
    engine = resources.context.engine.name
    charts = (table.text("spec", "chart", "spec", "chart"), table.text("spec", "chartRef", "name"))
    if engine in {chart.rpartition("/")[2] for chart in (*charts, table.text("metadata", "name"))}:
        hidden = "tells nothing here" if kind == "Secret" else "is in none of the files"
        reason = f"values of the release are in the {kind} `{name}`, which {hidden}"
        hint = "name the file that has it as well"
        resources.gaps.append(
            NotJudged(file=place.file, line=place.line, reason=reason, hint=hint, part="values")
        )
