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
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from generator.fit.shape import Matrices

LEAST_BATCH: Final = 32
ALIGNMENT: Final = 128
FLOAT: Final = 4
SMALL: Final = 512  # weights of a norm over one head
MOST_LAYERS: Final = 12
ENDLESS: Final = 1 << 62

Block = tuple[int, int]
Order = Literal["before", "parallel", "after"]
NOTHING: Final[Block] = (0, 0)


class Pool:
    """The allocator of one device: the smallest gap that is large enough, else the end.

    A tensor of no bytes is none: no graph has one.
    """

    def __init__(self) -> None:
        self.gaps: list[list[int]] = [[0, ENDLESS]]
        self.peak = 0

    def take(self, size: int) -> Block:
        """Return where a tensor of so many bytes goes."""
        if not size:
            return NOTHING
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
        gaps = self.gaps
        for block in blocks:
            if not block[1]:
                continue
            at = bisect_left(gaps, [*block])
            gaps.insert(at, [*block])
            for one in (at + 1, at):
                if 0 < one < len(gaps) and sum(gaps[one - 1]) == gaps[one][0]:
                    gaps[one - 1][1] += gaps.pop(one)[1]

    def again(self, block: Block, size: int) -> Block:
        """Return a tensor that is made of another, which then goes."""
        made = self.take(size)
        self.give(block)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The bytes of what a batch makes in one layer, and of what is kept for all of them.

    `residual` is one embedding of each token, `keys` and `values` those of the batch, `answers`
    what attention makes of them; `scores` are 0 with flash attention. `wide` is the feed-forward
    part, of the experts used where there are experts: then `router` has a number for each expert,
    `chosen` one for each used, and `voices` are their answers; `dense` is that of layers without.
    `recurrent` goes through a recurrence, `beside` waits for the layers that use it, `places` are
    where keys and values of a batch go. `rotations` are the two matrices that keys and values of a
    quantised cache are turned by; 0: they are not. `order` is where a norm is: `before` attention
    and the feed-forward part, one for both in `parallel`, or `after` each. With `weighted`
    experts see tokens that are weighted for them; query, key and value have a bias if `biased`,
    and one matrix if `fused`.
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
    places: int = 0
    rotations: tuple[int, int] = (0, 0)
    order: Order = "before"
    weighted: bool = False
    biased: bool = False
    fused: bool = False


class Staged(NamedTuple):
    """A layer that a GPU computes: its matrices, the bytes of its cache of all slots, and as f16.

    Its weights and cache are brought over from the host, or, if it is `resident`, there already.
    """

    matrices: Matrices
    key_cache: int
    value_cache: int
    unpacked: int = 0
    resident: bool = False


