"""`--set key.path=value`: what a flag may say, how its value is read, and where it goes."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, Final

from generator.errors import Problem, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_POSITION: Final = 9
# By table, the keys that take text and nothing else, so that `535`, `0.30` and `0x1f` are no
# numbers there; `*` is any key. Listed, as asking the Profile costs pydantic on every start.
TEXT_KEYS: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"name", "description"}),
    "host": frozenset({"system", "driver"}),
    "host.cpu": frozenset({"model"}),
    "host.cpu.features": frozenset({"*"}),
    "host.gpus.*": frozenset({"name", "compute_capability", "uuid"}),
    "ollama": frozenset(
        {"version", "acceleration", "host", "models_dir", "kv_cache_type", "llm_library"}
    ),
    "ollama.origins": frozenset({"*"}),
    "ollama.env": frozenset({"*"}),
    "resources": frozenset({"cpu_quota", "allowed_cpus", "numa_policy", "numa_mask"}),
    "gpu": frozenset({"device_order"}),
    "models.*": frozenset({"name", "role", "serve_as"}),
    "service": frozenset({"binary", "user", "group", "home", "restart"}),
    "container": frozenset({"image", "tag", "name", "volume", "network", "restart"}),
    "check.ignore.*": frozenset({"rule", "reason"}),
}


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


def _child(table: Any, key: str) -> Any:  # noqa: ANN401 -- it walks TOML
    if isinstance(table, dict):
        return table.setdefault(key, {})
    return table[int(key)] if _is_position(table, key) else None


def assign(data: dict[str, Any], path: tuple[str, ...], value: object) -> bool:
    """Put `value` at `path`, making tables on the way; False where the way leads through none."""
    *parents, last = path
    table: Any = data
    for part in parents:
        table = _child(table, part)
    return _assign(table, last, value)


def _assign(table: Any, key: str, value: object) -> bool:  # noqa: ANN401 -- it walks TOML
    if isinstance(table, dict):
        table[key] = value
        return True
    if _is_position(table, key):
        table[int(key)] = value
        return True
    return False


def _is_position(table: object, key: str) -> bool:
    return (
        isinstance(table, list)
        and key.isdecimal()
        and len(key) <= _MAX_POSITION
        and int(key) < len(table)
    )


def _is_textual(path: tuple[str, ...]) -> bool:
    *tables, key = path
    table = ".".join("*" if step.isdecimal() else step for step in tables)
    return not TEXT_KEYS.get(table, frozenset()).isdisjoint({key, "*"})


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
    return text if _is_textual(path) and not isinstance(value, str) else value
