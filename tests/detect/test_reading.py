"""Processors, control groups, software and disks, as they are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.detect.detected import Bound
from generator.detect.root import written_list
from generator.units import cpu_list
from tests.detect.machines import RECONSTRUCTED, files_of, machine, warned, with_files


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


def test_without_topology_cores_come_from_cpuinfo() -> None:
    cpu = with_files("xeon-cpu", {}, without="topology").cpu
    assert (cpu.cores, cpu.threads, cpu.sockets) == (12, 24, 1)


def test_kinds_of_core() -> None:
    laptop, spark, xeon = (machine(name).cpu for name in ("hybrid-laptop", "dgx-spark", "xeon-cpu"))
    assert (laptop.performance_cores, laptop.efficiency_cores) == (6, 8)
    # The X925 come in two speeds, which is no difference in kind.
    assert (spark.performance_cores, spark.efficiency_cores) == (10, 10)
    assert (xeon.performance_cores, xeon.efficiency_cores) == (0, 0)


def test_numa_nodes() -> None:
    nodes = machine("two-sockets").cpu.nodes
    assert [(node.id, node.memory) for node in nodes] == [
        (0, 197832440 * 1024),
        (1, 198102040 * 1024),
    ]
    assert nodes[0].cpus.startswith("0,2,4,")


def test_an_arm_core_that_is_not_known_has_no_name() -> None:
    text = files_of("dgx-spark")["proc/cpuinfo"].replace("0xd87", "0xfff")
    assert with_files("dgx-spark", {"proc/cpuinfo": text}).cpu.model == ""


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("0-3,8", {0, 1, 2, 3, 8}),
        ("5", {5}),
        ("", set()),
        ("3-1", set()),
        ("0-99999999", None),
        ("a-b", None),
        ("²", None),
    ],
)
def test_cpu_list(text: str, cpus: set[int] | None) -> None:
    assert cpu_list(text) == (None if cpus is None else frozenset(cpus))


@given(st.frozensets(st.integers(0, 300)))
def test_a_written_list_is_read_back(cpus: frozenset[int]) -> None:
    assert cpu_list(written_list(cpus)) == cpus


def test_containers_and_installs() -> None:
    spark, xeon = machine("dgx-spark"), machine("xeon-cpu")
    (docker,) = spark.containers.engines
    assert (docker.version, docker.nvidia_runtime) == ("28.3.3", True)
    assert (spark.containers.toolkit, spark.containers.cdi) == (
        "1.18.0",
        ("/var/run/cdi/nvidia.yaml",),
    )
    assert (spark.ollama.kind, xeon.ollama.kind) == ("script", "nixos")
    assert machine("two-sockets").ollama.version == "0.32.15"
    assert (machine("mig-guest").system.hypervisor, xeon.system.hypervisor) == ("KVM", "")
    assert machine("small-container").system.container == "docker"


def test_a_partition_has_the_disk_of_its_whole() -> None:
    kinds = {name: machine(name).disk.kind for name in RECONSTRUCTED}
    assert kinds == {
        "dgx-spark": "nvme",
        "dual-pascal": "ssd",
        "hybrid-laptop": "",
        "mig-guest": "",
        "radeon": "nvme",
        "small-container": "",
        "strix-halo": "nvme",
        "two-sockets": "hdd",
        "xeon-cpu": "nvme",
    }
