"""Values of a chart, as Helm lays several of them over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.readers.syntax.yaml_tree import Node, Scalar, Table

if TYPE_CHECKING:
    from collections.abc import Iterable


def laid_over(base: Node, over: Node | None) -> Node:
    """Return `base` with `over` on top: tables are merged, all else is replaced.

    A list is replaced as a whole; `null` takes the value of the chart itself back.
    """
    if over is None:
        return base
    if not (isinstance(base, Table) and isinstance(over, Table)):
        return over
    entries, places = dict(base.entries), dict(base.places)
    for key, value in over.entries.items():
        places[key] = over.place_of(key)
        if isinstance(value, Scalar) and value.kind == "null":
            entries.pop(key, None)
        else:
            entries[key] = laid_over(entries[key], value) if key in entries else value
    return Table(entries, base.place, places)


def all_of(several: Iterable[Table]) -> Table | None:
    """Return values laid over each other in their order; None: there are none."""
    found: Node | None = None
    for one in several:
        found = one if found is None else laid_over(found, one)
    return found if isinstance(found, Table) else None
