"""Functions of a shell script that run the command which they are given: `run docker …`."""

from __future__ import annotations

import re
from typing import Final

_FUNCTION: Final = re.compile(
    r"(?m)^[ \t]*(?:function[ \t]+)?([A-Za-z_][\w-]*)[ \t]*\(\)[ \t]*\n?[ \t]*"
    r"\{((?:(?!\n\}|\}[ \t]*$).|\n(?!\})){0,600})"
)
_RUNS: Final = re.compile(
    r"(?:^|[\n;&|!{]|\b(?:then|else|do|if|exec|eval|sudo|time)\b)[ \t]*\"?\$@\"?"
)


def handing_on(text: str) -> frozenset[str]:
    """Return the functions whose words are a command that they run, told or counted besides."""
    if "$@" not in text:
        return frozenset()
    return frozenset(name for name, body in _FUNCTION.findall(text) if _RUNS.search(body))
