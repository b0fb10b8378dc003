"""What a process of the server got: its environment, its limits, and the programs it started."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.detect.cgroup import files_of, groups_of, memory_of, quota_of
from generator.units import SHARES_PER_WEIGHT, whole
from generator.verify.observed import Process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from generator.detect.root import Root

_STAT: Final = re.compile(r"\d+ \(.*\) \S (\d+)", re.DOTALL)
_MEMLOCK: Final = re.compile(r"^Max locked memory\s+(\S+)", re.MULTILINE)
_CPUS: Final = re.compile(r"^Cpus_allowed_list:\s*(\S+)", re.MULTILINE)
_NICE: Final = 16  # its place behind the state of the process, proc(5)
_DEEPEST: Final = 3
_SHARES: Final = "cpu.shares"
# Limits that stand in one file of a group as the Plan has them: version 2, then 1.
_NUMBERED: Final = {
    "cpu_weight": ("cpu.weight", "cpu", _SHARES),
    "memory_high": ("memory.high", "memory", "memory.high"),
    "memory_swap_max": ("memory.swap.max", "memory", "memory.swap.max"),
    "tasks_max": ("pids.max", "pids", "pids.max"),
}


def processes(root: Root) -> dict[int, tuple[str, ...]]:
    """Return the command of each process that has one, by its number."""
    pids = (int(name) for name in root.names("/proc") if whole(name) is not None)
    every = ((pid, command_of(root, pid)) for pid in pids)
    return {pid: command for pid, command in every if command}


def command_of(root: Root, pid: int) -> tuple[str, ...]:
    """Return the command line of a process, word by word; none where there is no such process."""
    return tuple(root.text(f"/proc/{pid}/cmdline").rstrip("\0").split("\0")) if pid else ()


def servers(every: Mapping[int, tuple[str, ...]], command: Sequence[str]) -> list[int]:
    """Return the processes that run a server: its program by any path, and then its words."""
    program, *rest = command
    return [
        pid
        for pid, words in every.items()
        if PurePosixPath(words[0]).name == program and list(words[1 : 1 + len(rest)]) == rest
    ]


def process(root: Root, pid: int, every: Mapping[int, tuple[str, ...]]) -> Process | None:
    """Return what a process got, and what it has started; None: there is none."""
    parents = {other: _parent(root, other) for other in every}
    return _process(root, pid, every, parents, _DEEPEST) if pid in every else None


def _process(
    root: Root,
    pid: int,
    every: Mapping[int, tuple[str, ...]],
    parents: Mapping[int, int],
    deep: int,
) -> Process:
    mine = [other for other, parent in parents.items() if parent == pid and deep]
    groups = groups_of(root, pid)
    return Process(
        pid=pid,
        command=every[pid],
        variables=environment(root, pid),
        limits=dict(_limits(root, pid, groups)),
        throttled=_throttled(root, groups),
        children=tuple(_process(root, one, every, parents, deep - 1) for one in mine),
    )


def _parent(root: Root, pid: int) -> int:
    found = _STAT.match(root.text(f"/proc/{pid}/stat"))
    return int(found[1]) if found else 0


def environment(root: Root, pid: int) -> dict[str, str] | None:
    """Return the environment; None where it is another user's, or the process has taken it away."""
    pairs = (item.partition("=") for item in root.text(f"/proc/{pid}/environ").split("\0"))
    return {name: value for name, _, value in pairs if name} or None


def _limits(
    root: Root, pid: int, groups: Mapping[str, str]
) -> Iterator[tuple[str, int | str | None]]:
    if any(root.exists(path) for path in files_of(groups, "cgroup.procs", "cpu", "cgroup.procs")):
        quota, memory = quota_of(root, groups), memory_of(root, groups)
        yield "cpu_quota", quota.value if quota else None
        yield "memory_max", memory.value if memory else None
        for name, places in _NUMBERED.items():
            if number := _first(root, files_of(groups, *places)):
                yield name, None if number == "max" else whole(number)
    if found := _CPUS.search(root.text(f"/proc/{pid}/status")):
        yield "allowed_cpus", found[1]
    if found := _MEMLOCK.search(root.text(f"/proc/{pid}/limits")):
        yield "limit_memlock", None if found[1] == "unlimited" else whole(found[1])
    if (score := _signed(root.text(f"/proc/{pid}/oom_score_adj"))) is not None:
        yield "oom_score_adjust", score
    behind = root.text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(behind) > _NICE and (nice := _signed(behind[_NICE])) is not None:
        yield "nice", nice


def _first(root: Root, paths: Iterator[str]) -> str:
    """Return the number in the nearest file that is there: each group has one of its own."""
    path, text = next(((p, text) for p in paths if (text := root.text(p))), ("", ""))
    shares = whole(text) if path.endswith(_SHARES) else None
    return text if shares is None else str(round(shares / SHARES_PER_WEIGHT))


def _signed(text: str) -> int | None:
    number = whole(text.removeprefix("-"))
    return -number if number is not None and text.startswith("-") else number


def _throttled(root: Root, groups: Mapping[str, str]) -> tuple[int, int]:
    """Return in how many periods the nearest group with a quota had to wait, and of how many."""
    for path in files_of(groups, "cpu.stat", "cpu", "cpu.stat"):
        told = dict(line.split(" ", 1) for line in root.text(path).splitlines() if " " in line)
        if periods := whole(told.get("nr_periods", "")):
            return whole(told.get("nr_throttled", "")) or 0, periods
    return 0, 0
