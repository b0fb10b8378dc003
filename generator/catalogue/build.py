"""The Catalogue as one checked JSON, made of `data/*.toml` when the data change, not at a start.

Strictness is the point: a misspelt key, an impossible span or a name that is there twice stops the
build before a wrong fact reaches anybody's host. The form of a table is its record's.
"""

from __future__ import annotations

import datetime
import functools
import json
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Mapping  # noqa: TC003 -- asked at run time
from dataclasses import MISSING, fields, is_dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    create_model,
    model_validator,
)

from generator.catalogue import hardware, models, records, surroundings
from generator.errors import CatalogueError
from generator.units import Release, parse_size

DATA: Final = Path(__file__).parent / "data"
# What each file may hold beside `meta`: arrays of records, single records, and plain mappings.
FILES: Final[Mapping[str, Mapping[str, Any]]] = {
    "behaviour.toml": {
        "behaviour": tuple[records.Behaviour, ...],
        "context_tier": tuple[models.ContextTier, ...],
    },
    "gpus.toml": {
        "library": tuple[hardware.Library, ...],
        "gpu": tuple[hardware.GpuGeneration, ...],
        "card": tuple[hardware.Card, ...],
    },
    "hardware.toml": {
        "core": tuple[hardware.Core, ...],
        "radeon": tuple[hardware.Radeon, ...],
        "hypervisor": tuple[hardware.Hypervisor, ...],
    },
    "images.toml": {"image": surroundings.Image},
    "keys.toml": {
        "spelling": tuple[surroundings.Spelling, ...],
        "key": tuple[surroundings.KeyFact, ...],
    },
    "limits.toml": {"limit": tuple[surroundings.LimitFact, ...]},
    "models.toml": {
        "model": tuple[models.ModelFact, ...],
        "missing": tuple[models.MissingModel, ...],
        "architecture": tuple[models.Architecture, ...],
        "one_slot": tuple[models.OneSlot, ...],
    },
    "ollama.toml": {
        "variable": tuple[records.Variable, ...],
        "runner_names": tuple[records.RunnerNames, ...],
        "dead": tuple[records.DeadName, ...],
        "option": tuple[records.Option, ...],
    },
    "quantisations.toml": {
        "quantisation": tuple[models.Quantisation, ...],
        "blocks": dict[str, tuple[int, int]],
        "fallback": dict[str, str],
    },
    "releases.toml": {
        "engine": Annotated[str, "name"],
        "newest": Release,
        "lines": dict[str, tuple[int, ...]],
        "era": tuple[records.Era, ...],
    },
    "systemd.toml": {"directives": tuple[surroundings.Directives, ...]},
}


def _read_by(parse: Callable[[str], object]) -> PlainValidator:
    def convert(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError("must be text in quotes")
        return parse(value)

    return PlainValidator(convert)


_CONFIG: Final = ConfigDict(extra="forbid", str_min_length=1, arbitrary_types_allowed=True)
_RELEASE: Final = Annotated[Release, _read_by(Release.parse), PlainSerializer(str, return_type=str)]
_MARKS: Final[Mapping[str, Any]] = {
    "blank": Annotated[str, Field(min_length=0)],
    "name": Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")],
    "key": Annotated[str, Field(pattern=r"^[a-z]+\.[a-z_]+$")],
    "capability": Annotated[str, Field(pattern=r"^\d+\.\d$")],
    "bytes": Annotated[int, _read_by(parse_size)],
}


class _Meta(BaseModel):
    """When a file was last held against its sources."""

    model_config = _CONFIG
    checked: datetime.date
    source: str = ""


def _strict(kind: Any) -> Any:  # noqa: ANN401 -- a type expression
    """Return the type that holds data to an annotation of a record."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in {tuple, dict}:
        return origin[tuple(a if a is Ellipsis else _strict(a) for a in arguments)]
    if origin in {types.UnionType, typing.Union}:
        return _strict(arguments[0]) | None
    if origin is Annotated:
        return _MARKS[kind.__metadata__[0]]
    if kind is Release:
        return _RELEASE
    return _table(typing.cast("type", kind)) if is_dataclass(kind) else kind


@functools.cache
def _table(kind: type) -> type[BaseModel]:
    """Return the model of a record: its fields without the bound ones, and its coherence."""
    hints = typing.get_type_hints(kind, include_extras=True)
    form: dict[str, Any] = {}
    for field in fields(kind):
        hint = hints[field.name]
        if records.BOUND in getattr(hint, "__metadata__", ()):
            continue
        factory = field.default_factory
        default = field.default if factory is MISSING else factory()
        form[field.name] = (_strict(hint), ... if default is MISSING else default)
    return _model(kind.__name__, _coherent, form)


def _coherent(table: Any) -> None:  # noqa: ANN401 -- any of the records
    """Refuse a table whose parts contradict each other."""
    for end in ("until", "removed"):
        last = getattr(table, end, None)
        if last is not None and last <= table.since:
            raise ValueError(f"{end} {last} is not after since {table.since}")
    if hasattr(table, "defaults"):
        starts = [table.since, *(default.since for default in table.defaults)]
        if any(late < early for early, late in pairwise(starts)):
            raise ValueError("defaults are out of order, or older than since")
    if hasattr(table, "weights"):
        if table.quantisation not in table.weights:
            raise ValueError(f"`{table.names[0]}` has no weights for {table.quantisation}")
        if bool(table.window) != bool(table.window_every):
            raise ValueError(f"`{table.names[0]}` needs both window and window_every")


def _once(names: Iterable[str]) -> None:
    """Refuse a name that is listed twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"`{name}` is listed twice")
        seen.add(name)


