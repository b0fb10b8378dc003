"""How a server does right now: models, slots, CPU, memory, GPUs. Asked again and again.

What nobody tells is None or missing, and nothing here fails: a server that ends is seen by `look`.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from generator.detect.cgroup import files_of, groups_of
from generator.errors import HostwrightError
from generator.live.client import Server, listed
from generator.records import dataclass
from generator.units import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.root import Root
    from generator.engines.base import Running
    from generator.verify.machine import Machine
    from generator.verify.observed import Observed, Process

_CARDS: Final = "index,name,memory.used,memory.total,utilization.gpu,pstate,power.draw"
_REASONS: Final = ("clocks_event_reasons.active", "clocks_throttle_reasons.active")
"""What nvidia-smi calls them, since driver 535 and before."""
_COLUMNS: Final = 8
_WHY: Final = {
    0x1: "idle",
    0x2: "applications clocks",
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "software thermal",
    0x40: "hardware thermal",
    0x80: "power brake",
    0x100: "display clocks",
}
"""The bits of clock event reasons. Source: nvml.h, nvmlClocksEventReason*."""
_SECONDS: Final = 1.0  # that the programs of models have, together
_TIMES: Final = (11, 12)  # utime and stime behind the state of a process, proc(5)
_PAGES: Final = 21  # and its resident pages
_SLOTS_AT_MOST: Final = 16  # programs that are asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A GPU: bytes in use and there, percent busy, performance state, watts, what slows it."""

    index: int
    name: str
    used: int | None
    total: int | None
    busy: int | None
    state: str
    watts: float | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What is measured at one time. Of `slots` so many are `used`, None: nobody tells.

    `cpu` is the percent of one CPU since the time before, of `quota` (both None: unknown);
    in `waited` of `periods` since then it had to wait for it. `memory` are the bytes
    of `limit`, None: there is no limit.
    """

    slots: int | None
    used: int | None
    cpu: float | None
    quota: int | None
    waited: int
    periods: int
    memory: int | None
    limit: int | None
    cards: tuple[Card, ...]


class Watch:
    """What was measured the time before, so that the next time tells a difference."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._before: tuple[float, float, int, tuple[int, int]] | None = None

    def vitals(self, machine: Machine, seen: Observed) -> Vitals:
        """Return how the server does that was looked at a moment ago."""
        process = seen.process
        now, spent = time.monotonic(), _spent(machine.files, process)
        waits = process.throttled if process else (0, 0)
        cpu, waited = None, (0, 0)
        if process and self._before and self._before[2] == process.pid:
            then, had, _, old = self._before
            # A program that has ended takes its time with it.
            cpu = max(spent - had, 0.0) / max(now - then, 0.001) * 100
            waited = (max(waits[0] - old[0], 0), max(waits[1] - old[1], 0))
        self._before = (now, spent, process.pid, waits) if process else None
        limits = process.limits if process else {}
        quota, most = limits.get("cpu_quota"), limits.get("memory_max")
        used, slots = _slots(process, self._running) or (None, None)
        return Vitals(
            slots=slots,
            used=used,
            cpu=cpu,
            quota=quota if isinstance(quota, int) else None,
            waited=waited[0],
            periods=waited[1],
            memory=_memory(machine.files, process),
            limit=most if isinstance(most, int) else None,
            cards=tuple(_cards(machine)),
        )


def _tree(process: Process | None) -> Iterator[Process]:
    if process:
        yield process
        for child in process.children:
            yield from _tree(child)


def _stat(root: Root, pid: int) -> list[int]:
    """Return the numbers of a process that stand behind its state."""
    words = root.text(f"/proc/{pid}/stat").rpartition(")")[2].split()[1:]
    return [whole(word.removeprefix("-")) or 0 for word in words]


def _spent(root: Root, process: Process | None) -> float:
    """Return the seconds of CPU time of a process and what it has started."""
    every = (_stat(root, one.pid) for one in _tree(process))
    ticks = sum(sum(one[at - 1] for at in _TIMES) for one in every if len(one) > max(_TIMES))
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory(root: Root, process: Process | None) -> int | None:
    """Return the bytes that its group counts against its limit, else those of its processes."""
    if process is None:
        return None
    if process.limits.get("memory_max") is not None:
        groups = groups_of(root, process.pid)
        for path in files_of(groups, "memory.current", "memory", "memory.usage_in_bytes"):
            if (number := whole(root.text(path))) is not None:
                return number
    every = (_stat(root, one.pid) for one in _tree(process))
    return sum(one[_PAGES - 1] for one in every if len(one) >= _PAGES) * os.sysconf("SC_PAGE_SIZE")


def _slots(process: Process | None, running: Running) -> tuple[int, int] | None:
    """Return the slots in use, and all, of the programs that tell; None: none does."""
    ports = [running.port(one.command) for one in _tree(process)]
    used = there = 0
    until = time.monotonic() + _SECONDS
    for port in [port for port in ports if port][:_SLOTS_AT_MOST]:
        server = Server(url=f"http://127.0.0.1:{port}", seconds=_SECONDS, ends=until)
        try:
            slots = listed(server, "/slots")
        except HostwrightError:
            continue
        there += len(slots)
        used += sum(isinstance(one, dict) and one.get("is_processing") is True for one in slots)
    return (used, there) if there else None


def _cards(machine: Machine) -> Iterator[Card]:
    """Yield the GPUs, by nvidia-smi, once more with the names of old drivers."""
    for reasons in _REASONS:
        argv = ("nvidia-smi", f"--query-gpu={_CARDS},{reasons}", "--format=csv,noheader,nounits")
        told = machine.told("nvidia-smi-vitals.csv", argv)
        every = [card for line in told.splitlines() if (card := _card(line))]
        if every:
            yield from every
            return


def _card(line: str) -> Card | None:
    words = [word.strip() for word in line.split(",")]
    if len(words) != _COLUMNS or (index := whole(words[0])) is None:
        return None
    return Card(
        index=index,
        name=words[1],
        used=_mib(words[2]),
        total=_mib(words[3]),
        busy=whole(words[4]),
        state=words[5],
        watts=_float(words[6]),
        reasons=_reasons(words[7]),
    )


def _mib(text: str) -> int | None:
    number = whole(text)
    return None if number is None else number << 20


def _float(text: str) -> float | None:
    left, _, right = text.partition(".")
    number = whole(left)
    return None if number is None else number + (whole(right[:2].ljust(2, "0")) or 0) / 100


def _reasons(text: str) -> tuple[str, ...]:
    try:
        bits = int(text, 16) if len(text) < 20 else 0  # noqa: PLR2004 -- 64 bits
    except ValueError:
        return ()
    return tuple(word for bit, word in _WHY.items() if bits & bit)
