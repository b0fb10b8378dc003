"""JSON and TOML for data that programs read back; key order is kept."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from generator.errors import RenderError
from generator.formats.text import refuse_surrogates

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_json(obj: object) -> str:
    """Return `obj` as JSON, two spaces deep, Unicode as it is, with a final newline.

    A record, which is a dataclass, becomes an object. Raises RenderError for infinities and NaN,
    which JSON does not have, and for surrogates.
    """
    try:
        text = json.dumps(
            obj, indent=2, ensure_ascii=False, allow_nan=False, default=dataclasses.asdict
        )
    except ValueError as error:
        raise RenderError(f"JSON cannot carry this: {error}") from error
    return refuse_surrogates(text, "a JSON string") + "\n"


def to_toml(obj: Mapping[str, object]) -> str:
    """Return `obj` as TOML with a final newline. Raises RenderError for surrogates."""
    import tomli_w

    text = tomli_w.dumps(obj).rstrip("\n")
    return refuse_surrogates(text, "a TOML string") + "\n"
