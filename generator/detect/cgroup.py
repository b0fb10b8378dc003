"""Limits of control groups that hold here: version 2 and 1, from this group up to the root.

The tightest holds. Where nothing is said, or the files are absent, there is no limit.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from generator.detect.detected import Bound, Bounds
from generator.detect.root import one_line, whole, written_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.detect.root import Root

_MOUNT: Final = "/sys/fs/cgroup"
# Version 1 has a number near 2⁶³ for "no limit", rounded to pages.
_UNLIMITED: Final = 2**60
# Where people log in. Their limits are those of the session, not of a service.
_SESSIONS: Final = "/user.slice"


def read_bounds(root: Root) -> Bounds:
    """Return the tightest memory, CPU time and CPUs; those of a login session are only reported."""
    groups = _groups(root)
    sizes = _files(groups, "memory.max", ("memory", "memory.limit_in_bytes"))
    memory = min(filter(None, (_memory(root, path) for path in sizes)), key=_value, default=None)
    quota = min(filter(None, _quotas(root, groups)), key=_value, default=None)
    cpus, where = _cpus(root, groups)
    if not groups.get("", "").startswith(_SESSIONS):
        return Bounds(memory, quota, cpus, where)
    for bound in filter(None, (memory, quota)):
        root.warn(bound.where, "bounds this login session, not a service; left out")
    return Bounds()


def _value(bound: Bound) -> int:
    return bound.value


def _groups(root: Root) -> dict[str, str]:
    """Return the path of this process by controller; version 2 is the empty name."""
    groups: dict[str, str] = {}
    for line in root.text("/proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if not whole(number) or not path.startswith("/") or ".." in path.split("/"):
            root.warn("/proc/self/cgroup", f"`{one_line(line, 40)}` is not a control group")
            continue
        for name in names.split(","):
            groups[name] = path
    return groups


def _upwards(path: str) -> Iterator[str]:
    """Yield a group and all above it, the root as the empty text."""
    here = PurePosixPath(path)
    for folder in (here, *here.parents):
        yield "" if str(folder) in {"/", "."} else str(folder)


def _files(groups: dict[str, str], name: str, old: tuple[str, str]) -> Iterator[str]:
    """Yield the paths of one limit, version 2 first, then version 1's (controller, file)."""
    controller, old_name = old
    for mount in (_MOUNT, f"{_MOUNT}/unified"):
        for group in _upwards(groups.get("", "/")):
            yield f"{mount}{group}/{name}"
    for folder in (controller, f"{controller},cpuacct"):
        for group in _upwards(groups.get(controller, "/")):
            yield f"{_MOUNT}/{folder}{group}/{old_name}"


def _memory(root: Root, path: str) -> Bound | None:
    text = root.text(path)
    if text in {"", "max"}:
        return None
    size = root.number(path)
    return Bound(size, path) if size is not None and 0 < size < _UNLIMITED else None


def _quotas(root: Root, groups: dict[str, str]) -> Iterator[Bound | None]:
    for path in _files(groups, "cpu.max", ("cpu", "cpu.cfs_quota_us")):
        text = root.text(path)
        if path.endswith("cpu.cfs_quota_us") and text:
            period = root.text(path.replace("cfs_quota", "cfs_period"))
            text = f"{text.replace('-1', 'max')} {period}"
        if text:
            yield _quota(root, path, text)


def _quota(root: Root, path: str, text: str) -> Bound | None:
    """Return the percent of one CPU in `200000 100000`, rounded down but at least one."""
    parts = text.split()
    if parts[0] == "max":
        return None
    if len(parts) != 2 or not all(whole(p) and int(p) > 0 for p in parts):  # noqa: PLR2004
        root.warn(path, f"`{one_line(text, 40)}` is not a quota")
        return None
    return Bound(max(1, int(parts[0]) * 100 // int(parts[1])), path)


def _cpus(root: Root, groups: dict[str, str]) -> tuple[str, str]:
    """Return the CPUs of the nearest group that says so; the kernel has intersected them."""
    for path in _files(groups, "cpuset.cpus.effective", ("cpuset", "cpuset.effective_cpus")):
        if cpus := root.cpus(path):
            return written_list(cpus), path
    return "", ""
