"""The load: so many requests at once, or as they are due, each in a thread of its own.

Nobody waits for a thread: when the time is up, what has not answered is counted as such.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from generator.bench.measurement import Level, Sample
from generator.bench.usage import summed
from generator.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from generator.live.client import Server

    Ask = Callable[[int, int], Sample]
    Prepare = Callable[[int], Ask]
    Told = Callable[[int], None]
    Answers = queue.SimpleQueue[Sample | BaseException]

MOST_AT_ONCE: Final = 1000
CROWDED: Final = f"not sent: {MOST_AT_ONCE} requests were under way already"


def closed_loop(prepare: Prepare, number: int, at_once: int, server: Server, told: Told) -> Level:
    """Return what becomes of `number` requests, `at_once` of them under way until the last.

    `prepare` makes one by its number, which costs no time that is measured; what it returns sends
    it, given when the level began and when the request is due.
    """
    answers: Answers = queue.SimpleQueue()
    began, numbers, lock = time.monotonic_ns(), iter(range(number)), threading.Lock()

    def work() -> None:
        while server.left > 0:
            with lock:
                index = next(numbers, None)
            if index is None:
                return
            ask = prepare(index)
            answers.put(ask(began, time.monotonic_ns() - began))

    for _ in range(min(at_once, number)):
        _start(work, answers)
    found: list[Sample] = []
    for sample in _until(answers, server, number):
        found.append(sample)
        told(len(found))
    return _level(found, number, began, server, at_once=at_once)


def held(dues: Sequence[int], window: int, most: int) -> Iterator[int]:
    """Yield when each request is sent by a client that holds them, to send several together.

    A window opens with a request, and closes after so long, or as soon as it has `most` of them.
    """
    waiting: list[int] = []
    for due in dues:
        if waiting and due >= waiting[0] + window:
            yield from [waiting[0] + window] * len(waiting)
            waiting = []
        waiting.append(due)
        if len(waiting) == most:
            yield from [due] * most
            waiting = []
    if waiting:
        yield from [waiting[0] + window] * len(waiting)


def open_loop(
    prepare: Prepare,
    dues: Sequence[int],
    per_second: float,
    server: Server,
    told: Told,
    *,
    window: int = 0,
    most: int = 0,
) -> Level:
    """Return what becomes of requests that are sent when they are due, answered or not.

    Each is timed from when it was due: a server that is slow is not spared the waiting. With a
    `window` a client holds them first, up to `most` together.
    """
    answers: Answers = queue.SimpleQueue()
    began, found = time.monotonic_ns(), list[Sample]()
    sends = held(dues, window, most) if window else dues
    for index, (due, send) in enumerate(zip(dues, sends, strict=True)):
        ask = prepare(index)
        pause = (began + send - time.monotonic_ns()) / 1e9
        if pause > server.left:
            time.sleep(max(server.left, 0))
            break
        time.sleep(max(pause, 0))
        if index - answers.qsize() >= MOST_AT_ONCE:
            answers.put(Sample(due=due, error=CROWDED))
            continue
        _start(partial(_put, answers, ask, began, due), answers)
        told(answers.qsize())
    for sample in _until(answers, server, len(dues)):
        found.append(sample)
        told(len(found))
    return _level(found, len(dues), began, server, per_second=per_second, window=window)


def joined(levels: Sequence[Level]) -> Level:
    """Return parts of one load as if the next had begun where the one before ended."""
    first, samples, wall = levels[0], list[Sample](), 0
    for level in levels:
        samples += [_later(sample, wall) for sample in level.samples]
        wall += level.wall
    used = [level.usage for level in levels if level.usage is not None]
    usage = summed(used) if len(used) == len(levels) else None
    return replace(first, wall=wall, samples=tuple(samples), usage=usage)


def _later(sample: Sample, by: int) -> Sample:
    if not by:
        return sample
    ended = sample.ended + by if sample.ended else 0
    first = sample.first + by if sample.first else 0
    return replace(sample, due=sample.due + by, first=first, ended=ended)


def _start(work: Callable[[], None], answers: Answers) -> None:
    """Do some work in a thread; what goes wrong in it is an answer, too."""

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 -- raised where somebody waits
            answers.put(error)

    try:
        threading.Thread(target=run, daemon=True).start()
    except RuntimeError as error:
        message = f"this machine starts no more threads: {error}"
        raise EnvironmentFailure(message, hint="ask for fewer requests at once") from error


def _put(answers: Answers, ask: Ask, began: int, due: int) -> None:
    answers.put(ask(began, due))


def _until(answers: Answers, server: Server, number: int) -> Iterator[Sample]:
    """Yield what is answered, until all is or the time is up."""
    for _ in range(number):
        try:
            found = answers.get(timeout=max(server.left, 0))
        except queue.Empty:
            return
        if isinstance(found, BaseException):
            raise found
        yield found


def _level(
    found: list[Sample],
    number: int,
    began: int,
    server: Server,
    *,
    at_once: int = 0,
    per_second: float = 0.0,
    window: int = 0,
) -> Level:
    late = [Sample(error=server.late)] * (number - len(found))
    # Whom nobody answered, took until now: the last answer came long before.
    lost = late or any(each.error for each in found)
    ended = 0 if lost else max((each.ended for each in found), default=0)
    return Level(
        at_once=at_once,
        per_second=per_second,
        wall=ended or time.monotonic_ns() - began,
        samples=(*found, *late),
        window=window,
    )
