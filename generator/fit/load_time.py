"""How long a model takes to load: its bytes through the slowest of disk, page cache and bus."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from generator.records import dataclass

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts

MB: Final = 10**6
KINDS: Final = ("nvme", "ssd", "hdd", "network")
LIKELY: Final = ("nvme", "ssd", "hdd")
UNITS: Final = {"kb/s": 10**3, "mb/s": 10**6, "gb/s": 10**9}
MOST: Final = 10**12
# A mapped file may be read with that much of the rate that the disk has front to back; measured on
# a USB stick (HilbertraumAI/HilbertRaum#114).
MAPPED: Final = 0.55
# What a runner takes beside reading: the program, the CUDA context, the graph. In seconds.
START: Final = (0.5, 1.0, 3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """A time: as expected, and a short and a long one."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FromDisk:
    """How long loading takes from a kind of disk; `disk`: from one whose rate was told."""

    disk: str
    time: Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTime:
    """How long loading takes: `warm` out of the page cache, `cold` from disks."""

    warm: Seconds
    cold: tuple[FromDisk, ...]


def disk_of(text: str) -> str | int:
    """Return a kind of disk, or the bytes per second of a rate like `500MB/s`.

    Raises ValueError for what is neither.
    """
    word = text.strip().casefold().replace(" ", "")
    if word in KINDS:
        return word
    number = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]b/s)", word, re.ASCII)
    if number:
        rate = float(number[1]) * UNITS[number[2]]
        if 1 <= rate <= MOST:
            return int(rate)
    raise ValueError(f"`{text}` is neither a kind of disk nor a rate")


def load_time(size: int, facts: Facts, disk: str | int = "") -> LoadTime:
    """Return how long so many bytes take to load from a kind of disk, or one of so many bytes/s.

    Without a disk: from each of LIKELY. What is read goes through memory, whatever the disk.
    """
    warm = _rates("memory", facts)
    cold: dict[str, tuple[float, ...]] = (
        {"disk": (disk, disk, disk * MAPPED)}
        if isinstance(disk, int)
        else {kind: _rates(kind, facts) for kind in ((disk,) if disk else LIKELY)}
    )
    return LoadTime(
        warm=_time(size, warm),
        cold=tuple(
            FromDisk(disk=kind, time=_time(size, tuple(map(min, rates, warm))))
            for kind, rates in cold.items()
        ),
    )


def _rates(kind: str, facts: Facts) -> tuple[float, ...]:
    """Return bytes per second: fast, usual and slow."""
    storage = facts.rates.storage(kind)
    if storage is None:
        raise ValueError(f"`{kind}` is not a kind of disk")
    return storage.fast * MB, storage.usual * MB, storage.slow * MB


def _time(size: int, rates: tuple[float, ...]) -> Seconds:
    low, likely, high = (
        float(f"{size / rate + start:.2g}") for rate, start in zip(rates, START, strict=True)
    )
    return Seconds(low=low, likely=likely, high=high)
