"""Frozen dataclasses that are made quickly: a command makes a hundred before it does anything.

The standard library compiles six functions for each class, one after the other. Here it is one, for
`__init__`, when the class is called for the first time, and the others are shared. Fields,
`replace`, `asdict` and `match` are those of the standard library.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        *, frozen: Literal[True], slots: bool = False, kw_only: bool = False, eq: bool = True
    ) -> Callable[[type], type]:
        """Do what `dataclasses.dataclass` does with these arguments."""
        del frozen  # it is always meant, and spelt out for whoever reads the class
        return lambda cls: _made(cls, slots=slots, kw_only=kw_only, eq=eq)


def _made(cls: type, *, slots: bool, kw_only: bool, eq: bool) -> Any:  # noqa: ANN401 -- any class
    bare = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)
    made: Any = bare(cls)

    def first(record: object, *args: object, **values: object) -> None:
        made.__init__ = _init(made)
        made.__init__(record, *args, **values)

    made.__init__ = first
    for name, method in (_SHARED | (_COMPARED if eq else {})).items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    return made


def _init(cls: Any) -> Callable[..., None]:  # noqa: ANN401 -- any class
    """Compile `__init__`: the only method that differs from class to class."""
    taken = [field for field in dataclasses.fields(cls) if field.init]
    known: dict[str, Any] = {"put": object.__setattr__, "MISSING": dataclasses.MISSING}
    lines = []
    for field in taken:
        value = field.name
        if field.default_factory is not dataclasses.MISSING:
            known[f"make_{field.name}"] = field.default_factory
            value = f"make_{field.name}() if {field.name} is MISSING else {field.name}"
        known[f"default_{field.name}"] = field.default
        lines.append(f"put(self, {field.name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    found: dict[str, Any] = {}
    source = f"def __init__({_parameters(taken)}):\n " + "\n ".join(lines or ["pass"])
    exec(source, known, found)  # noqa: S102 -- of names of our own fields
    made: Callable[..., None] = found["__init__"]
    return made


def _parameters(fields: list[dataclasses.Field[Any]]) -> str:
    """Spell the parameters; an argument that a factory makes is missing by default."""
    by_place = [_spelt(field) for field in fields if not field.kw_only]
    by_name = [_spelt(field) for field in fields if field.kw_only]
    return ", ".join(["self", *by_place, *(["*", *by_name] if by_name else [])])


def _spelt(field: dataclasses.Field[Any]) -> str:
    missing = dataclasses.MISSING
    needed = field.default is missing and field.default_factory is missing
    return field.name if needed else f"{field.name}=default_{field.name}"


def _values(record: Any) -> tuple[Any, ...]:  # noqa: ANN401 -- any record
    return tuple(getattr(record, name) for name in record.__dataclass_fields__)


def _repr(record: Any) -> str:  # noqa: ANN401
    pairs = zip(record.__dataclass_fields__, _values(record), strict=True)
    return f"{type(record).__qualname__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"


def _eq(record: object, other: object) -> bool:
    same = record.__class__ is other.__class__
    return _values(record) == _values(other) if same else NotImplemented


def _hash(record: object) -> int:
    return hash(_values(record))


def _refuse(_: object, name: str, *__: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot change field {name!r}")


def _restore(record: Any, values: tuple[Any, ...]) -> None:  # noqa: ANN401
    for name, value in zip(record.__dataclass_fields__, values, strict=True):
        object.__setattr__(record, name, value)


_SHARED = {
    "__repr__": _repr,
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__getstate__": _values,
    "__setstate__": _restore,
}
_COMPARED = {"__eq__": _eq, "__hash__": _hash}
