"""The Catalogue as checked JSON, made of `data/*.toml` when the data change, not at a start.

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
from collections import Counter
from collections.abc import Callable, Iterator, Mapping  # noqa: TC003 -- asked at run time
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

from generator.catalogue import (
    cards,
    clients,
    hardware,
    models,
    nixos,
    quantise,
    records,
    speed,
    tensors,
)
from generator.errors import CatalogueError
from generator.units import Release, parse_size

DATA: Final = Path(__file__).parent / "data"
# What each file may hold beside `meta`: arrays of records, single records, and plain mappings.
FILES: Final[Mapping[str, Mapping[str, Any]]] = {
    "accepts.toml": {
        "accepts": dict[str, dict[str, str]],
        "ignored": dict[str, dict[str, str]],
        "mistaken": dict[str, dict[str, str]],
        "needs": dict[str, dict[str, str]],
        "words": dict[str, dict[str, str]],
    },
    "architectures.toml": {
        "keeps": tuple[models.Keeps, ...],
        "computes": tuple[models.Computes, ...],
    },
    "behaviour.toml": {
        "behaviour": tuple[records.Behaviour, ...],
        "context_tier": tuple[models.ContextTier, ...],
    },
    "around.toml": {"setting": tuple[records.SettingFact, ...]},
    "builds.toml": {
        "recipe": records.Recipe,
        "blas": tuple[records.BlasFact, ...],
        "march": tuple[records.MarchFact, ...],
    },
    "cache.toml": {
        "cache_program": tuple[records.CacheProgram, ...],
        "litellm_key": tuple[records.LitellmKey, ...],
    },
    "cards.toml": {"card": tuple[cards.Card, ...]},
    "charts.toml": {
        "chart": tuple[records.ChartFact, ...],
        "kserve": records.KserveFact,
    },
    "clients.toml": {"client": tuple[clients.ClientFact, ...]},
    "commands.toml": {
        "command": tuple[records.CommandFact, ...],
        "no_command": tuple[records.NoCommand, ...],
        "routes": records.Routes,
    },
    "faults.toml": {"log_fault": tuple[records.LogFault, ...]},
    "fronts.toml": {"front": tuple[records.FrontFact, ...]},
    "gpus.toml": {
        "library": tuple[hardware.Library, ...],
        "gpu": tuple[hardware.GpuGeneration, ...],
        "workspace": tuple[hardware.WorkspaceFact, ...],
        "docker_driver": tuple[hardware.DockerDriver, ...],
    },
    "hardware.toml": {
        "core": tuple[hardware.Core, ...],
        "radeon": tuple[hardware.Radeon, ...],
        "hypervisor": tuple[hardware.Hypervisor, ...],
    },
    "images.toml": {"image": records.Image},
    "keys.toml": {
        "spelling": tuple[records.Spelling, ...],
        "key": tuple[records.KeyFact, ...],
    },
    "library.toml": {"listed": tuple[models.LibraryEntry, ...]},
    "limits.toml": {"limit": tuple[records.LimitFact, ...]},
    "models.toml": {
        "model": tuple[models.ModelFact, ...],
        "missing": tuple[models.MissingModel, ...],
        "architecture": tuple[models.Architecture, ...],
        "context_floor": tuple[models.ContextFloor, ...],
        "one_slot": tuple[models.OneSlot, ...],
    },
    "nixos.toml": {
        "channel": tuple[nixos.Channel, ...],
        "module_option": tuple[nixos.ModuleOption, ...],
        "module_variable": tuple[nixos.ModuleVariable, ...],
        "module_unit": dict[str, str],
        "module_guess": dict[str, str],
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
        "llama_cpp": dict[str, str],
        "era": tuple[records.Era, ...],
    },
    "speed.toml": {
        "efficiency": tuple[speed.Efficiency, ...],
        "processor": tuple[speed.Processor, ...],
        "storage": tuple[speed.Storage, ...],
    },
    "topics.toml": {"topic": tuple[records.TopicFact, ...]},
    "runner.toml": {"runner_reading": tuple[records.RunnerReading, ...]},
    "secrets.toml": {
        "secret": records.SecretNames,
        "credential": tuple[records.CredentialFact, ...],
    },
    "systemd.toml": {
        "directives": tuple[records.Directives, ...],
        "expiring": tuple[records.Expiring, ...],
        "taken": tuple[records.Taken, ...],
    },
    "tensors.toml": {"anatomy": tuple[tensors.Anatomy, ...]},
    "vllm.toml": {"other_engine": tuple[records.OtherEngine, ...]},
}
# Tables with a JSON of their own, beside `catalogue.json`: read when one of them is asked for, so
# that they cost a start nothing.
APART: Final[Mapping[str, tuple[str, ...]]] = {
    "cards.json": ("card",),
    "models.json": ("model", "missing", "keeps", "computes"),
    "speed.json": ("efficiency", "processor", "storage"),
    "library.json": ("listed",),
    "faults.json": ("log_fault",),
    "clients.json": ("client",),
    "cache.json": ("cache_program", "litellm_key"),
    "engines.json": ("other_engine",),
    "around.json": ("setting", "topic"),
}
# What only the build asks for.
UNUSED: Final = frozenset({"anatomy"})
# Names that may be there once, alone or together with others.
ONCE: Final = (
    ("architecture.name",),
    ("behaviour.id",),
    ("blas.name",),
    ("docker_driver.name",),
    ("cache_program.name",),
    ("card.name", "card.aliases"),
    ("card.pci",),
    ("chart.engine",),
    ("client.name",),
    ("front.name",),
    ("computes.how",),
    ("command.names", "no_command.names"),
    ("credential.name",),
    ("channel.name",),
    ("gpu.capabilities",),
    ("keeps.names",),
    ("key.name", "spelling.target"),
    ("limit.name",),
    ("march.name",),
    ("listed.name",),
    ("litellm_key.name",),
    ("model.names", "missing.name"),
    ("module_option.name",),
    ("one_slot.names",),
    ("other_engine.name",),
    ("option.name",),
    ("quantisation.name",),
    ("processor.name",),
    ("radeon.targets",),
    ("workspace.library",),
    ("runner_reading.names",),
    ("setting.name",),
    ("topic.name", "topic.also"),
    ("taken.names",),
    ("storage.kind",),
    ("variable.name", "dead.names"),
)
# Names of something else in the same file, and where it has them.
LISTED: Final = (
    ("dead.legacy", "dead.names"),
    ("fallback", "blocks"),
    ("fallback.values", "blocks"),
    ("gpu.nixpkgs_lacks", "gpu.capabilities"),
    ("model.like", "model.names"),
    ("model.superseded", "model.names"),
    ("module_guess.values", "module_option.name"),
    ("module_option.renamed", "module_option.name"),
    ("module_variable.options", "module_option.name"),
    ("quantisation.embedding", "blocks"),
    ("quantisation.output", "blocks"),
)


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
    check: Any = model_validator(mode="after")(_coherent)
    return create_model(
        kind.__name__, __config__=_CONFIG, __validators__={"coherent": check}, **form
    )


def _coherent(table: Any) -> Any:  # noqa: ANN401 -- any of the records
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
        _coherent_shape(table)
    return table


def _coherent_shape(model: Any) -> None:  # noqa: ANN401 -- the model of a ModelFact
    """Refuse a shape that says half of what it needs."""
    name, pattern = model.names[0], model.pattern
    if strange := set(pattern) - set(models.KINDS):
        raise ValueError(f"`{name}` has `{min(strange)}` in its pattern, which is none of AWRH-")
    local = "W" in pattern if pattern else bool(model.window_every)
    if bool(model.window) != local:
        raise ValueError(f"`{name}` needs both window and window_every, or a pattern with W")
    if pattern and model.window_every:
        raise ValueError(f"`{name}` has a pattern, which says more than window_every")
    recurrent = bool({*pattern} & {*"RH"})
    if recurrent != bool(model.ssm_inner_size or model.shortconv_l_cache or model.wkv_head_size
                         or model.kda_head_dim):  # fmt: skip
        raise ValueError(f"`{name}` needs both recurrent layers and what their state follows from")
    if bool(model.kv_lora_rank) != bool(model.rope_dimension):
        raise ValueError(f"`{name}` needs both kv_lora_rank and rope_dimension")
    if bool(model.dense_layers) and not (model.experts and model.dense_feed_forward):
        raise ValueError(f"`{name}` has dense_layers, but no experts or dense_feed_forward")


def _coherent_file(file: Any) -> None:  # noqa: ANN401 -- a model that is made of FILES
    """Refuse a name that is there twice, and one that names nothing."""
    for paths in ONCE:
        counted = Counter(chain.from_iterable(_names(file, path) for path in paths))
        if twice := next((name for name, count in counted.items() if count > 1), ""):
            raise ValueError(f"`{twice}` is listed twice")
    for path, known in LISTED:
        if strange := {*_names(file, path)} - {*_names(file, known)}:
            raise ValueError(f"`{min(strange)}` is not listed")
    if lines := getattr(file, "lines", None):
        last = max(Release.parse(f"{line}.{max(patches)}") for line, patches in lines.items())
        if file.newest != last:
            raise ValueError(f"newest is {file.newest}, but {last} is the last one listed")


def _names(file: object, path: str) -> Iterator[str]:
    """Yield what a field of a table has in its records; of a mapping, its keys or its values."""
    table, _, field = path.partition(".")
    rows = getattr(file, table, ())
    if isinstance(rows, dict):
        yield from rows.values() if field else rows
        return
    for found in (getattr(row, field) for row in rows):
        for name in filter(None, found if isinstance(found, tuple) else (found,)):
            yield cards.card_key(name) if path in {"card.name", "card.aliases"} else name


@functools.cache
def _file(name: str) -> type[BaseModel]:
    form: dict[str, Any] = {key: (_strict(kind), ...) for key, kind in FILES[name].items()}
    return create_model(name, __config__=_CONFIG, meta=(_Meta, ...), **form)


def read() -> dict[str, str]:
    """Return the texts of the data files by name."""
    return {name: (DATA / name).read_text(encoding="utf-8") for name in FILES}


def build(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the tables of all files, fit for JSON. Raises CatalogueError with file and key."""
    tables: dict[str, Any] = {}
    for name in FILES:
        file = parsed(name, texts[name])
        tables |= file.model_dump(mode="json", exclude={"meta"}, exclude_unset=True)
    _derive(tables)
    return {name: table for name, table in tables.items() if name not in UNUSED}


