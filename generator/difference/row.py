"""A row of `gen diff`: a setting of two configurations, by how far apart, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from generator.records import dataclass
from generator.units import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.engines.base import Running
    from generator.plan import Limit, Setting

Kind = Literal["new", "changed", "gone"]
NOTHING: Final = "not set"
_FOR_EVER: Final = float(2**63 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A setting before and after. `percent` is by how much more a number is; None: it is none.

    `why` says what follows from it, or where the old value stands.
    """

    setting: str
    old: str
    new: str
    percent: float | None = None
    kind: Kind = "changed"
    why: str = ""


def percent(old: object, new: object) -> float | None:
    """Return by how many percent a number is more than another; None: they are no such numbers."""
    first, second = _number(old), _number(new)
    if not first or not second:  # 0 is `by itself`, or none
        return None
    return round((second / first - 1) * 100, 1)


def _number(value: object) -> float | None:
    try:
        number = float(str(value).rstrip("%"))
    except ValueError:
        return None
    return number if 0 <= number < _FOR_EVER else None


def kind_of(old: object, new: object) -> Kind:
    """Return what becomes of a setting; None: it is not there."""
    return "new" if old is None else "gone" if new is None else "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two configurations: what is set, as the server of a release reads it."""

    running: Running
    variables: dict[str, str]

    def meaning(self, name: str) -> str | None:
        """Return what the server makes of a variable, set or not; None: it reads no such name."""
        value = self.variables.get(name, self.running.default(name))
        return None if value is None else self.running.meaning(name, value)

    def shown(self, name: str) -> str:
        """Return how a variable is set, or what is taken instead."""
        if self.running.secret(name) and name in self.variables:
            return "set, and not shown"
        if name in self.variables:
            return self.variables[name] or "empty"
        default = self.running.default(name)
        return f"{NOTHING} ({default})" if default else NOTHING


def variables(old: Side, new: Side) -> Iterator[Row]:
    """Yield the variables that mean something else."""
    for name in dict.fromkeys((*new.variables, *old.variables)):
        first, second = old.meaning(name), new.meaning(name)
        before, after = old.variables.get(name), new.variables.get(name)
        if first == second and (first is not None or before == after):
            continue
        yield Row(
            setting=name,
            old=old.shown(name),
            new=new.shown(name),
            percent=percent(first, second),
            kind=kind_of(before, after),
            why=_unread(name, old, new),
        )


def _unread(name: str, old: Side, new: Side) -> str:
    side = new if name in new.variables else old
    why = side.running.unread(name)
    return f"without effect: {why}" if why else ""


def limits(old: Mapping[str, tuple[object, str]], new: Mapping[str, Limit]) -> Iterator[Row]:
    """Yield the limits that differ; `old` has a value and how it is written, by their names."""
    for name in dict.fromkeys((*new, *old)):
        limit = new.get(name)
        value, written = old.get(name, (None, NOTHING))
        wanted = None if limit is None or limit.value == "infinity" else limit.value
        if value == wanted and (name in old) == (limit is not None):
            continue
        if value is None and wanted is None:
            continue  # No limit, said or not.
        yield Row(
            setting=limit.directive if limit else LIMITS[name],
            old=written,
            new=limit.written if limit else NOTHING,
            percent=percent(value, wanted),
            kind=kind_of(old.get(name), limit),
        )


def side(running: Running, settings: tuple[Setting, ...]) -> Side:
    """Return the variables of a Plan as one side."""
    return Side(running=running, variables={one.name: one.value for one in settings})
