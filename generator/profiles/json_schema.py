"""The JSON Schemas of profiles and fleet files, for editors and for the reference pages."""

from __future__ import annotations

import ast
import inspect
import itertools
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PROFILE: Final = "generator.profiles.schema:Profile"
FLEET: Final = "generator.fleet.schema:Fleet"


def json_schema(of: str = PROFILE) -> dict[str, Any]:
    """Return the JSON Schema of a kind of file (draft 2020-12), with the field docstrings."""
    home, _, name = of.partition(":")
    module = import_module(home)
    schema: dict[str, Any] = getattr(module, name).model_json_schema()
    tables = {name: schema, **schema["$defs"]}
    for table, key, description in _field_docstrings(module):
        if key in tables.get(table, {}).get("properties", {}):
            tables[table]["properties"][key]["description"] = description
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _field_docstrings(module: ModuleType) -> Iterator[tuple[str, str, str]]:
    # pydantic can read these too (use_attribute_docstrings), but then does so on every start.
    tree = ast.parse(inspect.getsource(module))
    for table in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        for field, text in itertools.pairwise(table.body):
            match (field, text):
                case (
                    ast.AnnAssign(target=ast.Name(id=key)),
                    ast.Expr(value=ast.Constant(value=str(description))),
                ):
                    yield table.name, key, inspect.cleandoc(description)
