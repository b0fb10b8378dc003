"""Judge the form of a profile: pydantic's errors as what / where / what to do."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import BaseModel, ValidationError, WithJsonSchema

from generator.errors import Problem, ProfileError, shortened, split_message
from generator.profiles.schema import Profile
from generator.units import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic_core import ErrorDetails

    from generator.profiles.document import Document

UNKNOWN: Final = "unknown key"
Model = TypeVar("Model", bound=BaseModel)


def validate(document: Document) -> Profile:
    """Return the Profile of `document`, or raise ProfileError with every Problem in it."""
    return validated(document, Profile)


def validated(document: Document, model: type[Model]) -> Model:
    """Return `document` as `model`, or raise ProfileError with every Problem in it."""
    try:
        # As JSON: in Python's own types strict mode refuses a list for a tuple.
        data = json.dumps(document.data, default=str)
        with _no_plugins():
            found = model.model_validate_json(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        told = {one.where for one in document.unfit}
        more = [one for one in _problems(details, document, model) if one.where not in told]
        raise ProfileError(document.source, (*document.unfit, *more)) from None
    if document.unfit:
        raise ProfileError(document.source, document.unfit)
    return found


@contextmanager
def _no_plugins() -> Iterator[None]:
    """Keep pydantic from looking for plugins, which imports the e-mail package, among others."""
    stand_in = ModuleType("pydantic.plugin._loader")
    vars(stand_in)["get_plugins"] = tuple
    if sys.modules.setdefault(stand_in.__name__, stand_in) is not stand_in:
        yield
        return
    try:
        yield
    finally:
        del sys.modules[stand_in.__name__]


def _problems(
    details: Iterable[ErrorDetails], document: Document, model: type[BaseModel]
) -> Iterable[Problem]:
    """Translate pydantic's errors: one Problem per key, with where, what and what to do."""
    by_key: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for detail in details:
        if detail["type"] == "too_short" and detail["input"]:
            continue  # There are some, and what is wrong with each of them is told.
        by_key.setdefault(_key_path(detail, document.data), []).append(detail)
    for path, faults in by_key.items():
        message, hint = _explained(faults[0], path, model)
        if len(faults) > 1:
            message, hint = _no_member(faults)
            hint = _fitting_hint(path, model) or hint
        yield Problem(_spelt(".".join(path)), message, hint, document.origin(path))


def _no_member(faults: list[ErrorDetails]) -> tuple[str, str]:
    """Explain a value that fits no member of a union."""
    kinds = {"int_type": "a whole number", "string_type": "text", "bool_type": "true or false"}
    choices = [
        fault["ctx"]["expected"] if fault["type"] == "literal_error" else kinds.get(fault["type"])
        for fault in faults
    ]
    known = dict.fromkeys(choice for choice in choices if choice)
    message = f"`{_spelt(faults[0]['input'])}` is not one of the values"
    return message, f"write {_quoted(' or '.join(known))}"


def _key_path(detail: ErrorDetails, data: object) -> tuple[str, ...]:
    """Drop the steps that pydantic adds for members of a union: they are not in the data."""
    path: list[str] = []
    loc = detail["loc"]
    for index, step in enumerate(loc):
        missing = detail["type"] == "missing" and index == len(loc) - 1
        if isinstance(data, dict) and (step in data or missing):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            continue
        path.append(str(step))
    return tuple(path)


_KINDS: Final = {
    "int_type": ("a whole number", "write it in digits alone, like `4`"),
    "bool_type": ("true or false", "write `true` or `false`, without quotes"),
    "string_type": ("text", "write it in quotes"),
    "tuple_type": ("an array", "write it in brackets"),
    "model_type": ("a table", "write its keys under a `[heading]`"),
    "dict_type": ("a table", "write its keys under a `[heading]`"),
    "float_type": ("a number", "write it in digits, without quotes"),
}
_ABSENT: Final = {
    "missing": ("this key is required", "add it"),
    "too_short": ("nothing is in it", "write one at least"),
}
_SPANS: Final = {
    "greater_than_equal": ("{ge} or more", "write `{ge}` or more"),
    "greater_than": ("above {gt}", "write more than `{gt}`"),
    "less_than_equal": ("{le} or less", "write `{le}` or less"),
    "string_too_long": ("{max_length} characters or fewer", "write a shorter one"),
}
_THOUSANDS: Final = re.compile(r"([0-9]{1,6}) ?[kK]i?")


def _explained(
    detail: ErrorDetails, path: tuple[str, ...], model: type[BaseModel]
) -> tuple[str, str]:
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return UNKNOWN, _suggestion(path, model)
    if kind in _ABSENT:
        message, hint = _ABSENT[kind]
        return message, _REQUIRED.get(path[-1], hint)
    if kind == "value_error":
        message, hint = split_message(detail["ctx"]["error"])
        return message.replace(str(value), _spelt(value)), hint.replace(str(value), _spelt(value))
    if kind == "literal_error":
        return _no_choice(value, detail["ctx"]["expected"])
    kind = "int_type" if kind == "int_from_float" else kind
    if kind in _KINDS:
        what, hint = _KINDS[kind]
        hint = _fitting_hint(path, model) or _rewritten(kind, value) or hint
        return f"`{_spelt(value)}` is not {what}", hint
    what, hint = _SPANS.get(kind, (detail["msg"].replace("Input should be ", ""), "change it"))
    optional = ", or leave it out" if _may_be_left_out(path, model) else ""
    limits = detail.get("ctx", {})
    return f"`{_spelt(value)}` is not {what.format(**limits)}", f"{hint.format(**limits)}{optional}"


