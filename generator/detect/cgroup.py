"""Limits of control groups that hold here: version 2 and 1, from this group up to the root.

The tightest holds. Where nothing is said, or the files are absent, there is no limit.
"""

from __future__ import annotations

from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

from generator.detect.detected import Bound, Bounds
from generator.detect.root import written_list
from generator.units import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from generator.detect.root import Root

_MOUNT: Final = "/sys/fs/cgroup"
# Version 1 has a number near 2⁶³ for "no limit", rounded to pages.
_UNLIMITED: Final = 2**60
_DEEPEST: Final = 128
"""Groups within groups: each is asked for its limits, and nobody has so many."""
# Where people log in. Their limits are those of the session, not of a service.
_SESSIONS: Final = "/user.slice"


def read_bounds(root: Root) -> Bounds:
    """Return the tightest memory, CPU time and CPUs; those of a login session are only reported."""
    groups = groups_of(root)
    memory, quota = memory_of(root, groups), quota_of(root, groups)
    # The nearest group that lists CPUs: the kernel has intersected them.
    places = files_of(groups, "cpuset.cpus.effective", "cpuset", "cpuset.effective_cpus")
    where = next((path for path in places if root.cpus(path)), "")
    if not groups.get("", "").startswith(_SESSIONS):
        return Bounds(memory, quota, written_list(root.cpus(where)) if where else "", where)
    for bound in filter(None, (memory, quota)):
        root.warn(bound.where, "bounds this login session, not a service; left out")
    return Bounds()


def memory_of(root: Root, groups: Mapping[str, str]) -> Bound | None:
    """Return the tightest limit of memory that holds in some groups; None: there is none."""
    sizes = files_of(groups, "memory.max", "memory", "memory.limit_in_bytes")
    return _tightest(filter(None, (_memory(root, path) for path in sizes)))


def quota_of(root: Root, groups: Mapping[str, str]) -> Bound | None:
    """Return the tightest quota of CPU time, in percent of one CPU; None: there is none."""
    return _tightest(_quotas(root, groups))


def _tightest(bounds: Iterable[Bound]) -> Bound | None:
    return min(bounds, key=attrgetter("value"), default=None)


def groups_of(root: Root, process: int | Literal["self"] = "self") -> dict[str, str]:
    """Return the groups of a process by controller; that of version 2 has the empty name."""
    file, groups = f"/proc/{process}/cgroup", dict[str, str]()
    for line in root.text(file).splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        parts = path.split("/")
        odd = ".." in parts or len(parts) > _DEEPEST
        if whole(number) is None or not path.startswith("/") or odd:
            root.strange(file, line, "is not a control group")
            continue
        for name in names.split(","):
            groups[name] = path
    return groups


def files_of(groups: Mapping[str, str], name: str, controller: str, old_name: str) -> Iterator[str]:
    """Yield the paths of one limit, from this group up: version 2 first, then version 1's."""
    old_mounts = (f"/{controller}", f"/{controller},cpuacct")
    for key, mounts, file in (("", ("", "/unified"), name), (controller, old_mounts, old_name)):
        here = PurePosixPath(groups.get(key, "/"))
        for mount in mounts:
            for group in (here, *here.parents):
                yield f"{_MOUNT}{mount}{str(group).rstrip('/')}/{file}"


def _memory(root: Root, path: str) -> Bound | None:
    size = None if root.text(path) == "max" else root.number(path)
    return Bound(size, path) if size and size < _UNLIMITED else None


def _quotas(root: Root, groups: Mapping[str, str]) -> Iterator[Bound]:
    """Yield the percents of one CPU, as of `200000 100000`, rounded down but at least one."""
    for path in files_of(groups, "cpu.max", "cpu", "cpu.cfs_quota_us"):
        text = root.text(path)
        if path.endswith("cpu.cfs_quota_us") and text:
            period = root.text(path.replace("cfs_quota", "cfs_period"))
            text = f"{text.replace('-1', 'max')} {period}"
        parts = text.split()
        if parts[:1] == ["max"]:
            continue
        if len(parts) == 2 and all(whole(part) for part in parts):  # noqa: PLR2004
            yield Bound(max(1, int(parts[0]) * 100 // int(parts[1])), path)
        else:
            root.strange(path, text, "is not a quota")
