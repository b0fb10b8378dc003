"""The testing checklist and the comparisons of the reports, filled in from a Measurement. Pure.

Each item is what a report says to try, and what was seen of it here; what needs a restart of the
server is named with the command that does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from generator.bench.compare import compare
from generator.bench.statistics import median
from generator.bench.summary import split
from generator.bench.words import milliseconds, number
from generator.records import dataclass
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.bench.measurement import Level, Measurement, Sample, StartKind

State = Literal["done", "failed", "not here"]
AT_ONCE: Final = (1, 4, 10)
"""What the checklist asks for."""
QUEUED: Final = 0.3
"""Of an answer that waits so long for a slot, others were before it."""
FOREVER: Final = 10**8
"""Seconds: three years, which is as long as `keep_alive = -1` means."""
SAVED: Final = 0.5
"""A prompt that is known takes less than this share of the time that it took at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item: which report and line it is of, what it asks for, and what was seen."""

    report: str
    line: str
    item: str
    state: State
    seen: str


def checklist(found: Measurement, before: Measurement | None) -> tuple[Item, ...]:
    """Return both lists, filled in; `before` is an earlier measurement to look for regressions."""
    return (*_testing(found, before), *_comparisons(found))


def _testing(found: Measurement, before: Measurement | None) -> Iterator[Item]:
    one, four, ten = (_level(found, number) for number in AT_ONCE)
    yield _item("001", "384", "baseline, one request at a time", _baseline(one))
    yield _item("001", "385", "four requests at once", _four(one, four))
    yield _item("001", "386", "the model stays loaded", _stays(found))
    yield _item("001", "387", "ten requests at once", _stress(ten))
    yield _item("001", "388", "GPU memory at the peak", _vram(found))
    yield _item("001", "389", "a cold start", _cold(found))
    yield _item("001", "390", "the same prompt again", _again(found.repeated))
    yield _item("001", "391", "regressions", _regressions(found, before))


def _comparisons(found: Measurement) -> Iterator[Item]:
    yield _item("000", "123, 321", "a short answer", _short(_level(found, 1)))
    yield _item("000", "130, 246", "cold against warm", _cold(found))
    yield _restart("142, 250", "flash attention on and off", "ollama.flash_attention=true,false")
    told = "measure twice, once with gpu.visible_devices, then gen bench compare"
    yield _item("000", "149, 254", "one GPU and several", ("not here", told))
    yield _restart("211, 258", "another quantisation", f"model={found.model},TAG")


_Seen = tuple[State, str]
_NONE: Final[_Seen] = ("not here", "no request of it was answered")


def _item(report: str, line: str, item: str, seen: _Seen) -> Item:
    return Item(report=report, line=line, item=item, state=seen[0], seen=seen[1])


def _restart(line: str, item: str, key: str) -> Item:
    told = f"needs a restart between: gen bench --ab {key}"
    return _item("000", line, item, ("not here", told))


def _level(found: Measurement, at_once: int) -> Level | None:
    return next((level for level in found.levels if level.at_once == at_once and level.good), None)


def _rate(level: Level) -> float:
    tokens = sum(sample.tokens for sample in level.good)
    return tokens * 1e9 / level.wall if level.wall else 0.0


def _middle(samples: Sequence[Sample], name: str) -> float:
    return median([getattr(sample, name) for sample in samples])


def _baseline(one: Level | None) -> _Seen:
    if one is None:
        return _NONE
    first, rate = _middle(one.good, "ttft"), _middle(one.good, "rate")
    return "done", f"first token {milliseconds(first)} ms, then {number(rate)} tokens/s"


def _four(one: Level | None, four: Level | None) -> _Seen:
    """Whether four slots serve them side by side, and what all of them get together."""
    if one is None or four is None:
        return _NONE
    alone, together = _rate(one), _rate(four)
    gain = f"{together / alone:.2f} times" if alone else "against nothing"
    told = f"{number(together)} tokens/s together, {gain} that of one"
    parts = split(four.good)
    if parts is not None and parts.queue > QUEUED * parts.latency:
        return "failed", f"{told}; they wait {milliseconds(parts.queue)} ms for a slot"
    return "done", told


def _stays(found: Measurement) -> _Seen:
    seconds = found.environment.stays
    if not seconds:
        return "not here", "the server does not say until when"
    if seconds < 0:
        return "failed", "it is gone by the end of the measurement"
    return "done", f"for {_long(seconds)} more" if seconds < FOREVER else "for good"


def _long(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _stress(ten: Level | None) -> _Seen:
    if ten is None:
        return "failed", "none of them was answered"
    lost = len(ten.samples) - len(ten.good)
    slowest = max(sample.latency for sample in ten.good)
    told = f"{len(ten.good)} answered, the slowest in {milliseconds(slowest)} ms"
    return ("failed", f"{lost} failed, {told}") if lost else ("done", told)


def _vram(found: Measurement) -> _Seen:
    gpus = [gpu for level in found.levels if level.usage for gpu in level.usage.gpus]
    if not any(gpu.memory for gpu in gpus):
        return "not here", "no GPU has anything of it"
    most = max(gpus, key=lambda gpu: (gpu.share, gpu.memory))
    full = f" of {about(most.total)}, {most.share:.0%}" if most.total else ""
    return "done", f"{about(most.memory)}{full} on {most.name}"


def _start(found: Measurement, kind: StartKind) -> list[Sample]:
    every = [sample for start in found.starts if start.kind == kind for sample in start.samples]
    return [sample for sample in every if not sample.error]


def _cold(found: Measurement) -> _Seen:
    warm = _start(found, "warm")
    cold = _start(found, "dropped") or _start(found, "kept")
    if not cold or not warm:
        return "not here", "no cold start was tried, or it has failed"
    kind = "" if _start(found, "dropped") else ", with its file in the page cache"
    times = [milliseconds(_middle(each, "latency")) for each in (cold, warm)]
    load = milliseconds(_middle(cold, "load"))
    return "done", f"{times[0]} ms cold{kind}, of which {load} loading; {times[1]} ms warm"


def _again(repeated: Sequence[Sample]) -> _Seen:
    good = [sample for sample in repeated if not sample.error and sample.prefill]
    if len(good) < 2:  # noqa: PLR2004 -- the first and those after it
        return "not here", "the server does not say how long it reads a prompt"
    first, rest = good[0].prefill, _middle(good[1:], "prefill")
    told = f"{milliseconds(first)} ms to read it at first, {milliseconds(rest)} ms again"
    known = rest < SAVED * first
    return "done", f"{told}: {'the prompt cache has it' if known else 'no cache has it'}"


def _regressions(found: Measurement, before: Measurement | None) -> _Seen:
    if before is None:
        return "not here", "keep this by --json FILE; --baseline FILE compares with it"
    worse = [d for d in compare(before, found).differences if d.verdict == "worse"]
    if not worse:
        return "done", "nothing is surely worse"
    told = ", ".join(f"{d.measure} of {d.load} by {abs(d.share):.0%}" for d in worse)
    return "failed", f"worse: {told}"


def _short(one: Level | None) -> _Seen:
    if one is None:
        return _NONE
    whole, tokens = _middle(one.good, "latency"), _middle(one.good, "tokens")
    return "done", f"{milliseconds(whole)} ms for {tokens:.0f} tokens"
