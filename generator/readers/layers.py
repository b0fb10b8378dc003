"""Which of several lines for one setting wins, and which of them nobody hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from generator.records import dataclass
from generator.view import Overruled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from generator.view import Place, Variable

Rank: TypeAlias = tuple[int, int]
"""How near a file is to one service, and to the administrator of one host."""
BASE: Rank = (0, 0)
"""Of the file that makes the service: others are laid over it."""


@dataclass(frozen=True, slots=True)
class Said:
    """A setting, and the layer that it is of: the file that says it, or that names its file.

    `apart`: it stands in a file of its own, which the layer names.
    """

    name: str
    value: str
    place: Place
    layer: str
    apart: bool = False


def said(variables: Iterable[tuple[Variable, str]]) -> Iterator[Said]:
    """Yield variables as settings, each beside the file that brings it; some have no value yet."""
    for variable, by in variables:
        if not variable.unresolved:
            apart = variable.place.file != by
            yield Said(variable.name, variable.value, variable.place, by, apart)


def overruled(found: Iterable[Said], ranks: Mapping[str, Rank]) -> tuple[Overruled, ...]:
    """Return the settings that a later one takes the effect of, without those that are meant to.

    A file of a higher rank is there to change what one of a lower rank says.
    """
    every = list(found)
    last = {one.name: one for one in every}
    return tuple(_lost(every, last, ranks))


def _lost(
    every: Sequence[Said], last: Mapping[str, Said], ranks: Mapping[str, Rank]
) -> Iterator[Overruled]:
    for one in every:
        winner = last[one.name]
        low, high = ranks.get(one.layer, BASE), ranks.get(winner.layer, BASE)
        above = low != high and all(a <= b for a, b in zip(low, high, strict=True))
        if winner.value == one.value or above:
            continue
        apart = (one.apart or winner.apart) and one.place.file != winner.place.file
        yield Overruled(
            name=one.name,
            value=one.value,
            place=one.place,
            winner=winner.value,
            by=winner.place,
            usual=apart and low == high,
        )
