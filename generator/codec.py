"""plan.json: a Plan as data and back; `from_dict(to_dict(plan)) == plan`."""

from __future__ import annotations

import dataclasses
import functools
import typing
from typing import Any

from generator.errors import HostwrightError
from generator.plan import SCHEMA_VERSION, Plan


def to_dict(plan: Plan) -> dict[str, Any]:
    """Return `plan` as JSON-able data, keys in declaration order."""
    return dataclasses.asdict(plan)


def from_dict(data: Any) -> Plan:  # noqa: ANN401 -- whatever JSON holds
    """Rebuild a Plan from `to_dict`'s data.

    Raises HostwrightError for another schema version or a shape that is not a Plan's.
    """
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise HostwrightError(
            f"this plan has schema version {version}, not {SCHEMA_VERSION}",
            hint="write it again with this version of `gen plan`",
        )
    try:
        plan: Plan = _build(Plan, data)
    except (KeyError, TypeError, StopIteration, IndexError) as error:
        raise HostwrightError(f"this is not a plan: {error}") from error
    return plan


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:  # noqa: ANN401 -- any dataclass of this module
    return typing.get_type_hints(cls)


def _build(cls: Any, data: dict[str, Any]) -> Any:  # noqa: ANN401 -- any dataclass of this module
    return cls(**{name: _value(_hints(cls)[name], item) for name, item in data.items()})


def _value(hint: Any, item: Any) -> Any:  # noqa: ANN401 -- it walks any field's type
    if isinstance(item, list | tuple):
        element = typing.get_args(hint)[0]
        return tuple(_value(element, part) for part in item)
    if isinstance(item, dict):
        return _build(next(t for t in (hint, *typing.get_args(hint)) if _is_record(t)), item)
    return item


def _is_record(hint: object) -> bool:
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)
