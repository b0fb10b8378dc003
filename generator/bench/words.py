"""A Measurement in words and numbers, as both its text and its page say it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from generator.bench.measurement import STARTS as KINDS
from generator.bench.statistics import median
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.bench.compare import Compared
    from generator.bench.measurement import Level, Measurement, Sample
    from generator.bench.statistics import Estimate
    from generator.bench.summary import Summary

SPREADS: Final = {
    "ttft": "first token, ms",
    "itl": "between tokens, ms",
    "latency": "whole answer, ms",
    "tokens_per_second": "tokens/s of one",
}
"""By the name in a Summary, what people call it."""


def named(load: str) -> str:
    """Return what a load is, for people: `4 at once`, `2.5/s`."""
    return load if "/s" in load else f"{load} at once"


def number(value: float) -> str:
    """Return a number with three digits that count: `0.123`, `12.3`, `1234`."""
    places = next((p for p, least in ((0, 100), (1, 10), (2, 1)) if abs(value) >= least), 3)
    return f"{value:.{places}f}" if value else "0"


def milliseconds(nanoseconds: float) -> str:
    """Return a time in milliseconds."""
    return number(nanoseconds / 1e6)


def estimate(found: Estimate, scale: float = 1.0) -> str:
    """Return a number with its interval: `12.3 (11.9–13.0)`."""
    value, low, high = (number(each * scale) for each in (found.value, found.low, found.high))
    return f"{value} ({low}–{high})"


def spreads(summaries: Sequence[Summary]) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Yield each measure with a row for each load: its three quantiles."""
    for name, title in SPREADS.items():
        scale = 1.0 if name == "tokens_per_second" else 1e-6
        every = [(s.load, getattr(s, name)) for s in summaries]
        rows = [
            (named(load), *(estimate(each, scale) for each in (found.p50, found.p95, found.p99)))
            for load, found in every
            if found is not None
        ]
        if rows:
            yield title, rows


def clocks(summaries: Sequence[Summary]) -> list[tuple[str, ...]]:
    """Return a row for each load: medians by the client's clock, and by the server's."""
    return [
        (
            named(s.load),
            *(
                f"{milliseconds(a)} | {milliseconds(b) if b else '-'}"
                for a, b in ((s.client.ttft, s.server.ttft), (s.client.itl, s.server.itl))
            ),
            *(
                f"{number(a)} | {number(b) if b else '-'}"
                for a, b in (
                    (s.client.tokens_per_second, s.server.tokens_per_second),
                    (s.client.together, s.server.together),
                )
            ),
        )
        for s in summaries
    ]


def vectors(summaries: Sequence[Summary]) -> list[tuple[str, ...]]:
    """Return a row for each load of requests for vectors: what all together got a second."""
    return [
        (named(s.load), number(s.vectors_per_second), number(s.requests_per_second))
        for s in summaries
        if s.vectors_per_second
    ]


USED: Final = ("while it ran", "CPU %", "of what it may", "of a thread", "throttled", "memory")
WAITED: Final = ("some waited, % of time", "for CPU", "for memory", "for a disk")
GPUS: Final = ("GPU", "", "in use", "of", "full", "busy")
STARTS: Final = ("start, medians, ms", "first token", "load", "whole", "cached")


def used(levels: Sequence[Level]) -> list[tuple[str, ...]]:
    """Return a row for each load under USED: what the server's processes used."""
    return [
        (
            named(level.name),
            number(use.percent),
            f"{use.of_quota:.0%}" if use.of_quota else "-",
            f"{use.per_thread:.0%} of {use.threads}" if use.threads else "-",
            f"{use.throttled} of {use.periods}" if use.periods else "-",
            about(use.memory),
        )
        for level in levels
        if (use := level.usage) is not None and use.memory
    ]


def waits(levels: Sequence[Level]) -> list[tuple[str, ...]]:
    """Return a row for each load under WAITED: pressure, as the kernel tells it."""
    return [
        (named(level.name), *(_of_time(wait, use.wall) for wait in told))
        for level in levels
        if (use := level.usage) is not None
        and max(told := (use.waited_cpu, use.waited_memory, use.waited_io)) >= 0
    ]


def _of_time(wait: int, wall: int) -> str:
    return f"{100 * wait / wall:.1f}" if wait >= 0 and wall else "-"


def gpus(levels: Sequence[Level]) -> list[tuple[str, ...]]:
    """Return a row for each GPU and load under GPUS."""
    return [
        (
            named(level.name),
            gpu.name,
            about(gpu.memory),
            about(gpu.total) if gpu.total else "-",
            f"{gpu.share:.0%}" if gpu.total else "-",
            f"{gpu.busy} %" if gpu.busy >= 0 else "-",
        )
        for level in levels
        for gpu in (level.usage.gpus if level.usage else ())
    ]


