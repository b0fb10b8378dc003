"""plan.json: a Plan as data and back; `from_dict(to_dict(plan)) == plan`."""

from __future__ import annotations

import dataclasses
import functools
import re
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

from generator.errors import HostwrightError, Problem, ProfileError
from generator.plan import SCHEMA_VERSION, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD: Final = re.compile(r"\w+")
_QUOTED: Final = re.compile(r"""['"](.*?)['"]""")
_TYPES: Final = {"str": str, "int": int, "bool": bool, "None": type(None)}
_NAMES: Final = {str: "text", int: "a whole number", bool: "true or false", type(None): "null"}
AGAIN: Final = "write it again with `gen plan PROFILE`"


class _Field(NamedTuple):
    """What a field may hold: values of these types, these words, or records; `many`: a list."""

    many: bool
    types: tuple[type, ...]
    words: tuple[str, ...]
    record: Any
    required: bool


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


def from_dict(data: Any, source: str = "this plan") -> Plan:  # noqa: ANN401 -- whatever JSON holds
    """Rebuild a Plan from `to_dict`'s data.

    Raises HostwrightError for another schema version, and ProfileError, about `source`, with every
    place at which the data have not the shape of a Plan.
    """
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise HostwrightError(
            f"{source} has schema version {version!r}, not {SCHEMA_VERSION}", hint=AGAIN
        )
    problems: list[Problem] = []
    plan: Plan | None = _built(Plan, data, "", problems)
    if plan is not None and len(plan.services) != 1:
        problems.append(Problem("services", "names no service, or several", AGAIN))
    if plan is None or problems:
        raise ProfileError(source, tuple(problems))
    return plan


@functools.cache
def _fields(cls: Any) -> dict[str, _Field]:  # noqa: ANN401 -- any dataclass of `plan`
    """Return what each field may hold.

    Reads the annotations as text: typing.get_type_hints compiles each, on every start.
    """
    return {field.name: _field(cls, field) for field in dataclasses.fields(cls)}


def _field(cls: Any, field: Any) -> _Field:  # noqa: ANN401 -- any field of any dataclass
    text = str(field.type)
    known = vars(sys.modules[cls.__module__])
    words, named = _QUOTED.findall(text), _WORD.findall(_QUOTED.sub("", text))
    values = [known[name] for name in named if name in known and name != "Literal"]
    for value in values:
        words += get_args(value)
    return _Field(
        many=text.startswith("tuple["),
        types=tuple(_TYPES[name] for name in named if name in _TYPES),
        words=tuple(words),
        record=next((value for value in values if dataclasses.is_dataclass(value)), None),
        required=field.default is dataclasses.MISSING,
    )


def _built(cls: Any, data: Any, where: str, problems: list[Problem]) -> Any:  # noqa: ANN401
    """Return a record; what is wrong with the data is added to `problems`."""
    fields = _fields(cls)
    if not isinstance(data, dict):
        problems.append(Problem(where, "is no table", AGAIN))
        return None
    required = {name for name, field in fields.items() if field.required}
    missing, unknown = required - data.keys(), data.keys() - fields.keys()
    found = [(name, "is missing") for name in missing] + [(name, "no such key") for name in unknown]
    faults = [Problem(_path(where, name), message, AGAIN) for name, message in sorted(found)]
    values = {
        name: _value(fields[name], item, _path(where, name), faults)
        for name, item in data.items()
        if name in fields
    }
    problems += faults
    return None if faults else cls(**values)


def _path(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _value(field: _Field, item: Any, where: str, problems: list[Problem]) -> Any:  # noqa: ANN401
    if not field.many:
        return _single(field, item, where, problems)
    if not isinstance(item, list | tuple):
        problems.append(Problem(where, "is no list", AGAIN))
        return ()
    return tuple(
        _single(field, part, f"{where}.{place}", problems) for place, part in enumerate(item)
    )


def _single(field: _Field, item: Any, where: str, problems: list[Problem]) -> Any:  # noqa: ANN401
    if field.record is not None and not (item is None and type(None) in field.types):
        return _built(field.record, item, where, problems)
    fits = item in field.words if field.words else type(item) in field.types
    if not fits:
        problems.append(Problem(where, f"is not {' or '.join(_allowed(field))}", AGAIN))
    return item


def _allowed(field: _Field) -> Iterator[str]:
    yield from field.words or (_NAMES[kind] for kind in field.types)
