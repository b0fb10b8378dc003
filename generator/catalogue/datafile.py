"""One file of facts: its form, and an error that names file and key where it is broken."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from generator.catalogue.tables import Fact, Meta
from generator.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class DataFile(Fact):
    """What every file of facts has: when it was last checked."""

    meta: Meta


_F = TypeVar("_F", bound=DataFile)


def once(names: Iterable[str]) -> None:
    """Refuse a name that is listed twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"`{name}` is listed twice")
        seen.add(name)


def listed(names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that is not among those known."""
    if strange := set(names) - set(known):
        raise ValueError(f"`{min(strange)}` is not listed")


def parse(model: type[_F], file: str, texts: Mapping[str, str]) -> _F:
    """Return the facts of one file. Raises CatalogueError that names file and key."""
    try:
        data = tomllib.loads(texts[file])
        return model.model_validate(data)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"data/{file}: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = _key_path(data, first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise CatalogueError(f"data/{file}: {where}{message}") from error


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
