"""plan.json: a Plan as data and back; `from_dict(to_dict(plan)) == plan`."""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import Any, Final

from generator import plan as records
from generator.errors import HostwrightError
from generator.plan import SCHEMA_VERSION, Plan

_WORD: Final = re.compile(r"\w+")


def to_dict(plan: Plan) -> dict[str, Any]:
    """Return `plan` as JSON-able data, keys in declaration order."""
    data: dict[str, Any] = _plain(plan)
    return data


def _plain(item: Any) -> Any:  # noqa: ANN401 -- it walks any field
    """Do what `dataclasses.asdict` does, several times faster: a Plan is all frozen records."""
    if isinstance(item, tuple):
        return [_plain(part) for part in item]
    if isinstance(item, str | int | None):
        return item
    cls: Any = type(item)
    return {name: _plain(getattr(item, name)) for name in _fields(cls)}


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
    except (KeyError, TypeError) as error:
        raise HostwrightError(f"this is not a plan: {error}") from error
    return plan


@functools.cache
def _fields(cls: Any) -> dict[str, tuple[bool, Any]]:  # noqa: ANN401 -- any dataclass of `plan`
    """Return for each field whether it is a tuple, and the record that its annotation names.

    Reads the annotations as text: typing.get_type_hints compiles each, on every start.
    """
    return {
        field.name: (str(field.type).startswith("tuple["), _record(str(field.type)))
        for field in dataclasses.fields(cls)
    }


def _record(annotation: str) -> Any:  # noqa: ANN401 -- any dataclass of `plan`, or None
    named = (vars(records).get(word) for word in _WORD.findall(annotation))
    return next((cls for cls in named if dataclasses.is_dataclass(cls)), None)


def _build(cls: Any, data: dict[str, Any]) -> Any:  # noqa: ANN401 -- any dataclass of `plan`
    return cls(**{name: _value(_fields(cls)[name], item) for name, item in data.items()})


def _value(field: tuple[bool, Any], item: Any) -> Any:  # noqa: ANN401 -- it walks any field
    many, record = field
    if isinstance(item, list | tuple):
        if not many:
            raise TypeError("a list stands where one value belongs")
        return tuple(_value((False, record), part) for part in item)
    if isinstance(item, dict):
        if record is None:
            raise TypeError("a table stands where a value belongs")
        return _build(record, item)
    return item
