"""What a server used while a load ran: counted by hand, and seen of a process that works."""

import subprocess
import sys

import psutil
import pytest

from generator.bench import watch
from generator.bench.usage import (
    GpuUse,
    Usage,
    between,
    by_server,
    counters,
    gpus_of,
    together,
    waited,
)
from generator.bench.watch import Watch
from generator.live import process
from generator.live.process import server_process
from tests.live.stub import Installed, Stub, serving

GIB = 2**30
S = 10**9


def test_shares_of_cpu() -> None:
    """Seed 003's own figures: 734 % of 2000, on 20 threads, are 36.7 % of each."""
    found = Usage(wall=10 * S, cpu=73 * S + 4 * S // 10, quota=2000, cpus=24, threads=20)
    assert found.percent == pytest.approx(734)
    assert found.of_quota == pytest.approx(0.367)
    assert found.per_thread == pytest.approx(0.367)
    free = Usage(wall=10 * S, cpu=12 * S, cpus=24)
    assert free.of_quota == pytest.approx(0.05)
    assert free.per_thread == 0


# `nvidia-smi --query-gpu=index,name,memory.used,memory.total,utilization.gpu` of seed 000's cards,
# and of a GB10, which tells no memory.
PASCAL = "0, Quadro P4000, 3041, 8192, 0\n1, NVIDIA GeForce GTX 1060 6GB, 3253, 6144, 50\n"
GB10 = "0, NVIDIA GB10, [N/A], [N/A], 93\n"


def test_gpus_as_the_driver_tells_them() -> None:
    first, second = gpus_of(PASCAL, 32 * GIB)
    assert (first.name, first.memory, first.total, first.busy) == (
        "0 Quadro P4000", 3041 * 2**20, 8 * GIB, 0,
    )  # fmt: skip
    assert Usage(wall=1, gpus=(first, second)).fullest == pytest.approx(3253 / 6144)
    (unified,) = gpus_of(GB10, 120 * GIB)
    assert (unified.memory, unified.total, unified.busy) == (0, 120 * GIB, 93)
    assert gpus_of("No devices were found\n\x1b[2J, a\n", 1) == ()


def test_of_several_looks_the_most_memory_and_the_mean_time() -> None:
    told = ((10, "0"), (30, "[N/A]"), (20, "50"))
    looks = [gpus_of(f"0, A, {used}, 100, {busy}", 0) for used, busy in told]
    (found,) = together([*looks, ()])
    assert (found.memory, found.busy) == (30 * 2**20, 25)


def test_where_the_driver_tells_no_memory_the_server_does() -> None:
    unified = Usage(wall=1, gpus=gpus_of(GB10, 120 * GIB))
    assert by_server(unified, 30 * GIB).fullest == 0.25
    assert by_server(Usage(wall=1), GIB).gpus == (
        GpuUse(name="GPUs, by /api/ps", memory=GIB, total=0),
    )
    told = Usage(wall=1, gpus=gpus_of(PASCAL, 0))
    assert by_server(told, GIB) == told
    assert by_server(Usage(wall=1), 0).gpus == ()


def test_what_the_kernel_counts() -> None:
    stat = "usage_usec 5000\nnr_periods 20\nnr_throttled 3\nthrottled_usec x\n"
    assert counters(stat) == {"usage_usec": 5000, "nr_periods": 20, "nr_throttled": 3}
    pressure = "some avg10=0.00 avg60=0.1 avg300=0.0 total=1500\nfull avg10=0.00 total=7\n"
    assert (waited(pressure), waited(""), waited("some total=x")) == (1_500_000, -1, -1)
    assert between({"cpu": 5}, {"cpu": 9}, "cpu") == 4
    assert between({"cpu": -1}, {"cpu": 9}, "cpu") == between({}, {}, "cpu") == -1


WORKS = """
import sys, time
block = bytearray(64 << 20)
print(flush=True)
sys.stdin.read(1)
end = time.process_time() + 0.2
while time.process_time() < end:
    pass
print(flush=True)
sys.stdin.read()
"""


def test_a_process_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """It computes for a fifth of a second, and has 64 MiB that no file is behind."""
    monkeypatch.setattr(watch, "EVERY", 0.01)
    argv = [sys.executable, "-c", WORKS]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdout.readline()
        seen = Watch(worker.pid, cpus=2, memory=GIB)
        with seen.while_():
            worker.stdin.write(b"x")
            worker.stdin.flush()
            worker.stdout.readline()
        worker.stdin.close()
    assert seen.usage is not None
    assert 0.15 * S < seen.usage.cpu < S
    assert seen.usage.memory > 64 * 2**20
    assert seen.usage.wall >= 0.2 * S


def test_who_listens_is_the_server() -> None:
    with serving(Stub([Installed("mine:1b")])) as stub:
        port = int(stub.url.rpartition(":")[2])
        assert server_process(port, "ollama") == psutil.Process().pid
        assert Watch.at(stub.url) is not None
    assert Watch.at("http://203.0.113.9:11434") is None


@pytest.mark.parametrize(
    ("commands", "found"),
    [
        ([["/usr/bin/ollama", "serve"], ["ollama", "run"]], 1),
        ([["ollama", "serve"], ["/opt/ollama", "serve"]], 0),
        ([[], ["ollama"]], 0),
    ],
)
def test_one_that_is_hidden_is_the_only_one(
    monkeypatch: pytest.MonkeyPatch, commands: list[list[str]], found: int
) -> None:
    class Fake:
        def __init__(self, pid: int, words: list[str]) -> None:
            self.pid, self.info = pid, {"cmdline": words}

    every = [Fake(pid, words) for pid, words in enumerate(commands, start=1)]
    monkeypatch.setattr(psutil, "net_connections", lambda **_: [])
    monkeypatch.setattr(psutil, "process_iter", lambda _: iter(every))
    assert server_process(11434, "ollama") == found


def test_threads_that_compute() -> None:
    class Runner:
        def cmdline(self) -> list[str]:
            return ["llama-server", "--model", "x", "--threads", "12", "--port", "1"]

    class Told(Runner):
        def cmdline(self) -> list[str]:
            return ["llama-server", "--threads", "many"]

        def environ(self) -> dict[str, str]:
            return {"LLAMA_ARG_THREADS": "6"}

    class Hidden(Runner):
        def cmdline(self) -> list[str]:
            raise psutil.AccessDenied

        environ = cmdline

    assert process.threads([Hidden(), Runner()]) == 12
    assert process.threads([Told()]) == 6
    assert process.threads([Hidden()]) == 0


def test_a_process_that_ends_while_it_is_watched() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        pass
    seen = Watch(gone.pid, cpus=2, memory=GIB)
    with seen.while_():
        pass
    assert seen.usage is not None
    assert (seen.usage.cpu, seen.usage.memory) == (0, 0)
    assert process.used(process.family(gone.pid)) == []
