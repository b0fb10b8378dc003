"""Context × slots: what fits of both together, and the line where a model falls off the card."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from generator.fit.kv import CELLS
from generator.fit.verdict import FAR_CONTEXT, holds, judge
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.fit.ask import Ask
    from generator.fit.host import Host
    from generator.fit.shape import Shape
    from generator.fit.verdict import ModelFit

LEAST: Final = 2048
MOST_CONTEXTS: Final = 8
SLOTS: Final = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """The verdicts for each number of slots, and within it for each context, in tokens.

    `edges` are the largest contexts that fit, of whole cache blocks, one for each number of slots;
    0: none does.
    """

    contexts: tuple[int, ...]
    slots: tuple[int, ...]
    rows: tuple[tuple[ModelFit, ...], ...]
    edges: tuple[int, ...]


def plane_of(fit: ModelFit, ask: Ask, host: Host) -> Plane:
    """Return the plane around a verdict, whose own context and slots are a place in it.

    It takes at most 9 × 7 verdicts, and 20 questions for each edge.
    """
    ask = ask.granted(fit.shape.name)
    slots = (1,) if ask.facts.one_slot(fit.shape.name) else _with(SLOTS, fit.load.slots)
    contexts = _contexts(fit)
    rows = tuple(
        tuple(_at(fit.shape, ask, host, context, count) for context in contexts) for count in slots
    )
    edges = tuple(
        fit.largest_context if count == fit.load.slots else _edge(fit.shape, ask, host, row, count)
        for row, count in zip(rows, slots, strict=True)
    )
    return Plane(contexts=contexts, slots=slots, rows=rows, edges=edges)


def _contexts(fit: ModelFit) -> tuple[int, ...]:
    """Return contexts up to the trained one, each twice the one before, or four times."""
    limit = max(fit.shape.context or FAR_CONTEXT, 1)
    for factor in (2, 4, 8):
        found = [limit]
        while found[-1] // factor >= LEAST:
            found.append(found[-1] // factor)
        if len(found) <= MOST_CONTEXTS:
            break
    return _with(found[:MOST_CONTEXTS], min(fit.load.context, limit))


def _with(numbers: Sequence[int], own: int) -> tuple[int, ...]:
    return tuple(sorted({*numbers, own}))


def _at(shape: Shape, ask: Ask, host: Host, context: int, slots: int) -> ModelFit:
    return judge(shape, replace(ask, context=context, slots=slots), host, search=False)


def _edge(shape: Shape, ask: Ask, host: Host, row: Sequence[ModelFit], slots: int) -> int:
    """Return the largest context that fits, looked for between the last that does and the next."""
    fitting = [fit.word != "does not fit" for fit in row]
    if fitting[-1]:
        return row[-1].load.context
    steps = [pair for pair, ok in zip(pairwise(row), fitting, strict=False) if ok]
    low, high = (fit.load.context for fit in steps[-1]) if steps else (0, row[0].load.context)
    low, high = low // CELLS, -(-high // CELLS)
    while high - low > 1:
        middle = (low + high) // 2
        if holds(shape, replace(ask, context=middle * CELLS, slots=slots), host):
            low = middle
        else:
            high = middle
    return low * CELLS
