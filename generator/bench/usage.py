"""What a server used while a load ran: CPU time, memory, GPUs, and what it waited for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.records import dataclass, replace
from generator.units import MIB, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_FIELDS: Final = 5
_WAITED: Final = ("waited_cpu", "waited_memory", "waited_io")


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuUse:
    """A GPU: the most bytes in use of `total` (0: not told), percent of the time it computed.

    `busy` is a mean, and -1 where nobody tells it.
    """

    name: str
    memory: int
    total: int
    busy: int = -1

    @property
    def share(self) -> float:
        """How full it was; 0: unknown."""
        return self.memory / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the processes of a server used in `wall` nanoseconds; 0: nothing, or nobody tells.

    `cpu` is the time of all its threads, `quota` the percent of one CPU that it may have (0: no
    limit) on `cpus` of them, `threads` how many compute. Of so many `periods` of a quota it was
    `throttled` in some. The next three are nanoseconds in which some of its tasks waited for CPU,
    memory or a disk (-1: not told). `memory` is the most bytes at once that no file is behind.
    """

    wall: int
    cpu: int = 0
    quota: int = 0
    cpus: int = 0
    threads: int = 0
    periods: int = 0
    throttled: int = 0
    waited_cpu: int = -1
    waited_memory: int = -1
    waited_io: int = -1
    memory: int = 0
    gpus: tuple[GpuUse, ...] = ()

    @property
    def percent(self) -> float:
        """CPU time as percent of one CPU."""
        return 100 * self.cpu / self.wall if self.wall else 0.0

    @property
    def of_quota(self) -> float:
        """How much of what it may have it used, as a share; 0: nobody knows."""
        most = self.quota or 100 * self.cpus
        return self.percent / most if most else 0.0

    @property
    def per_thread(self) -> float:
        """How busy each thread that computes was, as a share; 0: nobody knows how many."""
        return self.percent / 100 / self.threads if self.threads else 0.0

    @property
    def fullest(self) -> float:
        """How full the fullest GPU was, as a share; 0: unknown."""
        return max((gpu.share for gpu in self.gpus), default=0.0)


def gpus_of(rows: str, machine: int) -> tuple[GpuUse, ...]:
    """Return what `nvidia-smi` prints, a line for each GPU, of a machine with so much memory.

    One whose memory it does not tell has that of the machine, as a GB10.
    """
    found = []
    for line in rows.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) != _FIELDS:
            continue
        used, total, busy = (whole(part) for part in parts[2:])
        found.append(
            GpuUse(
                name=f"{parts[0]} {parts[1]}",
                memory=(used or 0) * MIB,
                total=total * MIB if total is not None else machine,
                busy=-1 if busy is None else busy,
            )
        )
    return tuple(found)


def summed(parts: Sequence[Usage]) -> Usage:
    """Return what was used in several parts, one after the other."""
    last = parts[-1]
    waits = {name: [getattr(part, name) for part in parts] for name in _WAITED}
    return replace(
        last,
        wall=sum(part.wall for part in parts),
        cpu=sum(part.cpu for part in parts),
        threads=max(part.threads for part in parts),
        periods=sum(part.periods for part in parts),
        throttled=sum(part.throttled for part in parts),
        memory=max(part.memory for part in parts),
        gpus=together(part.gpus for part in parts),
        **{name: sum(told) if min(told) >= 0 else -1 for name, told in waits.items()},
    )


def together(samples: Iterable[tuple[GpuUse, ...]]) -> tuple[GpuUse, ...]:
    """Return the most memory and the mean time of each GPU, by its name."""
    seen: dict[str, list[GpuUse]] = {}
    for sample in samples:
        for gpu in sample:
            seen.setdefault(gpu.name, []).append(gpu)
    return tuple(_one(several) for several in seen.values())


def _one(several: list[GpuUse]) -> GpuUse:
    busy = [gpu.busy for gpu in several if gpu.busy >= 0]
    most = max(gpu.memory for gpu in several)
    return replace(several[0], memory=most, busy=round(sum(busy) / len(busy)) if busy else -1)


def by_server(usage: Usage, on_gpus: int) -> Usage:
    """Return the same with what the server says it has on GPUs, where the driver tells nothing."""
    if not on_gpus or any(gpu.memory for gpu in usage.gpus):
        return usage
    told = usage.gpus or (GpuUse(name="GPUs, by /api/ps", memory=0, total=0),)
    return replace(usage, gpus=(replace(told[0], memory=on_gpus), *told[1:]))


def counters(text: str) -> dict[str, int]:
    """Return lines of a name and a number, as in `cpu.stat`."""
    pairs = (line.split() for line in text.splitlines())
    told = {pair[0]: whole(pair[1]) for pair in pairs if len(pair) == 2}  # noqa: PLR2004
    return {name: number for name, number in told.items() if number is not None}


def waited(text: str) -> int:
    """Return the nanoseconds of `some … total=` of a file of pressure; -1: it tells none."""
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        total = whole(rest.rpartition("total=")[2])
        if kind == "some" and total is not None:
            return total * 1000
    return -1


def between(before: Mapping[str, int], after: Mapping[str, int], name: str) -> int:
    """Return how much a counter has grown; -1: it was not told both times."""
    if before.get(name, -1) < 0 or after.get(name, -1) < 0:
        return -1
    return max(after[name] - before[name], 0)
