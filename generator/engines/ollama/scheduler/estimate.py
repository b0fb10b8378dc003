"""Placement up to 0.12.10: Ollama estimates what a model takes, and deals the layers by that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines.ollama.scheduler.graph import cache_sizes, graph_sizes
from generator.engines.ollama.scheduler.vision import estimated
from generator.fit.layout import by_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.catalogue.facts import Facts
    from generator.engines.ollama.scheduler.best_fit import Cards
    from generator.fit.shape import Load, Shape


def by_estimate(shape: Shape, load: Load, facts: Facts, cards: Cards) -> tuple[int, ...]:
    """Return the layers on each device, the output as one.

    One GPU if the estimate fits, else all of them in turn; from 0.11.5 on as few as it fits. A
    number of layers that is asked for is dealt out in the proportion of the estimate, and whether
    it fits or not, if the estimate has room for any. Sources: pickBestFullFitByLibrary,
    server/sched.go@v0.9.2:762-811, llm/memory.go@v0.11.5; EstimateGPULayers,
    llm/memory.go@v0.9.2:75-290, @v0.12.10; llm/server.go@v0.9.2:138-250.
    """
    deal = Deal(shape, load, facts, cards)
    every = range(len(cards.free))
    wanted = shape.layers + 1 if cards.layers is None else min(cards.layers, shape.layers + 1)
    for group in _groups(cards, few=facts.behaves("estimate-for-few")):
        counts = dict(zip(group, deal.counts(group), strict=True))
        if sum(counts.values()) >= wanted:
            break
    else:
        # Where none is enough, the GPUs are taken as they are numbered.
        counts = dict(zip(every, deal.counts(every), strict=True))
    split = [counts.get(device, 0) for device in every]
    return by_share(wanted, split) if cards.layers is not None and any(split) else tuple(split)


def _groups(cards: Cards, *, few: bool) -> list[Sequence[int]]:
    """Return the GPUs to try: one after the other or always one more, and then all of them."""
    order = cards.order
    if cards.spread:
        return [order]
    if few:
        return [order[:number] for number in range(1, len(order) + 1)]
    return [*([device] for device in order), order]


class Deal:
    """The layers of a model, dealt out to GPUs in turn as long as there is room for them."""

    def __init__(self, shape: Shape, load: Load, facts: Facts, cards: Cards) -> None:
        cache = cache_sizes(shape, load, facts)
        self._sizes = [w + kv for w, kv in zip(shape.layer_bytes, cache, strict=True)]
        inside = shape.architecture in facts.architectures and (
            facts.architectures[shape.architecture].own_engine
        )
        self._first, more = estimated(shape, facts, inside=inside)
        self._output, self._cards = shape.output_bytes + more, cards
        partial, self._full = graph_sizes(shape, load, facts)
        self._partial = self._full if cards.metal else partial
        self._backwards = facts.behaves("estimate-from-the-end")

    def counts(self, group: Sequence[int]) -> list[int]:
        """Return the layers of each GPU of a group.

        Turn is by the number of the layer; the output, which comes last, by how many are placed.
        """
        graph = max(self._partial, self._full) if len(group) == 1 else self._partial
        fixed = self._cards.kept + graph + self._sizes[0]
        left = [self._cards.free[device] - fixed for device in group]
        open_: list[int] = []
        for i, have in enumerate(left):
            first = 0 if open_ else self._first
            if have >= first + self._sizes[0]:
                left[i] -= first
                open_.append(i)
        counts, numbered = [0] * len(group), list(enumerate(self._sizes))
        for index, size in reversed(numbered) if self._backwards else numbered:
            if self._enough(counts):
                break
            while open_:
                i = open_[index % len(open_)]
                if left[i] > size:
                    left[i] -= size
                    counts[i] += 1
                    break
                open_.remove(i)
        self._deal_output(open_, left, counts)
        return counts

    def _deal_output(self, open_: Sequence[int], left: Sequence[int], counts: list[int]) -> None:
        for turn in range(0 if self._enough(counts) else len(open_), 0, -1):
            i = open_[sum(counts) % turn]
            if left[i] > self._output:
                counts[i] += 1
                return

    def _enough(self, counts: Sequence[int]) -> bool:
        return self._cards.layers is not None and sum(counts) >= self._cards.layers
