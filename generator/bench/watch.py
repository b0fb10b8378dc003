"""Watching the server's processes, its control group and the GPUs while a load runs.

In a thread that looks now and then: seldom enough to disturb nothing that is measured.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from shutil import which
from typing import TYPE_CHECKING, Final

from generator.bench.usage import Usage, between, counters, gpus_of, together, waited
from generator.errors import EnvironmentFailure
from generator.live.client import host_and_port
from generator.live.door import ask
from generator.live.process import family, server_process, threads, used
from generator.units import is_local

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from generator.bench.usage import GpuUse

    Groups = dict[str, str]

PROGRAM: Final = "ollama"
PORT: Final = 11434
EVERY: Final = 0.5
ANEW: Final = 10
"""Seconds between two looks, and after how many of them who belongs to the server is asked anew."""
_SMI: Final = (
    "nvidia-smi",
    "--query-gpu=index,name,memory.used,memory.total,utilization.gpu",
    "--format=csv,noheader,nounits",
)
_WAITS: Final = ("cpu", "memory", "io")


class Watch:
    """Who is watched: the process of a server on this machine, and its GPUs."""

    def __init__(self, pid: int, cpus: int, memory: int) -> None:
        self.pid, self.cpus, self.memory = pid, cpus, memory
        self.smi = which(_SMI[0]) is not None
        self.usage: Usage | None = None

    @classmethod
    def at(cls, url: str) -> Watch | None:
        """Return who watches the server at a URL; None: it is elsewhere, or nobody finds it."""
        host, port = host_and_port(url)
        if not is_local(host):
            return None
        from generator.detect.live import cpus
        from generator.detect.machine import read_memory
        from generator.detect.root import open_root

        pid = server_process(port or PORT, PROGRAM)
        return cls(pid, cpus()[1], read_memory(open_root(None)).total) if pid else None

    @contextmanager
    def while_(self) -> Iterator[None]:
        """Watch until the block ends; what was seen is then in `usage`."""
        over, seen = threading.Event(), _Seen(self)
        began, before = time.monotonic_ns(), self._group()
        thread = threading.Thread(target=seen.look, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(EVERY)
            seen.count()
            wall = time.monotonic_ns() - began
            self.usage = self._told(seen, wall, before, self._group())

    def _told(self, seen: _Seen, wall: int, before: dict[str, int], after: dict[str, int]) -> Usage:
        waits = {f"waited_{kind}": between(before, after, kind) for kind in _WAITS}
        return Usage(
            wall=wall,
            cpu=seen.cpu,
            quota=max(after.get("quota", 0), 0),
            cpus=self.cpus,
            threads=seen.threads,
            periods=max(between(before, after, "nr_periods"), 0),
            throttled=max(between(before, after, "nr_throttled"), 0),
            memory=seen.memory,
            gpus=together(seen.gpus),
            **waits,
        )

    def _group(self) -> dict[str, int]:
        """Return the counters of the control group, and of pressure: of the machine for want."""
        from generator.detect.cgroup import files_of, groups_of, quota_of
        from generator.detect.root import open_root

        root = open_root(None)
        groups = groups_of(root, self.pid)
        quota = quota_of(root, groups)
        found = {"quota": quota.value if quota else 0}
        stats = (counters(root.text(p)) for p in files_of(groups, "cpu.stat", "cpu", "cpu.stat"))
        found |= next((stat for stat in stats if stat.get("nr_periods")), {})
        for kind in _WAITS:
            name = f"{kind}.pressure"
            places = (*files_of(groups, name, "-", name), f"/proc/pressure/{kind}")
            texts = (root.text(place) for place in places)
            found[kind] = next((w for text in texts if (w := waited(text)) >= 0), -1)
        return found

    def asked_gpus(self) -> tuple[GpuUse, ...]:
        """Return what the driver tells of each GPU; nothing where it does not."""
        if not self.smi:
            return ()
        try:
            answer = ask(_SMI, seconds=2)
        except EnvironmentFailure:
            self.smi = False
            return ()
        return gpus_of(answer.out, self.memory) if answer.code == 0 else ()


class _Seen:
    """What looks have seen so far."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.family: list[Any] = family(watch.pid)
        self.threads = threads(self.family[1:] or self.family)
        self.began = {each.pid: each.cpu for each in used(self.family)}
        self.times = dict(self.began)
        self.memory = 0
        self.gpus: list[tuple[GpuUse, ...]] = []

    @property
    def cpu(self) -> int:
        return sum(time - self.began.get(pid, 0) for pid, time in self.times.items())

    def look(self, over: threading.Event) -> None:
        looks = 0
        while not over.is_set():
            if looks % ANEW == 0 and looks:
                self.family = family(self.watch.pid)
            self.count()
            self.gpus.append(self.watch.asked_gpus())
            looks += 1
            over.wait(EVERY)

    def count(self) -> None:
        every = used(self.family)
        self.times |= {each.pid: each.cpu for each in every}
        self.memory = max(self.memory, sum(each.memory for each in every))
