"""The JSON Schemas of what `--json` prints, from the types that the commands are written with."""

from __future__ import annotations

import dataclasses
import inspect
import types
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from generator.cli import documents
from generator.formats.data import to_json
from generator.plan import SCHEMA_VERSION, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]
DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
PRINTED: Final[Mapping[str, tuple[type, ...]]] = {
    "check": (documents.Checked,),
    "detect": (documents.Detection,),
    "error": (documents.Failure,),
    "explain": (documents.Pages, documents.Names),
    "fit": (documents.Fit,),
    "fleet": (documents.Hosts, documents.Changes, documents.Files),
    "list": (documents.Profiles,),
    "plan": (Plan,),
    "render": (documents.Files, documents.Changes),
    "show": (documents.Settings,),
}
"""By command, or `error` for all, what it may print."""
_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}


def files() -> dict[str, str]:
    """Return the schemas by their path in the repository."""
    return {f"docs/schemas/{name}.json": to_json(schema(name)) for name in PRINTED}


def schema(name: str) -> Schema:
    """Return the schema of what a command prints."""
    definitions: dict[str, Schema] = {}
    roots = [_of(record, definitions) for record in PRINTED[name]]
    version = {"schema_version": {"const": SCHEMA_VERSION if name == "plan" else 1}}
    for record in PRINTED[name]:
        definition = definitions[record.__name__]
        definition["properties"] = version | definition["properties"] | version
        definition["required"] = [*dict.fromkeys([*version, *definition["required"]])]
    body = roots[0] if len(roots) == 1 else {"anyOf": roots}
    title = "Any command that fails" if name == "error" else f"gen {name}"
    return {"$schema": DRAFT, "title": f"{title}, with --json", **body, "$defs": definitions}


def _of(kind: Any, definitions: dict[str, Schema]) -> Schema:  # noqa: ANN401 -- one per kind
    if kind in _PLAIN:
        return _PLAIN[kind]
    if dataclasses.is_dataclass(kind) or is_typeddict(kind):
        return _record(kind, definitions)
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"const": args[0]} if len(args) == 1 else {"enum": list(args)}
    parts = [_of(arg, definitions) for arg in args if arg is not ...]
    if origin in {Union, types.UnionType}:
        return {"anyOf": parts}
    if origin in {list, tuple} and len(parts) == 1:
        return {"type": "array", "items": parts[0]}
    if origin is dict:
        return {"type": "object", "additionalProperties": parts[1]}
    raise TypeError(f"no JSON Schema for {kind}")


def _record(kind: type, definitions: dict[str, Schema]) -> Schema:
    """Return a reference to the definition of a record, every key of which is always there."""
    name = kind.__name__
    if name not in definitions:
        definitions[name] = {}  # A record may hold itself.
        hints = get_type_hints(kind)
        required = getattr(kind, "__required_keys__", hints)
        definitions[name] |= {
            "type": "object",
            "description": " ".join((inspect.getdoc(kind) or "").split()),
            "properties": {key: _of(hint, definitions) for key, hint in hints.items()},
            "required": [key for key in hints if key in required],
        }
    return {"$ref": f"#/$defs/{name}"}
