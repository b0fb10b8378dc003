"""Processors, as they are read."""

from __future__ import annotations

from tests.detect.machines import files_of, machine, with_files


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
