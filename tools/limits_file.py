"""`modules/limits.json`: the options `hostwright.resources.*`, from the keys of a profile.

Each has the directive that it is in a unit, what the profile's reference says of the key, and an
example.
"""

from __future__ import annotations

import re
from typing import Final

from generator.formats.data import to_json
from generator.profiles.json_schema import PROFILE, json_schema
from generator.readers.systemd.limits import DIRECTIVES

EXAMPLES: Final = {
    "allowed_cpus": "0-11",
    "cpu_quota": "2000%",
    "cpu_weight": 200,
    "io_weight": 200,
    "limit_memlock": "infinity",
    "memory_high": "18G",
    "memory_max": "20G",
    "memory_swap_max": 0,
    "nice": 5,
    "numa_mask": "0",
    "numa_policy": "interleave",
    "oom_score_adjust": 500,
    "tasks_max": 4096,
}
# An option without a value has the profile's.
_LEFT_OUT: Final = re.compile(r"[;.] [Ll]eft out:.*")


def files() -> dict[str, str]:
    """Return the file by its path, options in alphabetical order."""
    keys = json_schema(PROFILE)["$defs"]["Resources"]["properties"]
    options = {
        _option(name): _limit(name, directive, keys[name]["description"])
        for directive, (name, _) in DIRECTIVES.items()
    }
    return {"modules/limits.json": to_json(dict(sorted(options.items())))}


def _option(key: str) -> str:
    """Return the name of the option: the key, as options of NixOS are written."""
    first, *others = key.split("_")
    return first + "".join(word.capitalize() for word in others)


def _limit(name: str, directive: str, described: str) -> dict[str, object]:
    description = _LEFT_OUT.sub(".", described)
    return {"directive": directive, "description": description, "example": EXAMPLES[name]}