@lru_cache(maxsize=4096)
def staged_peak(layers: tuple[Staged, ...], stream: Stream, logits: int = 0) -> int:
    """Return the bytes that a GPU needs to compute these layers one after another, and logits."""
    pool = Pool()
    graph = _Graph(pool, stream)
    residual = pool.take(stream.residual)
    pool.take(stream.beside)
    if layers[0].resident:  # All that comes in comes at once.
        graph.enter("positions", "places", "keys", "values", "mask")
    for layer in layers[:-1]:
        residual = graph.layer(layer, residual)
    graph.last = logits > 0
    graph.layer(layers[-1], residual)
    pool.take(logits)
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
    """Layers on a GPU: a matrix of the host comes and goes with the one use of it."""

    def __init__(self, pool: Pool, stream: Stream) -> None:
        self.pool, self.s = pool, stream
        self.coming = {
            "positions": stream.positions,
            "places": stream.places,
            "mask": stream.mask,
            "keys": stream.rotations[0],
            "values": stream.rotations[1],
        }
        self.come: dict[str, Block] = {}
        self.resident = self.last = False

    def enter(self, *names: str) -> None:
        """Take room for inputs, each with the first that needs it."""
        for name in names:
            if name in self.coming:
                self.come[name] = self.pool.take(self.coming.pop(name))

    def leave(self, *names: str) -> None:
        """Give inputs back, if no layer after this one needs them."""
        if self.last:
            self.pool.give(*(self.come.pop(name, NOTHING) for name in names))

    def stage(self, size: int) -> Block:
        """Bring a weight over, unless it is there."""
        return NOTHING if self.resident else self.pool.take(size)

    def pass_through(self, size: int) -> None:
        """Bring a small weight over and drop it: it may leave a gap that nothing else fits."""
        self.pool.give(self.stage(size))

    def multiply(self, weight: int, size: int, *after: Block) -> Block:
        """Bring a matrix over, take room for what it makes of a batch, give back what is done."""
        staged = self.stage(weight)
        made = self.pool.take(size)
        self.pool.give(staged, *after)
        return made

    def layer(self, layer: Staged, residual: Block) -> Block:
        """Compute a layer; return what it leaves for the next."""
        pool, s, matrices = self.pool, self.s, layer.matrices
        self.resident = layer.resident
        if self.resident:
            self.enter("places")
        part = self._experts if matrices.router else self._dense
        if s.order == "parallel":
            normed = self._normed()
            answers = self._answers(layer, NOTHING)
            made = part(matrices, normed)
            pool.give(residual)
            pool.give(self._brought_back(matrices, answers))
            return made
        before = s.order == "before"
        mixed = self._mixed(layer, self._normed() if before else NOTHING)
        if self.last:  # Those of the tokens whose logits are wanted, which may be all.
            mixed = pool.again(mixed, s.residual)
            residual = pool.again(residual, s.residual)
        pool.give(residual)
        made = part(matrices, self._normed() if before else NOTHING)
        pool.give(mixed)
        return made

    def _normed(self) -> Block:
        normed = self.pool.take(self.s.residual)
        self.pass_through(self.s.norm)
        return normed

    def _mixed(self, layer: Staged, normed: Block) -> Block:
        """Return what attention or a recurrence leaves, of what then goes."""
        if layer.matrices.recurrent:
            return self._recurrence(layer.matrices, normed)
        return self._brought_back(layer.matrices, self._answers(layer, normed))

    def _brought_back(self, m: Matrices, answers: Block) -> Block:
        """Return what the heads answer as one embedding of each token."""
        if self.s.rotations[1]:
            answers = self.pool.again(answers, self.s.answers)
        return self.multiply(m.output, self.s.residual, answers)

    def _answers(self, layer: Staged, normed: Block) -> Block:
        pool, s, m = self.pool, self.s, layer.matrices
        fused = s.fused or (m.query and not m.key)
        query, keys, values = (self._fused if fused else self._apart)(m, normed)
        self.leave("positions")
        pool.give(keys, values)  # They go to the cache; that of the host then comes here.
        self.leave("places")
        caches = self.stage(layer.key_cache), self.stage(layer.value_cache)
        self.enter("mask")
        if s.scores:
            scores = pool.take(s.scores)
            pool.give(query, caches[0])
            heads = pool.take(s.answers)
            pool.give(scores, caches[1])
            answers = pool.again(heads, s.answers)
        else:
            answers = pool.take(s.answers + layer.unpacked)
            pool.give(query, *caches)
        self.leave("mask")
        return answers

    def _apart(self, m: Matrices, normed: Block) -> tuple[Block, Block, Block]:
        """Return query, keys and values, each of a matrix of its own."""
        pool, s = self.pool, self.s
        query = self._query(m)
        staged = self.stage(m.value)
        if not s.biased:
            self.enter("values")
        values = pool.take(s.values)
        pool.give(staged)
        if s.biased:
            self._small(self._bias(s.values), "values")
        if s.rotations[1]:
            values = pool.again(values, s.values)
        keys = self.multiply(m.key, s.keys, normed)
        if s.biased:
            self.pass_through(self._bias(s.keys))
        # What is normed or turned is a view of what was made, and so not in place.
        keys = pool.again(keys, s.keys)
        if s.qk_norm:
            self.pass_through(SMALL)
        if s.rotations[0]:
            keys = pool.again(keys, s.keys)
        return query, keys, values

    def _query(self, m: Matrices) -> Block:
        pool, s = self.pool, self.s
        inputs = "positions", "keys"
        staged = self.stage(m.query)
        if not (s.qk_norm or s.biased):
            self.enter(*inputs)
        query = pool.take(s.query)
        pool.give(staged)
        if s.biased:
            self._small(self._bias(s.query), *inputs)
        query = pool.again(query, s.query)
        if s.qk_norm:
            self._small(SMALL, *inputs)
        return pool.again(query, s.query) if s.rotations[0] else query

    def _small(self, size: int, *inputs: str) -> None:
        """Bring over a small weight, and inputs with it; the gap that it leaves is before them."""
        small = self.stage(size)
        self.enter(*inputs)
        self.pool.give(small)

    def _bias(self, size: int) -> int:
        """Return the bytes of a bias of what a batch makes: those of one of its tokens."""
        return size * FLOAT // self.s.positions

    def _fused(self, m: Matrices, normed: Block) -> tuple[Block, Block, Block]:
        """Return query, keys and values of one matrix: values are a part of what it made."""
        pool, s = self.pool, self.s
        size, inputs = s.query + s.keys + s.values, ("positions", "keys", "values")
        staged = self.stage(m.query + m.key + m.value)
        if not s.biased:
            self.enter(*inputs)
        made = pool.take(size)
        pool.give(staged, normed)
        if s.biased:
            self._small(self._bias(size), *inputs)
        query, turned = pool.take(s.query), NOTHING
        if s.rotations[0]:
            query = pool.again(query, s.query)
        if s.rotations[1]:
            turned = pool.again(pool.take(s.values), s.values)
        keys = pool.take(s.keys)
        if s.rotations[1]:
            pool.give(made)
        keys = pool.again(keys, s.keys) if s.rotations[0] else keys
        return query, keys, turned if s.rotations[1] else made

    def _recurrence(self, m: Matrices, normed: Block) -> Block:
        through = self.multiply(max(m.other, m.query), self.s.recurrent, normed)
        made = self.pool.take(self.s.recurrent)
        self.pool.give(through)
        return self.multiply(m.output or m.other, self.s.residual, made)

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
        # Of some the tokens are weighted before the experts, and not their answers.
        weighted = pool.take(s.voices) if s.weighted else NOTHING
        done = weighted, NOTHING if m.shared_down else normed
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