def _listed(names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that is not among those known."""
    if strange := set(names) - set(known):
        raise ValueError(f"`{min(strange)}` is not listed")


def _of(tables: Iterable[Any], field: str) -> Iterable[Any]:
    """Return a field of all tables, those with several values flattened."""
    values = [getattr(table, field) for table in tables]
    return chain.from_iterable(values) if values and isinstance(values[0], tuple) else values


def _coherent_gpus(file: Any) -> None:  # noqa: ANN401
    capabilities = [*_of(file.gpu, "capabilities")]
    _once(capabilities)
    _once(hardware.card_key(card.name) for card in file.card)
    _listed(_of(file.card, "compute_capability"), capabilities)
    _listed(_of(file.gpu, "nixpkgs_lacks"), capabilities)


def _coherent_ollama(file: Any) -> None:  # noqa: ANN401
    dead = [*_of(file.dead, "names")]
    _once([*_of(file.variable, "name"), *dead])
    _once(_of(file.option, "name"))
    _listed(_of(file.dead, "legacy"), dead)


def _coherent_models(file: Any) -> None:  # noqa: ANN401
    names = [*_of(file.model, "names")]
    _once([*names, *_of(file.missing, "name")])
    _once(_of(file.one_slot, "names"))
    _once(_of(file.architecture, "name"))
    _listed((model.superseded for model in file.model if model.superseded), names)


def _coherent_quantisations(file: Any) -> None:  # noqa: ANN401
    _once(_of(file.quantisation, "name"))
    kinds = [*_of(file.quantisation, "embedding"), *_of(file.quantisation, "output")]
    _listed([*kinds, *file.fallback, *file.fallback.values()], file.blocks)


def _coherent_releases(file: Any) -> None:  # noqa: ANN401
    last = max(Release.parse(f"{line}.{max(file.lines[line])}") for line in file.lines)
    if file.newest != last:
        raise ValueError(f"newest is {file.newest}, but {last} is the last one listed")


_COHERENT: Final[Mapping[str, Callable[[Any], None]]] = {
    "behaviour.toml": lambda file: _once(_of(file.behaviour, "id")),
    "gpus.toml": _coherent_gpus,
    "hardware.toml": lambda file: _once(_of(file.radeon, "targets")),
    "keys.toml": lambda file: _once([*_of(file.key, "name"), *_of(file.spelling, "target")]),
    "limits.toml": lambda file: _once(_of(file.limit, "name")),
    "models.toml": _coherent_models,
    "ollama.toml": _coherent_ollama,
    "quantisations.toml": _coherent_quantisations,
    "releases.toml": _coherent_releases,
}


@functools.cache
def _file(name: str) -> type[BaseModel]:
    form: dict[str, Any] = {key: (_strict(kind), ...) for key, kind in FILES[name].items()}
    return _model(name, _COHERENT.get(name, lambda _: None), form | {"meta": (_Meta, ...)})


def _model(name: str, check: Callable[[Any], None], form: Mapping[str, Any]) -> type[BaseModel]:
    def checked(self: BaseModel) -> BaseModel:
        check(self)
        return self

    validators: dict[str, Any] = {"coherent": model_validator(mode="after")(checked)}
    return create_model(name, __config__=_CONFIG, __validators__=validators, **form)


def read() -> dict[str, str]:
    """Return the texts of the data files by name."""
    return {name: (DATA / name).read_text(encoding="utf-8") for name in FILES}


def build(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the tables of all files, fit for JSON. Raises CatalogueError with file and key."""
    tables: dict[str, Any] = {}
    for name in FILES:
        file = parsed(name, texts[name])
        tables |= file.model_dump(mode="json", exclude={"meta"}, exclude_unset=True)
    return tables


def text(tables: Mapping[str, Any]) -> str:
    """Return the JSON: a record on each line, so that a diff shows what has changed."""
    parts = (f"{_json(name)}:{_lines(table)}" for name, table in tables.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(table: Any) -> str:  # noqa: ANN401 -- as JSON has it
    if not isinstance(table, list):
        return _json(table)
    return "[\n" + ",\n".join(map(_json, table)) + "\n]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parsed(name: str, source: str) -> BaseModel:
    """Return the tables of one file. Raises CatalogueError as `build`."""
    try:
        data = tomllib.loads(source)
        return _file(name).model_validate(data)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"data/{name}: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = _key_path(data, first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise CatalogueError(f"data/{name}: {where}{message}") from error


def _key_path(node: object, location: tuple[int | str, ...]) -> str:
    """Return `variable.OLLAMA_HOST.kind: `: people look for the name, not for the place."""
    parts = []
    for key in location:
        if isinstance(node, list) and isinstance(key, int):
            node = node[key]
        else:
            node = node.get(key) if isinstance(node, dict) else None
        parts.append(_label(node) if isinstance(key, int) else key)
    return f"{'.'.join(parts)}: " if parts else ""


def _label(node: object) -> str:
    if isinstance(node, dict):
        return str(node.get("name") or node.get("id") or node.get("names") or node)
    return str(node)
