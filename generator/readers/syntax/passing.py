"""Containers that a script takes away again: it has started them for itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDS: Final = re.compile(r";;|^\S*\s*\(\)|^\}|^[\w.-]+:(?!=)")
"""What parts a script: a branch, a function, a target of make; another call runs what follows."""
_REMOVES: Final = (
    r"\b(?:docker|podman)\s+(?:container\s+)?rm\s+(?:-\S+\s+)*[\"']?{}[\"']?(?=[\s;&|]|$)"
)


_FAR: Final = 200  # lines


def is_removed(script: Sequence[str], name: str, line: int) -> bool:
    """Return whether the lines of a script remove a container soon below a line, from 0."""
    removes = re.compile(_REMOVES.format(re.escape(name)))
    for text in script[line + 1 : line + _FAR]:
        if _ENDS.search(text):
            return False
        if removes.search(text):
            return not text.lstrip().startswith("#")
    return False
