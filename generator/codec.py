"""plan.json: a Plan as data and back; `from_dict(to_dict(plan)) == plan`."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import sys
from typing import Any, Final, NamedTuple, get_args

from generator.errors import Problem, ProfileError, shortened
from generator.plan import LATER, SCHEMA_VERSION, Plan

_WORD: Final = re.compile(r"\w+")
_QUOTED: Final = re.compile(r"""['"](.*?)['"]""")
_TYPES: Final = {"str": str, "int": int, "float": float, "bool": bool, "None": type(None)}
_NAMES: Final = {
    str: "text",
    int: "a whole number",
    float: "a number with a point",
    bool: "true or false",
    type(None): "null",
}
AGAIN: Final = "write it again with `gen plan PROFILE`"


class _Field(NamedTuple):
    """What a field may hold: values of these types, these words, or records; `many`: a list."""

    many: bool
    types: tuple[type, ...]
    words: tuple[str, ...]
    record: Any
    required: bool


def to_dict(item: Any) -> Any:  # noqa: ANN401 -- it walks any field
    """Return a Plan, or what it consists of, as JSON-able data, keys in declaration order.

    It does what `dataclasses.asdict` does, several times faster: a Plan is all frozen records.
    """
    if isinstance(item, tuple):
        return [to_dict(part) for part in item]
    if isinstance(item, str | int | float | None):
        return item
    cls: Any = type(item)
    values = {name: getattr(item, name) for name in _fields(cls)}
    # What a profile does not ask for, as a front, is not there at all.
    away = {name for name, value in values.items() if value is None} if cls is Plan else set()
    away |= {name for name in LATER & values.keys() if not values[name]}
    return {name: to_dict(value) for name, value in values.items() if name not in away}


def from_dict(data: Any, source: str = "this plan") -> Plan:  # noqa: ANN401 -- whatever JSON holds
    """Rebuild a Plan from `to_dict`'s data.

    Raises ProfileError, about `source`, for another schema version, and with every place at which
    the data have not the shape of a Plan.
    """
    version = data.get("schema_version") if isinstance(data, dict) else None
    if type(version) is not int or version != SCHEMA_VERSION:
        newer = type(version) is int and version > SCHEMA_VERSION
        message = f"is {shortened(json.dumps(version), 40)}, not {SCHEMA_VERSION}"
        hint = "a newer `gen` has written it: check it with that one" if newer else AGAIN
        raise ProfileError(source, (Problem("schema_version", message, hint),))
    problems: list[Problem] = []
    plan: Plan | None = _built(Plan, data, "", problems)
    if plan is not None and not plan.services:
        problems.append(Problem("services", "names no service", AGAIN))
    if plan is not None and plan.services and all(one.puller for one in plan.services):
        problems.append(Problem("services", "has no service that writes the models", AGAIN))
    if plan is None or problems:
        raise ProfileError(source, tuple(problems))
    return plan


def record_of(cls: Any, data: Any, source: str, again: str) -> Any:  # noqa: ANN401 -- any record
    """Rebuild a record of another document, which the command `again` writes.

    Raises ProfileError, about `source`, with every place at which the data have not its shape.
    """
    problems: list[Problem] = []
    record = _built(cls, data, "", problems)
    if problems:
        raise ProfileError(
            source, tuple(dataclasses.replace(each, hint=again) for each in problems)
        )
    return record


@functools.cache
def _fields(cls: Any) -> dict[str, _Field]:  # noqa: ANN401 -- any dataclass of `plan`
    """Return what each field may hold.

    Reads the annotations as text: typing.get_type_hints compiles each, on every start.
    """
    known = vars(sys.modules[cls.__module__])
    return {field.name: _field(field, known) for field in dataclasses.fields(cls)}


def _field(field: dataclasses.Field[Any], known: dict[str, Any]) -> _Field:
    text = str(field.type)
    words, named = _QUOTED.findall(text), _WORD.findall(_QUOTED.sub("", text))
    values = [known[name] for name in named if name in known and name != "Literal"]
    return _Field(
        many=text.startswith("tuple["),
        types=tuple(_TYPES[name] for name in named if name in _TYPES),
        words=(*words, *(word for value in values for word in get_args(value))),
        record=next(filter(dataclasses.is_dataclass, values), None),
        required=field.default is dataclasses.MISSING,
    )


def _built(cls: Any, data: Any, where: str, problems: list[Problem]) -> Any:  # noqa: ANN401
    """Return a record; what is wrong with the data is added to `problems`."""
    if not isinstance(data, dict):
        problems.append(Problem(where, "is no table", AGAIN))
        return None
    fields, at = _fields(cls), f"{where}." if where else ""
    required = {name for name, field in fields.items() if field.required}
    found = dict.fromkeys(required - data.keys(), "is missing")
    found |= dict.fromkeys(data.keys() - fields.keys(), "no such key")
    faults = [Problem(f"{at}{name}", found[name], AGAIN) for name in sorted(found)]
    known = [name for name in data if name in fields]
    values = {name: _value(fields[name], data[name], f"{at}{name}", faults) for name in known}
    problems += faults
    return None if faults else cls(**values)


def _value(field: _Field, item: Any, where: str, problems: list[Problem]) -> Any:  # noqa: ANN401
    if field.many:
        if isinstance(item, list | tuple):
            one, parts = field._replace(many=False), enumerate(item)
            return tuple(_value(one, part, f"{where}.{place}", problems) for place, part in parts)
        problems.append(Problem(where, "is no list", AGAIN))
        return ()
    if field.record is not None and not (item is None and type(None) in field.types):
        return _built(field.record, item, where, problems)
    if not (item in field.words if field.words else type(item) in field.types):
        allowed = field.words or [_NAMES[kind] for kind in field.types]
        problems.append(Problem(where, f"is not {' or '.join(allowed)}", AGAIN))
    return item
