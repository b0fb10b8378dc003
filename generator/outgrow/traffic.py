"""What a log says of the requests that came: how many at once, how often, which were asked before.

An access log of HAProxy or Caddy, as docs/beyond.md sets them up, or a line of JSON for each
prompt. It is read once, line by line; what is kept has a bound, whatever the log is.
"""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from generator.errors import HostwrightError
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DAYS: Final = 31
LONGEST_LINE: Final = 1 << 20
MOST_PROMPTS: Final = 500_000
"""Different prompts that are remembered, each by eight bytes of a digest."""
REMEMBERED: Final = 3600.0
"""Seconds after which a cache has let go of an answer."""
BATCHED: Final = 4
_DAY: Final = 86_400
_MINUTE: Final = 60
_STEPS: Final = (1, 2, 4, 8, 16)
_DAMAGED: Final = 0.5
# [29/Nov/2026:10:00:00.123] front back/server TR/Tw/Tc/Tr/Ta status bytes; `option httplog`.
_HAPROXY: Final = re.compile(
    r"\[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d(?:\.\d{1,6})?)\] \S+ \S+ "
    r"(-?\d+)/(-?\d+)/(-?\d+)/(-?\d+)/\+?(-?\d+) (-?\d+) "
)
_ASKED: Final = re.compile(
    r"/(?:api/(?:generate|chat|embed\w*)|v1/(?:(?:chat/)?completions|embeddings|responses|messages))\b"
)


