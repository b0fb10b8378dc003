"""Layers on devices: where each goes, and what every device then holds.

Layers are counted from the last: GPUs hold the end of a model, the host its beginning. The output
counts as one more layer behind the last.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, Literal

from generator.fit.compute import COPIES, Passing, Share, compute_bytes, device_bytes, host_bytes
from generator.fit.graph import LEAST_BATCH
from generator.fit.host import GPU_OVERHEAD
from generator.fit.kv import kv_layers
from generator.records import dataclass
from generator.units import MIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.fit.shape import Load, Shape

# A runner beside its buffers: the program, the tokenizer, the graph. 60 MiB were measured for a
# vocabulary of 152k on a CPU (docs/accuracy.md); the rest is the server's.
HOST_OVERHEAD: Final = 100 * MIB

Kind = Literal["cpu", "one", "split", "partial", "experts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one model takes of one device or of the host; `layers` with the output as one.

    `compute` is the buffer for a batch, `other` what is there besides: what a device takes for
    itself, the runner, and what a vision tower computes a picture with.
    """

    layers: int = 0
    weights: int = 0
    kv: int = 0
    compute: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv + self.compute + self.other

    def plus(self, more: Need) -> Need:
        """Return both together."""
        both = {part: getattr(self, part) + getattr(more, part) for part in Need.__slots__}
        return Need(**both)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a scheduler puts a model: layers by device (the output is one), and why.

    `headless`: the output stays with the host, though layers are on GPUs. `spilled` is of how many
    layers of each device, the last of them, the experts are elsewhere, at least in part, and
    `moved` the bytes that each device gets by that, or gives away: what none gets is with the
    host. `tower` is the device of a
    vision tower; None: the host, if there is one.
    """

    kind: Kind
    counts: tuple[int, ...]
    reason: str
    headless: bool = False
    spilled: tuple[int, ...] = ()
    moved: tuple[int, ...] = ()
    tower: int | None = None

    @property
    def on_gpus(self) -> int:
        """Layers on all GPUs."""
        return sum(self.counts)

    @property
    def sparse(self) -> int:
        """Layers on all GPUs whose experts are elsewhere."""
        return sum(self.spilled)


class Footprint:
    """What a model takes under one load: worked out once, and asked for many placements."""

    def __init__(self, shape: Shape, load: Load) -> None:
        self.shape, self.load = shape, load
        self._tables = shape.more_input_bytes if load.pool and load.pool.tables else 0
        output = shape.output_bytes + self._tables
        # Of the first layers together: none, one, two … The output has no cache.
        self._weights = tuple(accumulate((*shape.layer_bytes, output), initial=0))
        self._cache = tuple(accumulate((*kv_layers(shape, load), 0), initial=0))
        self._sums = tuple(map(sum, zip(self._weights, self._cache, strict=True)))
        self._buffers: dict[bool | Share, int] = {}
        self._passing = Passing(shape, load)

    @property
    def layers(self) -> list[int]:
        """The bytes of each layer with its cache; the output comes last."""
        return [end - start for start, end in pairwise(self._sums)]

    def graphs(self, counts: Sequence[int], *, headless: bool | None = None) -> list[int]:
        """Return the compute buffer of each device with `counts` layers on each; 0: it has none.

        The output is among them only if all layers are, where nothing else is said.
        """
        alone = sum(counts) <= self.shape.layers if headless is None else headless
        devices, _ = self.needs(counts, headless=alone)
        return [need.compute for need in devices]

    def of(self, placement: Placement) -> tuple[tuple[Need, ...], Need]:
        """Return what every device holds of a model that is placed, and what the host does."""
        counts, moved = placement.counts, placement.moved or (0,) * len(placement.counts)
        devices, host = self._needs(counts, headless=placement.headless, sparse=placement.sparse)
        devices = tuple(
            need.plus(Need(weights=size)) for need, size in zip(devices, moved, strict=True)
        )
        return self._seeing(devices, host.plus(Need(weights=-sum(moved))), placement.tower)

    def _seeing(
        self, devices: tuple[Need, ...], host: Need, tower: int | None
    ) -> tuple[tuple[Need, ...], Need]:
        """Return the same with the vision tower, and its buffer where it has one of its own."""
        size, buffer = self.shape.projector_bytes, 0
        if not size:
            return devices, host
        if self.shape.tower is not None and self.load.pool is None:
            buffer = self.shape.tower.limited.buffer_bytes(flash=self.load.flash_attention)
        if tower is None:
            return devices, host.plus(Need(weights=size, other=buffer))
        other = 0 if devices[tower].other else GPU_OVERHEAD
        more = Need(weights=size, other=other + buffer)
        return tuple(n.plus(more) if i == tower else n for i, n in enumerate(devices)), host

    def needs(
        self, counts: Sequence[int], *, headless: bool = False
    ) -> tuple[tuple[Need, ...], Need]:
        """Return what every device holds with `counts` layers on each, and what the host does.

        All experts are where their layers are, and a vision tower is on the first of the devices.
        """
        devices, host = self._needs(counts, headless=headless)
        first = next((device for device, count in enumerate(counts) if count), None)
        return self._seeing(devices, host, first)

    def _needs(
        self, counts: Sequence[int], *, headless: bool = False, sparse: int = 0
    ) -> tuple[tuple[Need, ...], Need]:
        first = self.shape.layers + (0 if headless else 1) - sum(counts)
        used = [device for device, count in enumerate(counts) if count]
        copies = COPIES if len(used) > 1 and not first and not headless else 1
        starts = accumulate(counts, initial=first)
        devices = []
        for device, (start, count) in enumerate(zip(starts, counts, strict=False)):
            leads = device == used[0] if used else False
            share = Share(
                output=start + count > self.shape.layers,
                staged=first if leads else 0,
                headless=headless and leads,
                sparse=sparse if leads else 0,
                copies=copies,
                inputs=1 if leads or self.load.unified else 2,
            )
            devices.append(self._device(start, start + count, share) if count else Need())
        return tuple(devices), self._host(first, used, headless=headless, copies=copies)

    def on_device(self, start: int, end: int, host: int | None = None, *, sparse: int = 0) -> int:
        """Return the bytes of the layers from `start` on, up to `end`, and of their buffer.

        Layers before the first are those of the host, or `host` of them; of `sparse` layers it has
        the experts.
        """
        layers = self._sums[end] - self._sums[start]
        staged = start if host is None else host
        share = Share(output=end > self.shape.layers, staged=staged, sparse=sparse)
        return layers + self._on_gpu(share)

    def most(self, end: int, room: int) -> int:
        """Return the most layers before `end` that a device has room for."""
        return bisect_right(range(1, end + 1), room, key=lambda n: self.on_device(end - n, end))

    def _device(self, start: int, end: int, share: Share) -> Need:
        return Need(
            layers=end - start,
            weights=self._weights[end] - self._weights[start],
            kv=self._cache[end] - self._cache[start],
            compute=self._on_gpu(share),
            other=GPU_OVERHEAD,
        )

    def _host(self, end: int, used: Sequence[int], *, headless: bool, copies: int) -> Need:
        """Return the host's share: the token embedding always, and the layers before `end`."""
        shape, output = self.shape, headless or end > self.shape.layers
        ends = shape.input_bytes
        own = shape.own_output_bytes if self.load.pool else shape.host_output_bytes
        ends += own if output else -self._tables
        share = Share(output=False, staged=end, copies=copies)
        return Need(
            layers=end + (1 if headless else 0),
            weights=self._weights[min(end, shape.layers)] + ends,
            kv=self._cache[end],
            compute=self._beside(share) if used else self._alone(output=output),
            other=HOST_OVERHEAD,
        )

    def _beside(self, share: Share) -> int:
        """Return the buffer of a host beside GPUs: it computes no layer of a large batch."""
        if self.load.pool:
            if share.staged:
                return self._alone(output=False)
            return self.load.pool.host_compute_bytes(self.shape, self.load)
        least = host_bytes(self.shape, self.load, share)
        if share.staged and self.load.batch < LEAST_BATCH:
            return max(least, self._alone(output=False))
        return least

    def _alone(self, *, output: bool) -> int:
        """Return the buffer of a host that computes layers itself."""
        if output not in self._buffers:
            of = self.load.pool.compute_bytes if self.load.pool else compute_bytes
            self._buffers[output] = of(self.shape, self.load, output=output)
        return self._buffers[output]

    def _on_gpu(self, share: Share) -> int:
        if share not in self._buffers:
            pool = self.load.pool
            self._buffers[share] = (
                pool.compute_bytes(self.shape, self.load, output=share.output, staged=share.staged)
                + pool.beside_bytes(self.shape, self.load)
                if pool
                else device_bytes(self.shape, self.load, share, self._passing)
            )
        return self._buffers[share]


