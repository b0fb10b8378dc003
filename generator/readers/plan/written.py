"""A Plan as its output will be read: by files that do not say what the profile knows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from generator.host import UNKNOWN
from generator.view import Bound, Phrases, Place, Variable, View

if TYPE_CHECKING:
    from typing import TypeVar

    Item = TypeVar("Item", Variable, Bound)

_UNIT = Phrases(
    kind="unit",
    of_unit=".*",
    assigns=True,
    unit_no_swap="set `resources.memory_swap_max`",
    read_by="every output has it",
)


def as_written(seen: View) -> tuple[View, View]:
    """Return Views of the output of a Plan: one that tells what computes, one that does not.

    Places have line 1 for the first variable, and so on, then limits.
    """
    settings = seen.variables
    plain = replace(
        seen,
        phrases=_UNIT,
        name="",
        host=UNKNOWN,
        models=(),
        resume_fix=None,
        silences=(),
        variables=_numbered(settings, 1),
        bounds=_numbered(seen.bounds, 1 + len(settings)),
    )
    return plain, replace(plain, acceleration="")


def _numbered(items: tuple[Item, ...], start: int) -> tuple[Item, ...]:
    return tuple(
        replace(item, place=Place(item.place.file, line)) for line, item in enumerate(items, start)
    )