class Request(NamedTuple):
    """One request: when it came and how long it was served, after it waited so long.

    -1: not told. `prompt` is a digest of what was asked, empty: not told.
    """

    at: float
    seconds: float = -1.0
    waited: float = 0.0
    prompt: bytes = b""
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """Of the time in which anything was asked, so much (a share) with up to `at_once` requests."""

    at_once: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a log says; null: it does not tell.

    `per_second` is that of its busiest minute, or of its whole time where that is more, as it may
    be in little over a minute; `mean` is that of its whole time. `seconds` are those of a request
    in a slot, without what it waited. `above` is the share of the busy time with more than four at
    once, `repeated` that of requests whose prompt came within an hour before.
    """

    requests: int
    damaged: int
    span: float
    per_second: float
    mean: float
    seconds: float | None
    tokens: int | None
    most: int | None
    above: float | None
    busy: tuple[Busy, ...]
    repeated: float | None
    remarks: tuple[str, ...]


def read_log(lines: Iterable[bytes], source: str) -> Traffic:
    """Return what a log says. Raises HostwrightError for what is none, with the first bad line."""
    gathered, wrong = _Gathered(), ""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        found = None if len(line) >= LONGEST_LINE else _request(line)
        if isinstance(found, Request):
            gathered.add(found, source)
        elif found is None:
            gathered.damaged += 1
            wrong = wrong or f"{source}:{number}"
    if not gathered.requests or gathered.damaged > _DAMAGED * (
        gathered.damaged + gathered.requests
    ):
        raise HostwrightError(
            f"{wrong or source}: is no line of such a log"
            if wrong
            else f"{source}: has no request for a model",
            hint="give an access log of HAProxy (`option httplog`) or Caddy (`format json`), or "
            'JSON by line, like {"time": 1764500000, "seconds": 3.2, "prompt": "…"}',
        )
    return gathered.traffic()


def lines_of(stream: Any) -> Iterator[bytes]:  # noqa: ANN401 -- anything that is read as bytes
    """Yield the lines of a stream; of one that is too long its beginning, once."""
    while line := stream.readline(LONGEST_LINE):
        yield line
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)


def _request(line: bytes) -> Request | str | None:
    """Return the request of a line; a text: it is of something else; None: it is damaged."""
    text = line.decode("utf-8", "replace").strip()
    try:
        if text.startswith("{"):
            return _of_json(json.loads(text))
        return _of_haproxy(text)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None


def _of_haproxy(text: str) -> Request | str | None:
    found = _HAPROXY.search(text)
    if found is None:
        return None
    if not _ASKED.search(text, found.end()):
        return "other"
    at = datetime.strptime(found[1].partition(".")[0], "%d/%b/%Y:%H:%M:%S").timestamp()  # noqa: DTZ007 -- a log tells the time of its host, and only differences count
    waited, whole = int(found[3]), int(found[6])
    if waited < 0 or whole < 0:
        return Request(at)
    return Request(at, max(0, whole - waited) / 1000, waited / 1000)


def _of_json(row: Any) -> Request | str | None:  # noqa: ANN401 -- what JSON has
    if "request" in row and "duration" in row:  # Caddy, which writes when an answer has ended
        seconds = _number(row["duration"])
        if not _ASKED.search(str(row["request"]["uri"])):
            return "other"
        return Request(_time(row["ts"]) - seconds, seconds)
    asked = row.get("prompt", row.get("messages", row.get("input")))
    if asked is None and "time" not in row:
        return "other" if "msg" in row else None
    when = _time(row["time"]) if "time" in row else -1.0
    seconds = _number(row["seconds"]) if "seconds" in row else -1.0
    told = json.dumps([row.get("model"), asked], sort_keys=True).encode()
    digest = b"" if asked is None else hashlib.blake2b(told, digest_size=8).digest()
    return Request(when, seconds, 0.0, digest, int(_number(row.get("tokens", 0))))


def _number(value: object) -> float:
    number = float(value) if isinstance(value, (int, float)) else -1.0
    if not 0 <= number < DAYS * _DAY:
        raise ValueError("no such number")
    return number


def _time(value: object) -> float:
    if isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()
    if not isinstance(value, (int, float)) or not 0 <= value < 1e11:  # noqa: PLR2004 -- of a clock
        raise ValueError("no time")
    return float(value)


class _Gathered:
    """What is kept of a log: a number for each second of its time, and digests."""

    def __init__(self) -> None:
        self.requests = self.damaged = self.timed = self.served = self.tokens = 0
        self.seconds = 0.0
        self._began: int | None = None
        self._starts, self._part, self._whole = array("d"), array("d"), array("d")
        self._seen: dict[bytes, float] = {}
        self._prompts = self._again = 0
        self._forgot = False

    def add(self, one: Request, source: str) -> None:
        """Take a request in."""
        self.requests += 1
        self.tokens += one.tokens
        self._remember(one)
        if one.at < 0:
            return
        self.timed += 1
        first = self._place(one.at + one.waited, source)
        self._starts[first] += 1
        if one.seconds >= 0:
            self.served += 1
            self.seconds += one.seconds
            self._cover(one.at + one.waited, one.at + one.waited + one.seconds, source)

    def _remember(self, one: Request) -> None:
        if not one.prompt:
            return
        self._prompts += 1
        before = self._seen.get(one.prompt)
        if before is not None and one.at - before <= REMEMBERED:
            self._again += 1
        if before is None and len(self._seen) >= MOST_PROMPTS:
            self._forgot = True
            return
        self._seen[one.prompt] = one.at

    def _place(self, at: float, source: str) -> int:
        """Return where a second is; what comes up to a day before the first line has its place."""
        if self._began is None:
            self._began = int(at) - _DAY
        place = int(at) - self._began
        if not 0 <= place < DAYS * _DAY:
            raise HostwrightError(
                f"{source}: its times are more than {DAYS - 1} days apart, or not in order",
                hint="give a part of it, like that of one week",
            )
        if (missing := place + 2 - len(self._starts)) > 0:
            more = bytes(8 * (missing + _MINUTE))
            for row in (self._starts, self._part, self._whole):
                row.frombytes(more)
        return place

    def _cover(self, start: float, end: float, source: str) -> None:
        """Count a request in the seconds that it was served in, the first and last in part."""
        last, first = self._place(end, source), self._place(start, source)
        if first == last:
            self._part[first] += end - start
            return
        self._part[first] += 1 - start % 1
        self._part[last] += end % 1
        self._whole[first + 1] += 1
        self._whole[last] -= 1

    def traffic(self) -> Traffic:
        """Return what all of it says."""
        span, minute = self._paces()
        busy, above, most = self._busy()
        return Traffic(
            requests=self.requests,
            damaged=self.damaged,
            span=span,
            per_second=minute,
            mean=self.timed / span if span else 0.0,
            seconds=self.seconds / self.served if self.served and self.seconds else None,
            tokens=round(self.tokens / self.requests) if self.tokens else None,
            most=most,
            above=above,
            busy=busy,
            repeated=self._again / self._prompts if self._prompts else None,
            remarks=tuple(self._remarks()),
        )

    def _remarks(self) -> Iterator[str]:
        if self.damaged:
            yield f"{self.damaged} lines are of no such log, and were left out"
        if self._forgot:
            yield f"repeats are those of the first {MOST_PROMPTS} prompts"
        if self.timed < self.requests:
            yield "not every line tells a time"
        if self.timed and not self.served:
            yield "no line tells how long a request took, so that none is known to run at once"

    def _paces(self) -> tuple[float, float]:
        """Return the seconds from the first request to the last, and its busiest minute's rate."""
        places = [place for place, number in enumerate(self._starts) if number]
        if not places:
            return 0.0, 0.0
        first, last = places[0], places[-1]
        within = most = 0.0
        for place in range(first, last + 1):
            within += self._starts[place]
            within -= self._starts[place - _MINUTE] if place - _MINUTE >= first else 0
            most = max(most, within)
        span = float(last - first + 1)
        return span, max(most / min(_MINUTE, span), self.timed / span)

    def _busy(self) -> tuple[tuple[Busy, ...], float | None, int | None]:
        if not self.served:
            return (), None, None
        counts = [0] * (len(_STEPS) + 1)
        running, above, most = 0.0, 0, 0.0
        for part, change in zip(self._part, self._whole, strict=True):
            running += change
            at_once = running + part
            if at_once > 1e-9:  # noqa: PLR2004 -- nothing, but for what adding has left
                counts[
                    next((n for n, top in enumerate(_STEPS) if at_once <= top), len(_STEPS))
                ] += 1
                above += at_once > BATCHED
                most = max(most, at_once)
        total = sum(counts) or 1
        names = ("1", "2", "3-4", "5-8", "9-16", "17+")
        rows = tuple(
            Busy(at_once=name, share=count / total)
            for name, count in zip(names, counts, strict=True)
            if count
        )
        return rows, above / total, -int(-most // 1)
