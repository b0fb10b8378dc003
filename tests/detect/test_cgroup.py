"""Limits of control groups, and what they leave."""

from __future__ import annotations

import pytest

from generator.detect.detected import Bound
from tests.detect.machines import warned, with_files


@pytest.mark.parametrize(
    ("files", "memory", "quota"),
    [
        ({}, None, None),
        ({"sys/fs/cgroup/memory.max": "max", "sys/fs/cgroup/cpu.max": "max 100000"}, None, None),
        (
            # The tightest on the way up holds, wherever it is.
            {
                "proc/self/cgroup": "0::/a/b",
                "sys/fs/cgroup/a/b/memory.max": "4294967296",
                "sys/fs/cgroup/a/memory.max": "2147483648",
                "sys/fs/cgroup/a/b/cpu.max": "150000 100000",
                "sys/fs/cgroup/a/cpu.max": "800000 100000",
            },
            Bound(2147483648, "/sys/fs/cgroup/a/memory.max"),
            Bound(150, "/sys/fs/cgroup/a/b/cpu.max"),
        ),
        (
            # A container whose group is named as on its host, and mounted at its own root.
            {
                "proc/self/cgroup": "0::/system.slice/docker-0123.scope",
                "sys/fs/cgroup/memory.max": "1073741824",
            },
            Bound(1073741824, "/sys/fs/cgroup/memory.max"),
            None,
        ),
        (
            # Version 1, as a container of an old engine has it.
            {
                "proc/self/cgroup": "4:memory:/docker/0123\n1:cpu,cpuacct:/docker/0123",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "3221225472",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "250000",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
            },
            Bound(3221225472, "/sys/fs/cgroup/memory/memory.limit_in_bytes"),
            Bound(250, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"),
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/\n1:cpu,cpuacct:/",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
            },
            None,
            None,
        ),
    ],
    ids=["absent", "unlimited", "tightest", "own-root", "version-1", "version-1-unlimited"],
)
def test_bounds(files: dict[str, str], memory: Bound | None, quota: Bound | None) -> None:
    found = with_files("xeon-cpu", {"proc/self/cgroup": "0::/", **files})
    assert (found.bounds.memory, found.bounds.quota) == (memory, quota)
    assert not found.warnings
    assert found.usable.memory == (memory.value if memory else 32803216 * 1024)


def test_a_cpuset_leaves_whole_cores_and_their_threads() -> None:
    # CPUs 0-5 and their siblings 12-17, and one sibling of core 6.
    changes = {
        "proc/self/cgroup": "0::/",
        "sys/fs/cgroup/cpuset.cpus.effective": "0-5,12-18",
    }
    usable = with_files("xeon-cpu", changes).usable
    assert (usable.cores, usable.threads) == (7, 13)


def test_a_cpuset_over_two_kinds_of_core() -> None:
    changes = {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpuset.cpus.effective": "0-3,12-19"}
    usable = with_files("hybrid-laptop", changes).usable
    assert (usable.cores, usable.performance_cores) == (10, 2)


def test_limits_of_a_login_session_are_told_and_left_out() -> None:
    limit = "sys/fs/cgroup/user.slice/user-1000.slice/memory.max"
    found = with_files("xeon-cpu", {limit: "1073741824"})
    assert found.bounds.memory is None
    assert warned(found) == {
        f"/{limit}": "bounds this login session, not a service; left out",
    }


def test_a_limit_above_the_memory_is_no_limit() -> None:
    changes = {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": str(2**40)}
    assert with_files("xeon-cpu", changes).usable.memory == 32803216 * 1024
