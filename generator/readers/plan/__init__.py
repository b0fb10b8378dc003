"""Plans, as `gen plan` prints them, and what profiles call things: it is they that are mended."""

from __future__ import annotations

import json
import re
from typing import Final

from generator.readers.signs import Signs
from generator.view import Phrases

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
    holds=is_plan,
    hinted=_VERSION,
    ours=lambda _: True,
)
