"""What is alive on a GPU at the same moment, while weights of the host pass through it.

From a batch of 32 tokens on, llama.cpp has a GPU compute the layers of the host, too: it copies
each matrix, and the cache of the layer, into its compute buffer, one after the other. What that
buffer must hold depends on where the allocator finds room, so the allocator is followed: the
tensors of a layer are taken and given back in the order of llama.cpp's graph.

Source: ggml-alloc.c (ggml_dyn_tallocr_alloc, ggml_gallocr_allocate_node), ggml-backend.cpp
(ggml_backend_sched_split_graph) and src/llama-graph.cpp of llama.cpp@b10488; the order is that of
its trace (AT_PRINTF), GGML_OP_OFFLOAD_MIN_BATCH that of ggml-cuda.cu.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import groupby
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.fit.shape import Matrices

LEAST_BATCH: Final = 32
ALIGNMENT: Final = 128
SMALL: Final = 512  # weights of a norm over one head
MOST_LAYERS: Final = 12
ENDLESS: Final = 1 << 62

Block = tuple[int, int]


class Pool:
    """The allocator of one device: the smallest gap that is large enough, else the end."""

    def __init__(self) -> None:
        self.gaps: list[list[int]] = [[0, ENDLESS]]
        self.peak = 0
        self._empty = False  # a gap may have no bytes; until then they are in order and apart

    def take(self, size: int) -> Block:
        """Return where a tensor of so many bytes goes."""
        size = -(-size // ALIGNMENT) * ALIGNMENT
        gaps = self.gaps
        last = best = len(gaps) - 1
        least = ENDLESS
        for number in range(last):
            if size <= gaps[number][1] <= least:  # of several that are as large the last
                best, least = number, gaps[number][1]
        gap = gaps[best]
        start = gap[0]
        gap[0] += size
        gap[1] -= size
        if not gap[1]:
            gaps.remove(gap)
        self.peak = max(self.peak, start + size)
        return start, size

    def give(self, *blocks: Block) -> None:
        """Take tensors back, one after the other, and join gaps that meet."""
        for block in blocks:
            if self._empty or not block[1]:
                self._give_any(block)
                continue
            gaps = self.gaps
            at = bisect_left(gaps, [*block])
            gaps.insert(at, [*block])
            for one in (at + 1, at):
                if 0 < one < len(gaps) and sum(gaps[one - 1]) == gaps[one][0]:
                    gaps[one - 1][1] += gaps.pop(one)[1]

    def _give_any(self, block: Block) -> None:
        """Take back what may have no bytes, among gaps that may have none."""
        joined: list[list[int]] = []
        for start, size in sorted([*map(tuple, self.gaps), block]):
            if joined and sum(joined[-1]) == start:
                joined[-1][1] += size
            else:
                joined.append([start, size])
        self.gaps = joined
        self._empty = any(not size for _, size in joined)

    def pass_through(self, size: int) -> None:
        """Copy a small weight in and drop it: it may leave a gap that nothing else fits."""
        self.give(self.take(size))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The bytes of what a batch makes in one layer, and of what is kept for all of them.

    `residual` is one embedding of each token, `keys` and `values` those of the batch, `answers`
    what attention makes of them; `scores` are 0 with flash attention. `wide` is the feed-forward
    part, of the experts used where there are experts: then `router` has a number for each expert,
    `chosen` one for each used, and `voices` are their answers; `dense` is that of layers without.
    `recurrent` goes through a recurrence, `beside` waits for the layers that use it.
    """

    residual: int
    query: int
    keys: int
    values: int
    answers: int
    scores: int
    mask: int
    wide: int
    dense: int
    shared: int
    router: int
    chosen: int
    voices: int
    positions: int
    recurrent: int
    beside: int
    norm: int
    qk_norm: bool
    gated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A layer of the host: its matrices, and the bytes of its cache of all slots."""

    matrices: Matrices
    key_cache: int
    value_cache: int


def staged_peak(layers: tuple[Staged, ...], stream: Stream) -> int:
    """Return the bytes that a GPU needs to compute these layers of the host one after another."""
    pool = Pool()
    graph = _Graph(pool, stream)
    residual = pool.take(stream.residual)
    pool.take(stream.beside)
    for layer in layers:
        residual = graph.layer(layer, residual)
    return pool.peak


def shortened(layers: Iterable[Staged]) -> tuple[Staged, ...]:
    """Return layers with runs of the same one cut to two: more of them change nothing."""
    found: list[Staged] = []
    for _, run in groupby(layers, key=id):
        found += list(run)[:2]
        if len(found) >= MOST_LAYERS:
            break
    return tuple(found)


class _Graph:
    """Layers of the host on a GPU: every matrix comes and goes with the one use of it."""

    def __init__(self, pool: Pool, stream: Stream) -> None:
        self.pool, self.s = pool, stream
        self.mask = self.positions = False

    def multiply(self, weight: int, size: int, *after: Block) -> Block:
        """Copy a matrix in, take room for what it makes of a batch, and give back what is done."""
        staged = self.pool.take(weight)
        made = self.pool.take(size)
        self.pool.give(staged, *after)
        return made

    def layer(self, layer: Staged, residual: Block) -> Block:
        pool, s, matrices = self.pool, self.s, layer.matrices
        normed = pool.take(s.residual)
        pool.pass_through(s.norm)
        if matrices.recurrent:
            mixed = self._recurrence(matrices, normed)
        else:
            mixed = self._attention(layer, normed)
        pool.give(residual)
        normed = pool.take(s.residual)
        pool.pass_through(s.norm)
        part = self._experts if matrices.router else self._dense
        made = part(matrices, normed)
        pool.give(mixed)
        return made

    def _attention(self, layer: Staged, normed: Block) -> Block:
        pool, s, m = self.pool, self.s, layer.matrices
        query = self._query(m)
        values = self.multiply(m.value, s.values)
        keys = self.multiply(m.key, s.keys, normed)
        if s.qk_norm:
            # Of a reshaped view, and so not in place.
            again = pool.take(s.keys)
            pool.give(keys)
            keys = again
            pool.pass_through(SMALL)
        pool.give(keys, values)  # They go to the host's cache, which then comes here.
        caches = pool.take(layer.key_cache), pool.take(layer.value_cache)
        if not self.mask:
            pool.take(s.mask)
            self.mask = True
        if s.scores:
            scores = pool.take(s.scores)
            pool.give(query, caches[0])
            heads = pool.take(s.answers)
            pool.give(scores, caches[1])
            answers = pool.take(s.answers)
            pool.give(heads)
        else:
            answers = pool.take(s.answers)
            pool.give(query, *caches)
        return self.multiply(m.output, s.residual, answers)

    def _recurrence(self, m: Matrices, normed: Block) -> Block:
        through = self.multiply(max(m.other, m.query), self.s.recurrent, normed)
        made = self.pool.take(self.s.recurrent)
        self.pool.give(through)
        return self.multiply(m.output or m.other, self.s.residual, made)

    def _query(self, m: Matrices) -> Block:
        pool, s = self.pool, self.s
        staged = pool.take(m.query)
        if not (s.qk_norm or self.positions):
            pool.take(s.positions)
            self.positions = True
        query = pool.take(s.query)
        pool.give(staged)
        if s.qk_norm:
            again = pool.take(s.query)
            pool.give(query)
            query = again
            small = pool.take(SMALL)
            if not self.positions:
                pool.take(s.positions)
                self.positions = True
            pool.give(small)
        return query

    def _dense(self, m: Matrices, normed: Block) -> Block:
        pool, wide = self.pool, self.s.dense
        if not self.s.gated:
            made = self.multiply(m.up, wide, normed)
            return self.multiply(m.down, self.s.residual, made)
        if not m.gate:  # both are one matrix
            both = self.multiply(m.up, 2 * wide, normed)
            made = pool.take(wide)
            pool.give(both)
            return self.multiply(m.down, self.s.residual, made)
        gate = self.multiply(m.gate, wide)
        up = self.multiply(m.up, wide, normed)
        made = pool.take(wide)
        pool.give(gate, up)
        return self.multiply(m.down, self.s.residual, made)

    def _experts(self, m: Matrices, normed: Block) -> Block:
        pool, s = self.pool, self.s
        chances = self.multiply(m.router, s.router)
        order = pool.take(s.router)
        weights = pool.take(s.chosen)
        pool.give(chances)
        total = pool.take(s.positions)
        share = pool.take(s.chosen)
        pool.give(weights, total)
        done = () if m.shared_down else (normed,)
        if s.gated:
            gate = self.multiply(m.gate or m.up, s.wide)
            up = self.multiply(m.up, s.wide, *done)
            made = pool.take(s.wide)
            pool.give(gate, up)
        else:
            made = self.multiply(m.up, s.wide, *done)
        voices = self.multiply(m.down, s.voices, made)
        pool.give(order, share)
        answer = pool.take(s.residual)
        pool.give(voices)
        if m.shared_down:
            self._shared(m, normed)
        return answer

    def _shared(self, m: Matrices, normed: Block) -> None:
        pool, s = self.pool, self.s
        gate = self.multiply(m.shared_up, s.shared)
        up = self.multiply(m.shared_up, s.shared, normed)
        made = pool.take(s.shared)
        pool.give(gate, up)
        pool.give(self.multiply(m.shared_down, s.residual, made))
