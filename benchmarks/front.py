"""What a front costs, and what becomes of more requests than servers have slots.

    python -m benchmarks.front [--requests 2000] [--json]

A real HAProxy and a real Caddy, with the file that a profile gives them, before stubs: two of four
slots that hold 32 requests, and one that answers at once. Seconds of the processor are those of the
front; wall clock is that of a busy machine, with and without it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.consumers.front import fronted, running, stubs, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.plan import Plan
    from tests.consumers.front import Running, Stub

KINDS: Final = ("haproxy", "caddy")
QUEUE: Final = 'haproxy_backend_current_queue{proxy="ollama"}'
CLIENTS: Final = 32


def profile(kind: str) -> dict[str, Any]:
    """Return a profile of servers with four slots behind a front."""
    return {"ollama": {"num_parallel": 4}, "front": {"kind": kind}}


def plan_of(kind: str, servers: list[Stub]) -> Plan:
    """Return the Plan of a front before servers."""
    return fronted(profile(kind), {f"s{n}": one.port for n, one in enumerate(servers)})


def crowd(kind: str, folder: Path) -> dict[str, int]:
    """Return how many of 32 requests run on two servers of four slots, and how many wait."""
    with stubs(2) as servers, ThreadPoolExecutor(CLIENTS) as pool:
        with running(plan_of(kind, servers), folder) as front:
            until(front.healthy)
            asked = [pool.submit(front.ask, "/api/chat", b"{}") for _ in range(CLIENTS)]
            until(lambda: sum(one.running for one in servers) == 8)
            waiting = round(_queue(front)) if kind == "haproxy" else -1
            for one in servers:
                one.release()
            answered = sum(one.result()[0] == 200 for one in asked)
        most = max(one.most for one in servers)
    return {"waiting": waiting, "most_on_a_server": most, "answered": answered}


def _queue(front: Running) -> float:
    until(lambda: front.metrics().get(QUEUE) == CLIENTS - 8)
    return front.metrics()[QUEUE]


def cost(kind: str, folder: Path, requests: int) -> dict[str, float]:
    """Return milliseconds of a request without and with the front, and those of its processor."""
    with stubs(1) as (server,), running(plan_of(kind, [server]), folder) as front:
        until(front.healthy)
        server.release()
        direct = sorted(_seconds(server.port, requests))
        before = _cpu_seconds(front.process.pid)
        through = sorted(_seconds(front.port, requests))
        spent = _cpu_seconds(front.process.pid) - before
    return {
        "direct_p50_ms": round(1000 * statistics.median(direct), 2),
        "through_p50_ms": round(1000 * statistics.median(through), 2),
        "cpu_ms": round(1000 * spent / requests, 3),
    }


def _seconds(port: int, requests: int) -> Iterator[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(requests):
        began = time.perf_counter()
        connection.request("POST", "/api/chat", b"{}")
        connection.getresponse().read()
        yield time.perf_counter() - began
    connection.close()


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    ticks = 0
    for one in (str(pid), *children):
        fields = Path(f"/proc/{one}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            found[kind] = {**crowd(kind, Path(folder))}
        with tempfile.TemporaryDirectory() as folder:
            found[kind] |= cost(kind, Path(folder), options.requests)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for kind, numbers in found.items():
            print(kind, " ".join(f"{name}={value}" for name, value in numbers.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
