"""What /proc and the control groups tell of a server, version 2 and 1."""

from generator.verify.process import process, processes, servers
from tests.detect.machines import Held

COMMAND = ("ollama", "serve")
STAT = "7 (ollama (x) y) S {parent} 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 {nice} 9 0 1"
V2 = "sys/fs/cgroup/system.slice/ollama.service"


def one(
    pid: int, words: str, parent: int = 1, group: str = "0::/x", **files: str
) -> dict[str, str]:
    told = {
        "cmdline": words.replace(" ", "\0") + "\0", "stat": STAT.format(parent=parent, nice=-5),
        "cgroup": group, **files,
    }  # fmt: skip
    return {f"proc/{pid}/{name}": text for name, text in told.items()}


def test_which_processes_are_servers() -> None:
    root = Held({
        **one(7, "/usr/local/bin/ollama serve"), **one(8, "ollama run x"),
        **one(9, "/bin/sh -c ollama serve"), **one(10, "/opt/o/ollama serve --x"),
        **one(11, ""), "proc/self/cmdline": "ollama\0serve\0",
    })  # fmt: skip
    assert servers(processes(root), COMMAND) == [7, 10]


def test_limits_of_version_2() -> None:
    root = Held({
        **one(7, "ollama serve", group="0::/system.slice/ollama.service",
              environ="A=1\0B=x=y\0", oom_score_adj="-500",
              status="Cpus_allowed_list:\t0-3,8\n", limits="Max locked memory   unlimited   x\n"),
        f"{V2}/cgroup.procs": "7", f"{V2}/cpu.max": "50000 100000", f"{V2}/cpu.weight": "200",
        "sys/fs/cgroup/system.slice/cpu.max": "25000 100000",
        f"{V2}/memory.max": "1048576", f"{V2}/memory.high": "max", f"{V2}/pids.max": "100",
        f"{V2}/cpu.stat": "usage_usec 5\nnr_periods 42\nnr_throttled 41\n",
    })  # fmt: skip
    found = process(root, 7, processes(root))
    assert found is not None
    assert found.variables == {"A": "1", "B": "x=y"}
    assert found.throttled == (41, 42)
    # The slice above is tighter, and holds.
    assert found.limits == {
        "cpu_quota": 25, "cpu_weight": 200, "memory_max": 1048576, "memory_high": None,
        "tasks_max": 100, "allowed_cpus": "0-3,8", "limit_memlock": None,
        "oom_score_adjust": -500, "nice": -5,
    }  # fmt: skip


def test_limits_of_version_1() -> None:
    groups = "4:memory:/docker/a\n2:cpu,cpuacct:/docker/a"
    base = "sys/fs/cgroup"
    root = Held({
        **one(7, "ollama serve", group=groups),
        f"{base}/cpu,cpuacct/docker/a/cgroup.procs": "7",
        f"{base}/cpu,cpuacct/docker/a/cpu.cfs_quota_us": "50000",
        f"{base}/cpu,cpuacct/docker/a/cpu.cfs_period_us": "100000",
        f"{base}/cpu,cpuacct/docker/a/cpu.shares": "2048",
        f"{base}/memory/docker/a/memory.limit_in_bytes": "67108864",
    })  # fmt: skip
    found = process(root, 7, processes(root))
    assert found is not None
    assert (found.limits["cpu_quota"], found.limits["memory_max"]) == (50, 67108864)
    assert found.limits["cpu_weight"] == 200


def test_groups_that_are_not_there_say_nothing() -> None:
    root = Held(one(7, "ollama serve"))
    found = process(root, 7, processes(root))
    assert found is not None
    assert found.limits == {"nice": -5}
    assert found.variables is None


def test_programs_of_models_and_what_they_got() -> None:
    root = Held({
        **one(7, "ollama serve"), **one(20, "llama-server --port 1", parent=7, environ="T=2\0"),
        **one(21, "ollama runner", parent=20), **one(30, "other", parent=1),
    })  # fmt: skip
    found = process(root, 7, processes(root))
    assert found is not None
    (child,) = found.children
    assert (child.command, child.variables) == (("llama-server", "--port", "1"), {"T": "2"})
    assert [inner.pid for inner in child.children] == [21]


def test_parents_in_a_circle_end() -> None:
    root = Held({**one(7, "ollama serve", parent=8), **one(8, "x", parent=7)})
    found = process(root, 7, processes(root))
    assert found is not None
    assert found.children[0].pid == 8
