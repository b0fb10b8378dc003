"""Which fields of a Plan are read: a Plan whose records remember what was asked of them."""

import dataclasses
import functools
import sys
import typing
from collections.abc import Iterable
from typing import Any

from generator.plan import Plan

Field = tuple[str, str]


@functools.cache
def _watched(cls: Any) -> Any:
    """Return a class like `cls` that notes each field that somebody else than dataclasses reads."""
    names = frozenset(field.name for field in dataclasses.fields(cls))

    def read(self: Any, name: str) -> Any:
        if name in names and sys._getframe(1).f_globals.get("__name__") != "dataclasses":
            _READ.add((cls.__name__, name))
        return object.__getattribute__(self, name)

    made = type(cls.__name__, (cls,), {"__slots__": (), "__getattribute__": read})
    made.__module__ = cls.__module__
    return made


_READ: set[Field] = set()


def _copy(item: Any) -> Any:
    if isinstance(item, tuple):
        return tuple(_copy(part) for part in item)
    if not dataclasses.is_dataclass(item):
        return item
    fields = {field.name: _copy(getattr(item, field.name)) for field in dataclasses.fields(item)}
    watched: Any = _watched(type(item))  # type: ignore[arg-type]
    return watched(**fields)


def fields_read(plans: Iterable[Plan], use: Any) -> set[Field]:
    """Return the fields that `use` reads of the plans, as (record, field)."""
    copies = [_copy(plan) for plan in plans]
    _READ.clear()
    for plan in copies:
        use(plan)
    return set(_READ)


def records_of(cls: Any, name: str) -> list[Any]:
    """Return the records that a field of a record holds."""
    found = [typing.get_type_hints(cls)[name]]
    for hint in found:
        found += typing.get_args(hint)
    return [hint for hint in found if dataclasses.is_dataclass(hint)]


def every_field() -> set[str]:
    """Return the fields of all records below a Plan, as `Record.field`."""
    found, todo = set(), [Plan]
    for cls in todo:
        for field in dataclasses.fields(cls):
            found.add(f"{cls.__name__}.{field.name}")
            todo += [record for record in records_of(cls, field.name) if record not in todo]
    return found


def unread(read: set[Field]) -> set[str]:
    """Return the outermost fields below a Plan that are not in `read`, as `Record.field`."""
    found, todo = set(), [Plan]
    for cls in todo:
        for field in dataclasses.fields(cls):
            if (cls.__name__, field.name) not in read:
                found.add(f"{cls.__name__}.{field.name}")
                continue
            todo += [record for record in records_of(cls, field.name) if record not in todo]
    return found