def placed(
    shape: Shape, counts: Sequence[int], reason: str = "", *, headless: bool = False
) -> Placement:
    """Return the Placement of so many layers on each device; a tower goes to the first used."""
    used = sum(1 for count in counts if count)
    whole: Kind = "one" if used == 1 else "split"
    kind: Kind = whole if sum(counts) > shape.layers else "partial" if used else "cpu"
    first = next((device for device, count in enumerate(counts) if count), None)
    return Placement(
        kind=kind,
        counts=tuple(counts),
        reason=reason,
        headless=headless,
        tower=first if shape.projector_bytes else None,
    )


def by_share(layers: int, shares: Sequence[int]) -> tuple[int, ...]:
    """Return `layers` over devices in proportion to `shares`, as llama.cpp deals them.

    Source: src/llama-model.cpp of llama.cpp@0c1e570, `get_layer_buft_list` (upper_bound over the
    running sums).
    """
    total = sum(shares)
    if not total:
        return (layers, *(0 for _ in shares[1:]))
    # A layer goes to the first device whose running sum is above layer / layers of all.
    ends = [-(-edge * layers // total) for edge in accumulate(shares, initial=0)]
    return tuple(end - start for start, end in pairwise(ends))


def only(device: int, layers: int, devices: int) -> tuple[int, ...]:
    """Return counts with all layers on one of `devices`."""
    return tuple(layers if i == device else 0 for i in range(devices))


def fill(
    footprint: Footprint,
    free: Sequence[int],
    chosen: Sequence[int],
    margin: int = 0,
    overhead: int = GPU_OVERHEAD,
) -> tuple[int, ...]:
    """Return the layers on each device, as llama.cpp's `--fit` leaves the margin free on each.

    `overhead` is what each takes besides; llama.cpp asks what is free once that is taken.

    All layers by free memory, if that leaves the margin everywhere; otherwise from the last
    device to the first as many layers as leave it. Parts of a layer, which llama.cpp also moves,
    are not counted. Source: common/fit.cpp of llama.cpp@0c1e570.
    """
    layers = footprint.shape.layers + 1
    room = [have - margin - overhead for have in free]
    shares = [have if device in chosen else 0 for device, have in enumerate(free)]
    whole = only(chosen[0], layers, len(free)) if len(chosen) == 1 else by_share(layers, shares)
    spans = pairwise(accumulate(whole, initial=0))
    if all(
        start == end or footprint.on_device(start, end, 0) <= have
        for (start, end), have in zip(spans, room, strict=True)
    ):
        return whole
    counts = [0] * len(free)
    for device in reversed(chosen):
        counts[device] = footprint.most(layers - sum(counts), room[device])
    return tuple(counts)
