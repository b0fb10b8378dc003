"""Values that resources of a cluster give a chart: of Flux from ConfigMaps, of Argo CD in several
forms.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from generator.readers.base import Source
from generator.readers.beside import missing
from generator.readers.helm.given import Given
from generator.readers.helm.merge import all_of
from generator.readers.helm.releases import read_from, values_in
from generator.readers.kubernetes.resources import documents_of
from generator.readers.syntax.yaml_tree import Scalar, Table
from generator.view import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.readers.kubernetes.resources import Resources
    from generator.view import Place


def values_from(table: Table, tables: Sequence[Table], resources: Resources) -> Table | None:
    """Return the values that a release takes from ConfigMaps; what is not at hand is noted."""
    return all_of(
        values
        for node in table.items("spec", "valuesFrom")
        if isinstance(node, Table)
        if (values := _from(node, table, tables, resources)) is not None
    )


def _from(node: Table, table: Table, tables: Sequence[Table], resources: Resources) -> Table | None:
    kind, name, target = (node.text(key) for key in ("kind", "name", "targetPath"))
    data = next((t.table("data") for t in tables if _is_named(t, kind, name, resources)), None)
    text = data.scalar(node.text("valuesKey") or "values.yaml") if data else None
    if text is None or kind == "Secret":
        if node.text("optional") != "true":
            _not_at_hand(table, kind, name, node.place, resources)
        return None
    if target:
        given = Given(None, text.place)
        given.put_text(target, text.text, text.place)
        return given.table()
    return written_in(text)


def written_in(text: Scalar) -> Table | None:
    """Return the values that stand as text in another file, at their lines there."""
    padded = "\n" * (text.starts - 1) + text.text
    return next(iter(documents_of(Source(text.place.file, padded))), None)


def _is_named(table: Table, kind: str, name: str, resources: Resources) -> bool:
    named = resources.bare(table.text("metadata", "name")) == resources.bare(name)
    return table.text("kind") == kind and named


def of_application(source: Table, resources: Resources) -> Table | None:
    """Return what a source of Argo CD gives its chart: later ones win, as it lays them over."""
    helm = source.table("helm")
    several = list(_of_files(source, resources))
    text, table = helm.scalar("values"), helm.get("valuesObject")
    if isinstance(table, Table) and table.entries:
        several.append(table)
    elif text is not None and (told := written_in(text)) is not None:
        several.append(told)
    given = Given(all_of(several), helm.place)
    for one in helm.items("parameters"):
        value = one.scalar("value") if isinstance(one, Table) else None
        if isinstance(one, Table) and value is not None:
            forced = one.text("forceString") == "true"
            given.put_text(one.text("name"), value.text, value.place, plain=not forced)
    return given.table()


def chart_of(source: Table, resources: Resources) -> str:
    """Return the chart of a source of Argo CD: its name, or the folder in somebody's repository."""
    chart, path = source.text("chart"), source.text("path")
    public = re.search(resources.context.engine.chart_place, source.text("repoURL"))
    return chart if chart or public or not path else f"./{path}"


def _of_files(source: Table, resources: Resources) -> Iterator[Table]:
    """Yield the files of values, which lie in a repository: the chart's own, or one by `$ref`."""
    for node in source.items("helm", "valueFiles"):
        if isinstance(node, Scalar) and node.text.startswith("$"):
            path = node.text.partition("/")[2]
            found = read_from(node.place.file, resources.context)(path)
            values = values_in(found) if found else None
            if values is not None:
                yield values
            elif _is_of_engine(source.text("chart"), resources):
                resources.gaps.append(missing(node.text, node.place))


def _is_of_engine(chart: str, resources: Resources) -> bool:
    return chart.rpartition("/")[2] == resources.context.engine.name


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