def _derive(tables: Mapping[str, Any]) -> None:
    """Give models the sizes and the number of weights that follow from their tensors."""
    bodies = {name: one for one in tables["anatomy"] for name in one["architectures"]}
    rows = sorted(tables["model"], key=lambda table: "like" in table)
    for table, whole in zip(rows, models.whole(rows), strict=True):
        model = records.record(models.ModelFact, whole)
        body = bodies.get(model.architecture)
        if body and not ("derived" in whole and models.SAME_SIZE.issuperset(table)):
            anatomy = records.record(tensors.Anatomy, body)
            table.update(quantise.derived(model, anatomy, tables["blocks"], tables["fallback"]))
        if not {**whole, **table}.get("derived", {}).get(model.quantisation) and (
            model.quantisation not in model.weights
        ):
            name = model.names[0]
            raise CatalogueError(f"data/models.toml: no size of {name} at {model.quantisation}")


def files(tables: Mapping[str, Any]) -> dict[str, str]:
    """Return the JSON files by name; the first says in which of the others a table is."""
    apart = {table: name for name, inside in APART.items() for table in inside}
    first = {"apart": apart} | {name: tables[name] for name in tables if name not in apart}
    others = {name: {table: tables[table] for table in inside} for name, inside in APART.items()}
    return {name: text(inside) for name, inside in ({"catalogue.json": first} | others).items()}


