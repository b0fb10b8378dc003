"""What `gen diff` prints: tables, for a terminal and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import click

from generator.cli.talk import table, visible
from generator.errors import shortened
from generator.formats.markdown import code, markdown
from generator.formats.markdown import row as cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.difference.installed import Installed
    from generator.difference.plans import Difference
    from generator.difference.row import Row
    from generator.difference.upgrade import Upgrade
    from generator.errors import Finding


WIDEST: Final = 20
PAIR: Final = 2


class Section(NamedTuple):
    """A table: its head, and rows of cells; nothing is printed of one without rows."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def of_difference(found: Difference, old: str, new: str) -> list[Section]:
    """Return the tables of two Plans, which are called `old` and `new`."""
    sides = ("old", "new") if old == new else (old, new)
    return [
        _of_rows("setting", found.settings, *sides),
        _of_rows("estimate", found.effects, *sides),
        _of_findings("new finding", found.findings),
        _of_findings("finding that is gone", found.gone),
        _of_names("memory unknown", found.unknown),
    ]


def of_upgrade(found: Upgrade, old: str, new: str) -> list[Section]:
    """Return the tables of an upgrade."""
    first, *rest = of_difference(found.difference, old, new)
    return [
        first,
        _of_rows("default that nobody sets", found.defaults, old, new),
        _of_reading(found, new),
        *rest,
    ]


def of_installed(found: Installed, name: str) -> list[Section]:
    """Return the table of what is installed against a profile."""
    return [_of_rows("setting", found.rows, "installed", name)]


def _of_reading(found: Upgrade, new: str) -> Section:
    """Return which variables a server reads that did not; of the many of its programs, how many."""
    runner = len(found.read_by_runner)
    many = f"{runner} more, by the program of a model; --json names them" if runner else ""
    read = ", ".join(filter(None, (*found.read, many)))
    rows = [("read from now on", read), ("read no more", ", ".join(found.unread))]
    return Section((f"by {new}", "variables"), [row for row in rows if row[1]])


def _of_names(what: str, names: Sequence[str]) -> Section:
    return Section((what, "names"), [(str(len(names)), ", ".join(names))] if names else [])


def _of_rows(what: str, rows: Sequence[Row], old: str, new: str) -> Section:
    made = [(row.setting, row.old, row.new, percent_text(row.percent), row.why) for row in rows]
    if any(row[-1] for row in made):
        return Section((what, old, new, "", "why"), made)
    return Section((what, old, new, ""), [row[:-1] for row in made])


def percent_text(percent: float | None) -> str:
    """Return a percentage with its sign; empty: there is none."""
    return "" if percent is None else f"{percent:+g} %"


def _of_findings(what: str, findings: Sequence[Finding]) -> Section:
    return Section((what, "where", ""), [(f.rule, f.where, f.message) for f in findings])


def as_text(sections: Sequence[Section]) -> str:
    """Return the tables for a terminal."""
    made = [_text(each) for each in sections if each.rows]
    return "\n\n".join(made) + "\n"


def _text(section: Section) -> str:
    rows = [
        (visible(row[0]), *map(_cell, row[1:-1]), visible(row[-1]))
        if len(row) > PAIR
        else tuple(map(visible, row))
        for row in section.rows
    ]
    head, _, body = table(section.head, rows).partition("\n")
    return f"{click.style(head, bold=True)}\n{body}"


def _cell(text: str) -> str:
    """Return a cell that is no wider than a column is; --json has it whole."""
    return shortened(visible(text), WIDEST)


def as_markdown(sections: Sequence[Section]) -> str:
    """Return the tables for a report."""
    made = ["\n".join(_markdown(each)) for each in sections if each.rows]
    return "\n\n".join(made or ["Nothing differs."]) + "\n"


def _markdown(section: Section) -> list[str]:
    head = [markdown(cell) for cell in section.head]
    rows = [
        cells(code(row[0]), *(markdown(visible(cell)) for cell in row[1:])) for row in section.rows
    ]
    return [cells(*head), cells(*("---" for _ in head)), *rows]
