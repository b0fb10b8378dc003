"""`--set key.path=value`: what a flag may say, how its value is read, and where it goes."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

from generator.errors import Problem, shortened
from generator.profiles.shipped import profile_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_POSITION: Final = 9


def refused(flag: str, path: tuple[str, ...]) -> Problem | None:
    """Say why `flag` is no setting, or none that a flag can make."""
    shown = f"`{shortened(flag)}`"
    if any("\ud800" <= character <= "\udfff" for character in flag):
        return Problem(shown, "this is not UTF-8", "write it in UTF-8")
    if "=" not in flag or not all(path):
        return Problem(shown, "not a setting", "write `--set key.path=value`")
    if path[0] == "extends":
        return Problem(
            "extends",
            "is read before this flag applies",
            "write it in the profile, or name that profile instead",
        )
    return None


def assign(data: dict[str, Any], path: tuple[str, ...], value: object) -> bool:
    """Put `value` at `path`, making tables on the way; False where the way leads through none."""
    *parents, last = path
    table: Any = data
    for key in parents:
        if isinstance(table, dict):
            table = table.setdefault(key, {})
        else:
            table = table[int(key)] if _is_position(table, key) else None
    if not isinstance(table, dict) and not _is_position(table, last):
        return False
    table[last if isinstance(table, dict) else int(last)] = value
    return True


def _is_position(table: object, key: str) -> bool:
    return (
        isinstance(table, list)
        and key.isdecimal()
        and len(key) <= _MAX_POSITION
        and int(key) < len(table)
    )


def _is_text(path: tuple[str, ...]) -> bool:
    """Whether the key takes text alone, or any text, so that `535` is no number there."""
    schema = profile_schema()
    field: Mapping[str, Any] = schema
    for step in path:
        inner = field.get("properties", {}).get(step)
        inner = inner or field.get("items") or field.get("additionalProperties") or {}
        choices = [each for each in inner.get("anyOf", [inner]) if each.get("type") != "null"]
        field = choices[0] if len(choices) == 1 else {}
        field = schema["$defs"].get(field.get("$ref", "").rpartition("/")[2], field)
    kinds = field.get("type", ())
    return kinds == "string" or ("string" in kinds and "pattern" not in field)


def flag_value(text: str, path: tuple[str, ...]) -> object:
    """Read `text` as a TOML value, or as a bare string where it is none (`800%`, `cuda`).

    A key that takes text only has everything but a quoted TOML string as it stands. Returns a
    Problem for text that holds more keys than one.
    """
    try:
        keys = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    if len(keys) > 1:
        return Problem("", "holds more than one key", "give each key a `--set` of its own")
    value = keys["value"]
    return text if _is_text(path) and not isinstance(value, str) else value