def text(tables: Mapping[str, Any]) -> str:
    """Return the JSON: a record on each line, so that a diff shows what has changed."""
    to_json = functools.partial(json.dumps, ensure_ascii=False, separators=(",", ":"))
    parts = []
    for name, table in tables.items():
        many = isinstance(table, list)
        shown = "[\n" + ",\n".join(map(to_json, table)) + "\n]" if many else to_json(table)
        parts.append(f"{to_json(name)}:{shown}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def parsed(name: str, source: str) -> BaseModel:
    """Return the tables of one file. Raises CatalogueError as `build`."""
    try:
        data = tomllib.loads(source)
        file = _file(name).model_validate(data)
        _coherent_file(file)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = _key_path(data, first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise CatalogueError(f"data/{name}: {where}{message}") from error
    except ValueError as error:
        raise CatalogueError(f"data/{name}: {error}") from error
    return file


def _key_path(node: object, location: tuple[int | str, ...]) -> str:
    """Return `variable.OLLAMA_HOST.kind: `: people look for the name, not for the place."""
    parts = []
    for key in location:
        if isinstance(node, list) and isinstance(key, int):
            node = node[key]
        else:
            node = node.get(key) if isinstance(node, dict) else None
        known = node if isinstance(key, int) and isinstance(node, dict) else {}
        label = known.get("name") or known.get("id") or known.get("names")
        parts.append(str(label or node) if isinstance(key, int) else key)
    return f"{'.'.join(parts)}: " if parts else ""
