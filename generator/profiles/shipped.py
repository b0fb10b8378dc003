"""What is shipped: profiles, and the JSON Schema of what they hold."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Final

from generator.errors import CatalogueError

_PACKAGE: Final = Path(__file__).parent.parent
_SCHEMA: Final = "profiles/profile.schema.json"


@functools.cache
def shipped_profiles() -> tuple[Path, ...]:
    """Return the paths of the shipped profiles, by name."""
    return tuple(sorted(_folder().glob("profiles/*.toml")))


@functools.cache
def profile_schema() -> dict[str, Any]:
    """Return the schema that lies beside the profiles: asking pydantic for it takes far longer.

    Raises CatalogueError where it is not there.
    """
    try:
        schema: dict[str, Any] = json.loads((_folder() / _SCHEMA).read_bytes())
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{_SCHEMA}: {error}", hint="install Hostwright again") from error
    return schema


def _folder() -> Path:
    packaged = _PACKAGE / "shipped"
    return packaged if packaged.is_dir() else _PACKAGE.parent
