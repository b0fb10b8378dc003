"""The JSON Schema of profiles, for editors and for the reference page."""

from __future__ import annotations

import ast
import inspect
import itertools
from typing import TYPE_CHECKING, Any

from generator import profile
from generator.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Iterator


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a profile file (draft 2020-12), with the field docstrings."""
    schema = Profile.model_json_schema()
    tables = {Profile.__name__: schema, **schema["$defs"]}
    for table, key, description in _field_docstrings():
        if key in tables.get(table, {}).get("properties", {}):
            tables[table]["properties"][key]["description"] = description
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _field_docstrings() -> Iterator[tuple[str, str, str]]:
    # pydantic can read these too (use_attribute_docstrings), but then does so on every start.
    module = ast.parse(inspect.getsource(profile))
    for table in (node for node in module.body if isinstance(node, ast.ClassDef)):
        for field, text in itertools.pairwise(table.body):
            match (field, text):
                case (
                    ast.AnnAssign(target=ast.Name(id=key)),
                    ast.Expr(value=ast.Constant(value=str(description))),
                ):
                    yield table.name, key, inspect.cleandoc(description)
