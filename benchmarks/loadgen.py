"""How true the load generator of `gen bench` is: many streams at a steady pace, gap by gap.

    python -m benchmarks.loadgen [streams] [tokens per second] [tokens]

A server in a process of its own sends each token when it is due and keeps when it was sent; what
the generator saw between two tokens is compared with what was between them when they were sent, so
that a server that is late itself is not the generator's error.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import sys
import time
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from generator.bench.load import closed_loop
from generator.bench.measurement import Workload
from generator.bench.request import timed
from generator.bench.statistics import quantile
from generator.live.client import Server

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from generator.bench.measurement import Level, Sample

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
)
PATIENCE = 300.0
Gaps = dict[str, list[int]]


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
        sent[body["prompt"]] = [b - a for a, b in pairwise(times)]
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


def measured(streams: int, pace: float, tokens: int) -> tuple[Level, Gaps]:
    """Return what the generator saw, and the gaps as they were sent."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, pace))
    process.start()
    server = Server.at(f"http://127.0.0.1:{ours.recv()}", PATIENCE)
    work = Workload(api="ollama", requests=streams, prompt_tokens=1, output_tokens=tokens, seed=1)

    def ask(index: int, began: int, due: int) -> Sample:
        # The order in which answers come says nothing: the name is kept where it is not read.
        found = timed(server, "any", work, str(index), began, due)
        seen[str(index)] = list(found.gaps)
        return found

    seen: Gaps = {}
    level = closed_loop(ask, streams, streams, server, lambda _: None)
    ours.send(None)
    sent: Gaps = ours.recv()
    process.join()
    return level, {name: _errors(sent[name], seen[name]) for name in sent}


def _errors(sent: list[int], seen: list[int]) -> list[int]:
    assert len(sent) == len(seen)
    return [abs(a - b) for a, b in zip(sent, seen, strict=True)]


def main(streams: int = 200, rate: int = 20, tokens: int = 100) -> None:
    """Print the figures."""
    pace = 1 / rate
    level, errors = measured(streams, pace, tokens)
    used = resource.getrusage(resource.RUSAGE_SELF)
    assert len(level.good) == streams, level.samples[0].error
    gaps = sorted(gap for sample in level.good for gap in sample.gaps)
    wrong = sorted(error for each in errors.values() for error in each)
    print(f"{streams} streams of {rate} tokens/s, {tokens} tokens each: {len(gaps)} gaps")
    print(f"seen: median {median(gaps) / 1e6:.2f} ms, p99 {quantile(gaps, 0.99) / 1e6:.2f} ms")
    for share in (0.5, 0.95, 0.99):
        error = quantile(wrong, share)
        print(f"error p{share * 100:.0f}: {error / 1e6:.3f} ms, {error / pace / 1e9:.2%} of a gap")
    shift = [quantile(gaps, share) / pace / 1e9 - 1 for share in (0.5, 0.99)]
    print(f"p50 and p99 of the gaps are {shift[0]:+.2%} and {shift[1]:+.2%} off the pace")
    cpu = used.ru_utime + used.ru_stime
    print(f"CPU of the generator: {cpu:.1f} s in {level.wall / 1e9:.1f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
