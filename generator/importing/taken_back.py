"""What drop-ins take away of the unit, and what is back once they are taken away themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.importing.entries import Left
from generator.importing.render_back import KEEP, is_unit
from generator.importing.variables import left
from generator.readers.base import Source
from generator.readers.discover import Found
from generator.readers.groups import Group
from generator.readers.seen import views
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.catalogue.facts import Facts
    from generator.importing.choose import Chosen
    from generator.importing.render_back import Again
    from generator.plan import Plan
    from generator.readers.base import Context
    from generator.view import Line, View

_VARIABLES: Final = frozenset({"Environment", "EnvironmentFile", "UnsetEnvironment"})
_ADDED_UP: Final = frozenset(
    {
        *("After", "Before", "BindPaths", "Conflicts", "DeviceAllow", "ExecStartPost"),
        *("ExecStartPre", "ExecStop", "ExecStopPost", "ReadWritePaths", "Requires"),
        *("SupplementaryGroups", "Wants"),
    }
)
"""Directives of which a further line adds to those before."""
_NOT_THERE: Final = "it takes away what the unit says, which is not among the files"


@dataclass(frozen=True, slots=True)
class Taken:
    """An empty line of a drop-in, and the lines of the unit that it takes away."""

    reset: Line
    lines: tuple[Line, ...]


def taken_back(
    chosen: Chosen, plan: Plan, again: Again, facts: Facts, context: Context
) -> Iterator[Left]:
    """Yield what acts again when the drop-ins are gone, for those of a bundle say nothing of it."""
    whole, unit = any(map(is_unit, chosen.files)), unit_alone(chosen, context)
    for one in _taken(chosen.view, unit.lines if whole else ()):
        reset = one.reset
        named = (reset.section, reset.name)
        replaced = named in again.directives and reset.name not in _ADDED_UP
        if not replaced and (one.lines or not whole):
            reason = _acts_again(one.lines[0]) if whole else _NOT_THERE
            yield Left(name=f"{reset.name}=", value="", place=reset.place, reason=reason, fix=KEEP)
    had = set(chosen.hidden) | {variable.name for variable in chosen.view.variables}
    had |= {variable.name for variable in plan.service.environment}
    for variable in unit.variables if whole else ():
        if variable.name not in had:
            reason = "a drop-in takes it away, and without that it acts again"
            yield left(variable, facts, reason, fix="take it out of the unit")


def _taken(view: View, unit: Sequence[Line]) -> Iterator[Taken]:
    """Yield the resets of drop-ins with what they take away and do not say again."""
    last = {(line.section, line.name): line.value for line in view.lines}
    for line in view.lines:
        if line.value or not line.name or is_unit(line.place.file):
            continue
        if unit and line.name in _VARIABLES:
            continue
        named = (line.section, line.name)
        same = (one for one in unit if (one.section, one.name) == named)
        yield Taken(line, tuple(one for one in same if one.value not in {"", last[named]}))


def _acts_again(line: Line) -> str:
    at = f"{line.place.file}:{line.place.line}"
    return f"it takes away what {at} says, which acts again without it"


def unit_alone(chosen: Chosen, context: Context) -> View:
    """Return the unit without its drop-ins."""
    units = [path for path in chosen.files if is_unit(path) and path.endswith(chosen.view.name)]
    groups = [Group("systemd", (Source(path, chosen.texts[path]),)) for path in units[:1]]
    found = views(Found(tuple(groups)), context).views if groups else ()
    return found[0] if found else chosen.view
