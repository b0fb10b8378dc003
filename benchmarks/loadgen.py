"""How true the load generator of `gen bench` is: many streams at a steady pace, gap by gap.

    python -m benchmarks.loadgen [streams] [tokens per second] [tokens]

A server in a process of its own sends each token when it is due and keeps when it was sent; what
the generator saw between two tokens is compared with what was between them when they were sent, so
that a server that is late itself is not the generator's error. A machine that has other work delays
both: on each processor a process that only sleeps keeps when it was woken late, and gaps in which
none was are told apart.
"""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import resource
import sys
import time
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from generator.bench.load import closed_loop
from generator.bench.measurement import Workload
from generator.bench.request import timed
from generator.bench.statistics import quantile
from generator.live.client import Server

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from generator.bench.measurement import Level, Sample

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
)
PATIENCE = 300.0
TICK = 2_000_000
LATE = 1_000_000
Stall = tuple[int, int]
Gaps = dict[str, list[tuple[int, int]]]
"""When each token was sent, and how long after the one before; by the prompt of its stream."""


def watch(pipe: Connection, processor: int) -> None:
    """Sleep on one processor until told to end; answer with the times in which it was not there."""
    os.sched_setaffinity(0, {processor})
    stalls, before = [], time.monotonic_ns()
    while not pipe.poll():
        time.sleep(TICK / 1e9)
        now = time.monotonic_ns()
        if now - before > TICK + LATE:
            stalls.append((before, now))
        before = now
    pipe.send(stalls)


def serve(pipe: Connection, pace: float) -> None:
    """Serve streams until told to end; answer with the gaps of each, by its prompt."""
    asyncio.run(_serve(pipe, pace))


async def _serve(pipe: Connection, pace: float) -> None:
    sent: Gaps = {}

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await _body(reader)
        times, count = [], int(body["options"]["num_predict"])
        writer.write(HEAD)
        due = time.monotonic()
        for at in range(count):
            await asyncio.sleep(max(due - time.monotonic(), 0))
            times.append(time.monotonic_ns())
            _send(writer, {"response": f"w{at} ", "done": False})
            due += pace
        _send(writer, {"response": "", "done": True, "eval_count": count})
        writer.write(b"0\r\n\r\n")
        sent[body["prompt"]] = [(b, b - a) for a, b in pairwise(times)]
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(stream, "127.0.0.1", 0, backlog=1024)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.to_thread(pipe.recv)
    pipe.send(sent)


async def _body(reader: asyncio.StreamReader) -> Any:  # noqa: ANN401 -- JSON
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(head.partition(b"content-length:")[2].split()[0])
    return json.loads(await reader.readexactly(size))


def _send(writer: asyncio.StreamWriter, part: object) -> None:
    data = json.dumps(part).encode() + b"\n"
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


class Seen(NamedTuple):
    """A gap of a stream: when it ended as it was sent, how long it was, and how long it seemed."""

    at: int
    sent: int
    seen: int

    @property
    def error(self) -> int:
        """How wrong it is."""
        return abs(self.seen - self.sent)


def measured(streams: int, pace: float, tokens: int) -> tuple[Level, list[Seen], list[Stall]]:
    """Return what the generator saw, each gap, and when the machine stood still."""
    watches = [_started(watch, number) for number in sorted(os.sched_getaffinity(0))]
    process, pipe = _started(serve, pace)
    server = Server.at(f"http://127.0.0.1:{pipe.recv()}", PATIENCE)
    work = Workload(api="ollama", requests=streams, prompt_tokens=1, output_tokens=tokens, seed=1)
    seen: dict[str, tuple[int, ...]] = {}

    def ask(index: int, began: int, due: int) -> Sample:
        # The order in which answers come says nothing: the name is kept where it is not read.
        found = timed(server, "any", work, str(index), began, due)
        seen[str(index)] = found.gaps
        return found

    level = closed_loop(lambda index: partial(ask, index), streams, streams, server, lambda _: None)
    sent: Gaps = _ended(process, pipe)
    stalls = sorted(stall for each in watches for stall in _ended(*each))
    gaps = [
        Seen(at, length, as_seen)
        for name, each in sent.items()
        for (at, length), as_seen in zip(each, seen[name], strict=True)
    ]
    return level, gaps, stalls


def _started(work: Any, argument: float) -> tuple[BaseProcess, Connection]:  # noqa: ANN401
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=work, args=(theirs, argument))
    process.start()
    return process, ours


def _ended(process: BaseProcess, pipe: Connection) -> Any:  # noqa: ANN401 -- what it answers
    pipe.send(None)
    answer = pipe.recv()
    process.join()
    return answer


def undisturbed(gaps: list[Seen], stalls: list[Stall]) -> list[Seen]:
    """Return the gaps at neither end of which the machine stood still."""
    ends = [(begin - LATE, end + LATE) for begin, end in stalls]

    def quiet(at: int) -> bool:
        return not any(begin <= at <= end for begin, end in ends)

    return [gap for gap in gaps if quiet(gap.at) and quiet(gap.at - gap.sent)]


def _errors(gaps: list[Seen], pace: float) -> str:
    wrong = sorted(gap.error for gap in gaps)
    if not wrong:
        return "none"
    found = [quantile(wrong, share) / pace / 1e9 for share in (0.5, 0.95, 0.99)]
    return "p50 {:.2%}, p95 {:.2%}, p99 {:.2%} of a gap".format(*found)


def main(streams: int = 200, rate: int = 20, tokens: int = 100) -> None:
    """Print the figures."""
    gc.disable()  # as `gen` does
    pace = 1 / rate
    level, gaps, stalls = measured(streams, pace, tokens)
    used = resource.getrusage(resource.RUSAGE_SELF)
    assert len(level.good) == streams, level.samples[0].error
    quiet = undisturbed(gaps, stalls)
    print(f"{streams} streams of {rate} tokens/s, {tokens} tokens each: {len(gaps)} gaps")
    print(f"error of all of them: {_errors(gaps, pace)}")
    share = len(quiet) / len(gaps)
    print(f"error of those ({share:.0%}) in which the machine was there: {_errors(quiet, pace)}")
    lost = sum(end - begin for begin, end in stalls) / 1e9
    print(f"processors that were elsewhere: {lost:.1f} s in {level.wall / 1e9:.1f} s")
    print(f"CPU of the generator: {used.ru_utime + used.ru_stime:.1f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
