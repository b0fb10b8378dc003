"""Experts that stay with the host: how llama.cpp fits a model of experts into GPUs.

Whole layers are filled in `layout.fill`; of a model of experts llama.cpp first places all layers
without their experts, from the last device to the first, and then gives devices the experts of as
many layers as they have room for, from the first device on. Source: steps 3 and 4 of
common_params_fit_impl, common/fit.cpp of llama.cpp@08033df.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from generator.fit.layout import by_share
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.fit.layout import Footprint

# Of the experts of the first layer that does not keep all: two matrices of three go, or one.
# Source: LAYER_FRACTION_UP and LAYER_FRACTION_GATE there.
MOST: Final = 2
LEAST: Final = 1
ALL: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What one device gets: `layers`, and of the last `sparse` of them no experts.

    The first of these gives away `gone` thirds of its experts, to the next device if `onward`.
    """

    layers: int = 0
    sparse: int = 0
    gone: int = ALL
    onward: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spill:
    """Where a model of experts goes: layers by device, and of how many the experts are elsewhere.

    `moved` are the bytes that each device gets from the one before, or gives away.
    """

    counts: tuple[int, ...]
    spilled: tuple[int, ...]
    moved: tuple[int, ...]


class Fit:
    """A model of experts and the devices it is fitted into; `room` is what each may take."""

    def __init__(self, footprint: Footprint, room: Sequence[int]) -> None:
        self._footprint, self._room = footprint, room
        self._experts = tuple(accumulate((*footprint.shape.expert_bytes, 0), initial=0))
        self._layers = footprint.shape.layers + 1
        self._last = len(room) - 1

    def spill(self, free: Sequence[int]) -> Spill:
        """Return where the model goes if not all of it has room; `free` is as by_share deals."""
        slices = self._sparse()
        if self._surplus(free):
            slices = self._filled(slices)
        gone = [self._gone(slices, device) for device in range(len(slices))]
        moved = [-sum(size for _, size in each) for each in gone]
        for device, (each, one) in enumerate(zip(gone, slices, strict=True)):
            if one.onward and each:
                moved[device + 1] += each[0][1]
        spilled = tuple(len(each) for each in gone)
        return Spill(
            counts=tuple(one.layers for one in slices), spilled=spilled, moved=tuple(moved)
        )

    def _surplus(self, free: Sequence[int]) -> bool:
        """Return whether there is room in all for every layer without its experts."""
        counts = by_share(self._layers, free)
        slices = [Slice(layers=n, sparse=self._most_sparse(d, n)) for d, n in enumerate(counts)]
        return sum(self._room) > sum(self._bytes(slices, d) for d in range(len(slices)))

    def _most_sparse(self, device: int, layers: int) -> int:
        """Return how many of so many layers may go without: the output has no experts."""
        return max(0, layers - (device == self._last))

    def _sparse(self) -> list[Slice]:
        """Return as many layers as have room without experts, from the last device on."""
        slices = [Slice() for _ in self._room]
        for device in reversed(range(len(slices))):
            left = self._layers - sum(one.layers for one in slices)

            def tried(
                layers: int, device: int = device, slices: list[Slice] = slices
            ) -> list[Slice]:
                one = Slice(layers=layers, sparse=self._most_sparse(device, layers))
                return [one if d == device else s for d, s in enumerate(slices)]

            slices = tried(self._most(left, device, tried))
        return slices

    def _most(self, limit: int, device: int, tried: Callable[[int], list[Slice]]) -> int:
        """Return the largest number up to `limit` whose slices keep to the room of a device."""
        if self._holds(tried(limit), device):
            # With all of its experts it brings none over, and may take less.
            return limit
        numbers = range(1, limit + 1)
        return bisect_left(numbers, True, key=lambda n: not self._holds(tried(n), device))

    def _filled(self, slices: list[Slice]) -> list[Slice]:
        """Return the same with the experts of as many layers as there is room for."""
        for device in range(len(slices)):
            start = self._start(slices)
            if device > start:
                break
            sparse = sum(one.sparse for one in slices[start:])

            def given(
                layers: int, device: int = device, slices: list[Slice] = slices
            ) -> list[Slice]:
                return self._given(slices, device, layers)

            slices = given(self._most(sparse, device, given))
            slices = self._partly(slices, device)
        return slices

    def _start(self, slices: Sequence[Slice]) -> int:
        """Return the first of the devices at the end that still have layers without experts."""
        behind = (d for d, one in enumerate(slices) if one.sparse and not one.onward)
        return next(behind, self._last)

    def _given(self, slices: Sequence[Slice], device: int, layers: int) -> list[Slice]:
        """Return the slices with the experts of so many more layers on a device.

        The layers themselves come along from the devices behind.
        """
        found = list(slices)
        for other in range(self._start(slices), len(found)):
            count = min(layers, found[other].sparse)
            one = found[other]
            found[other] = replace(one, layers=one.layers - count, sparse=one.sparse - count)
            found[device] = replace(found[device], layers=found[device].layers + count)
            layers -= count
        return found

    def _partly(self, slices: list[Slice], device: int) -> list[Slice]:
        """Return the slices with a part of one more layer's experts on a device, if it has room.

        The rest goes to the next device; without room for a part, all of them do.
        """
        start, onward = self._start(slices), device < self._last
        if not slices[start].sparse:
            return slices
        fewer = list(slices)
        one = slices[start]
        fewer[start] = replace(one, layers=one.layers - 1, sparse=one.sparse - 1)
        one = fewer[device]
        wider = replace(one, layers=one.layers + 1, sparse=one.sparse + 1, onward=onward)

        def tried(gone: int) -> list[Slice] | None:
            found = [replace(wider, gone=gone) if d == device else s for d, s in enumerate(fewer)]
            behind = not onward or self._holds(found, device + 1)
            return found if behind and self._holds(found, device) else None

        most = tried(MOST)
        if most is not None:
            return tried(LEAST) or most
        return (tried(ALL) if onward else None) or slices

    def _holds(self, slices: Sequence[Slice], device: int) -> bool:
        return self._bytes(slices, device) <= self._room[device]

    def _bytes(self, slices: Sequence[Slice], device: int) -> int:
        """Return what a device holds: its layers, less experts elsewhere, and those it gets."""
        start = self._layers - sum(one.layers for one in slices[device:])
        end = start + slices[device].layers
        if start == end:
            return 0
        gone = self._gone(slices, device)
        # A GPU that leads computes what the host has in a batch.
        leads = not any(one.layers for one in slices[:device])
        behind = start if leads else 0
        sparse = sum(one.sparse for one in slices) if leads else 0
        size = self._footprint.on_device(start, end, behind, sparse=sparse)
        if device and slices[device - 1].onward and (before := self._gone(slices, device - 1)):
            size += before[0][1]
        return size - sum(size for _, size in gone)

    def _gone(self, slices: Sequence[Slice], device: int) -> list[tuple[int, int]]:
        """Return the layers of a device whose experts are elsewhere, with the bytes that are.

        Counted from the first that keeps all, as patterns there are: on the last device they
        reach the output, so that one layer more keeps its experts.
        """
        one = slices[device]
        end = self._layers - sum(s.layers for s in slices[device + 1 :])
        found = []
        for layer in range(end - one.sparse, min(end, self._layers - 1)):
            size = self._experts[layer + 1] - self._experts[layer]
            part = one.gone if layer == end - one.sparse else ALL
            found.append((layer, size * part // ALL))
        return [(layer, size) for layer, size in found if size]
