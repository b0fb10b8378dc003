"""Plans, as `gen plan` prints them, and what profiles call things: it is they that are mended."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.readers.signs import Signs
from generator.view import Phrases

if TYPE_CHECKING:
    from generator.readers.base import Source

PROFILE: Final = Phrases(
    kind="profile",
    keyed=True,
    read_by="every output has it, and on NixOS the Nix store, which every user reads",
    keep_in="a file of mode 0600 on the host that `service.environment_files` names",
    of_unit=".*",
    memlock='add `limit_memlock = "infinity"` to [resources]',
)

_VERSION: Final = r"\"schema_version\"\s*:"
_KEYS: Final = frozenset(
    {"name", "description", "source", "summary", "header", "host", "services", "findings"}
)
_ENOUGH: Final = 4
"""So many of these are there in a plan of any version, and in nothing else that is printed."""


_BEGINS: Final = re.compile(r"\s*+\{\s*+\"schema_version\"\s*+:\s*+\d++\s*+,\s*+\"name\"\s*+:")
_NAMED: Final = re.compile(r"(?:.*[._-])?plan\.json")


def _is_broken(text: str) -> bool:
    """Return whether a text begins as a plan does, and is cut off before it can be told for one."""
    if not _BEGINS.match(text):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return True
    return False


def _ours(source: Source) -> bool:
    """Whether a file is a plan, or by its name what is left of one."""
    return is_plan(source.text) or _NAMED.fullmatch(PurePosixPath(source.path).name) is not None


def is_plan(text: str) -> bool:
    """Return whether a text has the keys of a plan, at its top where it can be read at all."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = dict.fromkeys(re.findall(r"\"(\w+)\"\s*:", text))
    return isinstance(data, dict) and len(_KEYS & data.keys()) >= _ENOUGH


SIGNS: Final = Signs(
    maybe=frozenset({".json"}),
    content=_VERSION,
    holds=lambda text: is_plan(text) or _is_broken(text),
    hinted=_VERSION,
    ours=_ours,
)
