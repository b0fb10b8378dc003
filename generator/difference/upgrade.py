"""Another release of the engine: what it changes for a profile that stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.difference.plans import Difference, compared, running_of
from generator.difference.row import Row, percent
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.catalogue import Catalogue
    from generator.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """What differs, and which variables a server reads that did not, or reads no more.

    `defaults` are of variables that neither Plan sets; `read_by_runner` are those that only the
    program of a model reads.
    """

    difference: Difference
    defaults: tuple[Row, ...]
    read: tuple[str, ...]
    read_by_runner: tuple[str, ...]
    unread: tuple[str, ...]


def upgraded(old: Plan, new: Plan, catalogue: Catalogue) -> Upgrade:
    """Return what a release changes, by the Plans of one profile for the two."""
    before, after = (running_of(plan, catalogue) for plan in (old, new))
    names = sorted({*_names(old, catalogue), *_names(new, catalogue)})
    told = {name: (before.default(name), after.default(name)) for name in names}
    reads = {
        name: tuple(
            one.default(name) is not None and not one.unread(name) for one in (before, after)
        )
        for name in names
    }
    set_ = {one.name for plan in (old, new) for one in plan.service.environment}
    kept = [name for name in names if name not in set_ and all(reads[name])]
    fresh = [name for name in names if reads[name] == (False, True)]
    return Upgrade(
        difference=compared(old, new, catalogue),
        defaults=tuple(_defaults({name: told[name] for name in kept})),
        read=tuple(name for name in fresh if not after.of_runner(name)),
        read_by_runner=tuple(name for name in fresh if after.of_runner(name)),
        unread=tuple(name for name in names if reads[name] == (True, False)),
    )


def _names(plan: Plan, catalogue: Catalogue) -> Iterator[str]:
    service = plan.service
    yield from catalogue.told(service.engine, service.release).variables
    yield from (one.name for one in service.environment)


def _defaults(told: dict[str, tuple[str | None, str | None]]) -> Iterator[Row]:
    for name, (old, new) in told.items():
        if old != new:
            yield Row(
                setting=name, old=old or "empty", new=new or "empty", percent=percent(old, new)
            )