def _no_choice(value: object, expected: str) -> tuple[str, str]:
    """Explain a value that is none of those that pydantic lists, texts in single quotes."""
    choices = [part.strip(" '") for part in expected.replace(" or ", ",").split(",")]
    hint = _did_you_mean(str(value), choices) or f"write {_quoted(expected)}"
    if str(value) in choices:
        hint = f"write `{value}` without quotes"
    return f"`{_spelt(value)}` is not one of the values", hint


def _quoted(choices: str) -> str:
    """Return choices with the texts among them as TOML writes them."""
    return re.sub("'([^']*)'", r'`"\1"`', choices)


def _rewritten(kind: str, value: object) -> str:
    """Return a hint with the value as it was probably meant; empty: nobody knows."""
    if kind == "tuple_type" and isinstance(value, str | int):
        text = value if isinstance(value, str) else str(value)
        return f"write it in brackets, `[{shortened(json.dumps(text, ensure_ascii=False))}]`"
    if kind == "int_type" and isinstance(value, str):
        thousands = _THOUSANDS.fullmatch(value)
        number = str(int(thousands[1]) * 1024) if thousands else value
        if number.isascii() and number.isdigit():
            return f"write `{shortened(number)}`, without quotes"
        return "write it in digits, without quotes, like `4`"
    return ""


def _may_be_left_out(path: tuple[str, ...], model: type[BaseModel]) -> bool:
    around = _table(path[:-1], model)
    field = around.model_fields.get(path[-1]) if around else None
    return field is not None and field.default is None


def _fitting_hint(path: tuple[str, ...], model: type[BaseModel]) -> str:
    """Return a hint for this very key: how its tables are headed, or an example of its value."""
    *_, last = path or ("",)
    if last.isdecimal() or not path:
        heading = ".".join(step for step in path if not step.isdecimal())
        return f"write `[[{heading}]]`" if _table(path, model) else ""
    around = _table(path[:-1], model)
    field = around.model_fields.get(last) if around else None
    if field is None:
        return ""
    if _model_in(field.annotation):
        many = getattr(field.annotation, "__origin__", None) is tuple
        heading = ".".join(path)
        return f"write `[[{heading}]]`" if many else f"write `[{heading}]`"
    example = next(_examples(field.annotation, *field.metadata), None)
    return f"write it like `{json.dumps(example)}`" if example else ""


def _examples(*parts: object) -> Iterator[object]:
    """Yield the examples in the annotations of a key, wherever they stand in a union."""
    for part in parts:
        if getattr(part, "__origin__", None) is tuple:
            continue
        if isinstance(part, WithJsonSchema):
            yield from (part.json_schema or {}).get("examples", ())
        yield from _examples(*getattr(part, "__metadata__", ()), *getattr(part, "__args__", ()))


_REQUIRED: Final = {
    "schema_version": "add `schema_version = 1`",
    "name": 'add `name = "…"`',
    "profile": 'add `profile = "xeon-cpu"`, or the path of another',
    "hosts": "add a host under `[hosts.my-host]`",
}


_ELSEWHERE: Final = {"gpu.devices": "the cards of the host stand under `[[host.gpus]]`"}


def _did_you_mean(word: str, known: list[str]) -> str:
    close = closest(word, known)
    return f"did you mean `{close}`?" if close else ""


def _spelt(value: object) -> str:
    """Spell a value as TOML or JSON does, text without its quotes, and not all of a long one."""
    if isinstance(value, str):
        text = value if value.isprintable() else json.dumps(value)[1:-1]
    elif isinstance(value, float):
        text = str(value)  # `inf` and `nan`, as in TOML
    else:
        text = json.dumps(value, ensure_ascii=False)
    return shortened(text)


def _suggestion(path: tuple[str, ...], model: type[BaseModel]) -> str:
    if found := _ELSEWHERE.get(".".join(path)):
        return found
    table = _table(path[:-1], model)
    names = list(table.model_fields) if table else []
    known = f"known here are {', '.join(names)}" if names else "remove it"
    return _did_you_mean(path[-1], names) or known


def _table(path: Iterable[str], model: type[BaseModel]) -> type[BaseModel] | None:
    """Follow `path` through the models; positions and free keys lead to the element's model."""
    table: type[BaseModel] | None = model
    free = False
    for step in path:
        if step.isdecimal() or free:
            free = False
            continue
        field = table.model_fields.get(step) if table else None
        table = _model_in(field.annotation) if field else None
        free = field is not None and getattr(field.annotation, "__origin__", None) is dict
    return table


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in found if model), None)
