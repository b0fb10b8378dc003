"""Names that are written almost right."""

from __future__ import annotations

import functools
import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.view import View

_NEAR: Final = 0.85
_CERTAIN: Final = 0.9
VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""The name of an environment variable: no directive has an underscore."""


def nearest(name: str, names: Iterable[str]) -> tuple[str, bool]:
    """Return the name that was meant, and whether that is certain; case alone is."""
    return _nearest(name, frozenset(names))


@functools.lru_cache(maxsize=1024)
def _nearest(name: str, names: frozenset[str]) -> tuple[str, bool]:
    best, ratio = "", _NEAR
    if len(name) > 2 * max(map(len, names), default=0):
        return best, False
    matcher = SequenceMatcher()
    matcher.set_seq2(name.casefold())
    for other in sorted(names):
        matcher.set_seq1(other.casefold())
        near = matcher.real_quick_ratio() >= ratio and matcher.quick_ratio() >= ratio
        if near and (found := matcher.ratio()) > ratio:
            best, ratio = other, found
    return best, ratio >= _CERTAIN


def own_key(view: View, name: str) -> bool:
    """Return whether a key is one that anybody may add, or a variable in its place (HW520)."""
    bare = view.phrases.headers and VARIABLE.fullmatch(name)
    return bool(bare) or re.fullmatch(view.phrases.own_keys, name) is not None