def started(found: Measurement) -> list[tuple[str, ...]]:
    """Return a row for each kind of start under STARTS that was tried: medians, least and most."""
    rows: list[tuple[str, ...]] = []
    for start in found.starts:
        good = [sample for sample in start.samples if not sample.error]
        if good:
            first, whole = (_between([getattr(s, n) for s in good]) for n in ("ttft", "latency"))
            load = milliseconds(median([sample.load for sample in good]))
            cached = f"{start.held} %" if start.held >= 0 else "-"
            rows.append((KINDS[start.kind], first, load, whole, cached))
    return rows


def not_started(found: Measurement) -> list[str]:
    """Return why a kind of start was not tried, or has failed."""
    every = [(start.kind, start.why) for start in found.starts if start.why]
    every += [(s.kind, each.error) for s in found.starts for each in s.samples[:1] if each.error]
    return [f"{KINDS[kind]}: {why}" for kind, why in every]


def _between(times: Sequence[int]) -> str:
    """Return the median of some times, with the least and the most where there are several."""
    middle, *ends = (milliseconds(each) for each in (median(times), min(times), max(times)))
    return f"{middle} ({'–'.join(ends)})" if len(times) > 1 else middle


def promises(summaries: Sequence[Summary]) -> list[tuple[str, ...]]:
    """Return a row for each load: how many requests keep what a profile promises, and what not."""
    return [
        (
            named(s.load),
            f"{s.goodput.kept} of {s.requests}",
            number(s.goodput.per_second),
            _KEPT[s.goodput.p95],
            _KEPT[s.goodput.vram],
            ", ".join(f"{m.objective} by {m.requests}" for m in s.goodput.missed) or "-",
        )
        for s in summaries
        if s.goodput is not None
    ]


class Between(Protocol):
    """A change, and between what it lies, as shares of what was."""

    @property
    def low(self) -> float:
        """The least that it may be."""

    @property
    def high(self) -> float:
        """The most."""


TELLING: Final = 9.0
"""Ten times as much: an interval that reaches farther has been told by too few."""


def interval(found: Between, few: str) -> str:
    """Return the interval of a change in percent: `-3.1 to +1.2`, or from where on it is known.

    `few` is what to say in place of one that goes from next to nothing to a multiple.
    """
    low, high = (f"{100 * each:+.1f}" for each in (found.low, found.high))
    if found.low <= 0 <= found.high:
        wide = found.high > TELLING or found.low < -TELLING / (1 + TELLING)
        return few if wide else f"{low} to {high}"
    if found.low > 0:
        return f"{low} or more" if found.high > TELLING else f"{low} to {high}"
    return f"{low} to {high}"


CHANGES: Final = ("load", "what", "before", "after", "change", "between, %", "")


def changes(compared: Compared) -> list[tuple[str, ...]]:
    """Return a row under CHANGES for each comparison, the verdict last."""
    rows = []
    for each in compared.differences:
        rate = each.measure == "tokens/s"
        what = each.measure if rate else f"{each.measure}, ms"
        told = (number(n if rate else n / 1e6) for n in (each.before, each.after))
        between = interval(each, "too few requests")
        rows.append((each.load, what, *told, f"{each.share:+.1%}", between, each.verdict))
    return rows


_KEPT: Final = {True: "kept", False: "missed", None: "-"}


def subject(found: Measurement) -> tuple[str, str]:
    """Return what was measured, and under what."""
    seen, work = found.environment, found.workload
    release = f"Ollama {seen.release}" if seen.release else work.api
    known = seen.quantisation if seen.quantisation != "unknown" else ""
    model = f"{found.model} {known}".strip()
    size = f"{about(seen.size)}, {seen.on_gpus / seen.size:.0%} on GPUs" if seen.size else ""
    cpu = f"{seen.cpu}, {seen.cores} cores" if seen.cpu else ""
    first = " · ".join(filter(None, (model, release, found.url, size, cpu)))
    good = [sample for level in found.levels for sample in level.good]
    prompts = _range([sample.prompt_tokens for sample in good])
    tokens = _range([sample.tokens for sample in good])
    out = f"{tokens} out" if work.task == "generate" else f"vectors of {work.texts} a request"
    second = f"{work.requests} requests for each load, {prompts} tokens in, {out}"
    return first, second


def warmed(warmup: Sample) -> str:
    """Return what the request before all others took."""
    told = f"Warm-up, not counted: {milliseconds(warmup.latency)} ms"
    return f"{told}, of which {milliseconds(warmup.load)} ms loading" if warmup.load else told


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers, default=0), max(numbers, default=0)
    return str(low) if low == high else f"{low}–{high}"
