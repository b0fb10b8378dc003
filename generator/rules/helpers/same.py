"""What several rules want to know of one View, worked out once."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.view import View

_Answer = TypeVar("_Answer")
_More = ParamSpec("_More")
_ANSWERS: Final = "_answers"
NOTED: Final = "_noted"
"""What a View that notes which of its fields are read has noted."""


def once(
    asked: Callable[Concatenate[View, _More], _Answer],
) -> Callable[Concatenate[View, _More], _Answer]:
    """Have a pure function of a View, and of what can be hashed beside it, work once for each.

    The View itself keeps the answers: to compare what is in it would take longer than to ask. Of
    one that notes what is read an answer that is kept has read the same again.
    """

    @functools.wraps(asked)
    def answer(view: View, /, *more: _More.args, **named: _More.kwargs) -> _Answer:
        kept: dict[object, tuple[_Answer, frozenset[str]]] = vars(view).setdefault(_ANSWERS, {})
        key = (asked, *more, *named.items()) if more or named else asked
        if key not in kept:
            kept[key] = _noting(functools.partial(asked, view, *more, **named), view)
        found, reads = kept[key]
        if reads:
            vars(view)[NOTED].update(reads)
        return found

    return answer


def _noting(work: Callable[[], _Answer], view: View) -> tuple[_Answer, frozenset[str]]:
    noted: set[str] | None = vars(view).get(NOTED)
    if noted is None:
        return work(), frozenset()
    before = frozenset(noted)
    noted.clear()
    found, reads = work(), frozenset(noted)
    noted |= before
    return found, reads
