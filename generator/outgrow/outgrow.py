"""The use case of `gen outgrow`: a profile and what is asked of it → whether one server is enough.

The order of the way out is that of docs/beyond.md: more slots, more servers, another engine.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final

from generator.advise.standing import stand
from generator.engines import ENGINES
from generator.errors import HostwrightError
from generator.fit.verdict import judge
from generator.outgrow.demand import PROMPT, TOKENS, Demand
from generator.outgrow.elsewhere import Elsewhere, elsewhere
from generator.outgrow.leaving import Loss, losses
from generator.outgrow.pace import Pace, asked_by, by_bench, by_fit, lengths
from generator.outgrow.queue import FULL, late_wait, waiting
from generator.outgrow.traffic import BATCHED, Traffic
from generator.outgrow.words import number, several
from generator.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from generator.advise.standing import Standing
    from generator.bench.measurement import Measurement
    from generator.bench.objectives import Objectives
    from generator.catalogue.catalogue import Catalogue
    from generator.fit.measured import Measured
    from generator.fit.verdict import ModelFit
    from generator.outgrow.elsewhere import Planned
    from generator.plan import Plan

NS: Final = 1e9
CACHED: Final = 0.4
"""Of repeats, from which on a published list of thresholds asks for a cache."""
MOST_SERVERS: Final = 100_000
BRIEF: Final = 0.01
READ: Final = 5.0
"""Tokens per second that people read; more slots are no gain to them where each gets less."""
WORTH: Final = 1.05
"""So many times as much is a gain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that carries more, with its arithmetic: `servers` of so many `slots`, in each of
    which a request takes so many `seconds`. `sets` are the values for `--set`; `enough`: nothing
    further is needed.
    """

    what: str
    how: str
    carries: float
    servers: int
    slots: int
    seconds: float
    enough: bool
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgrown:
    """What one server carries, what is asked of it, and what comes next.

    `busy` are the requests that are served at once on the mean, `waits` the share of those that
    wait for a slot, and `late` the seconds that 95 % of them wait at most (null: without end).
    `may_wait` are the seconds that a request may wait for a slot so that what is promised is kept
    (null: nothing is, or nothing keeps it). `servers` like this one would carry it, and the profile
    `has` so many. `arithmetic` are the sentences that say so.
    """

    model: str
    demand: Demand
    pace: Pace
    enough: bool
    carries: float
    busy: float
    waits: float
    late: float | None
    may_wait: float | None
    servers: int
    has: int
    arithmetic: tuple[str, ...]
    steps: tuple[Step, ...]
    elsewhere: tuple[Elsewhere, ...]
    leaving: tuple[Loss, ...]
    traffic: Traffic | None
    advice: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is known of the load: a demand as far as it is told, a log, a measurement, promises."""

    per_second: float | None = None
    tokens: int | None = None
    prompt_tokens: int | None = None
    traffic: Traffic | None = None
    bench: Measurement | None = None
    objectives: Objectives | None = None


def outgrow(
    plan: Plan,
    catalogue: Catalogue,
    asked: Asked,
    *,
    written: Mapping[str, Any],
    planned: Planned | None = None,
    measured: Sequence[Measured] = (),
) -> Outgrown:
    """Return whether one server carries what is asked, and what comes where it does not.

    `planned` makes the Plan with more values set (None: nobody does, and other engines are not
    looked at); `written` is the profile as data.
    Raises HostwrightError where nothing tells how much is asked, or how fast the server is.
    """
    every, plan = plan.parts, plan.parts[0]
    standing = stand(plan, catalogue, measured, written)
    main = _main(standing, asked)
    names = {model.name for model in plan.service.models}
    has = sum(names == {model.name for model in one.service.models} for one in every)
    demand = _demand(asked)
    pace = _pace(main, standing, asked, demand)
    limit = _Limit(demand, asked.objectives)
    slots, busy = pace.slots * has, demand.per_second * pace.seconds
    late = late_wait(slots, busy, pace.seconds)
    servers = limit.servers(pace)
    enough = 0 < servers <= has
    steps = () if enough else tuple(_steps(main, standing, pace, limit, servers))
    return Outgrown(
        model=main.shape.name if main else _model(plan),
        demand=demand,
        pace=pace,
        enough=enough,
        carries=pace.carries,
        busy=busy,
        waits=waiting(slots, busy),
        late=None if busy >= slots else late,
        may_wait=limit.may_wait(pace),
        servers=servers,
        has=has,
        arithmetic=tuple(_arithmetic(pace, demand, limit, servers, has)),
        steps=steps,
        elsewhere=() if enough or planned is None else elsewhere(plan, planned, catalogue, written),
        leaving=()
        if enough or every[0].service.engine != next(iter(ENGINES))
        else losses(plan, standing, written),
        traffic=asked.traffic,
        advice=tuple(_read(asked.traffic, pace.slots)) if asked.traffic else (),
        remarks=asked.traffic.remarks if asked.traffic else (),
    )


def _model(plan: Plan) -> str:
    """Return the model that clients use, of whose memory nothing is known."""
    models = plan.service.models
    main = [model.name for model in models if model.role == "main"]
    return next(iter([*main, *(model.name for model in models)]), "any model")


def _main(standing: Standing, asked: Asked) -> ModelFit | None:
    """Return the verdict on the model that clients use; None: nobody needs one.

    Raises HostwrightError where there is none, and nothing else tells how fast the server is.
    """
    main = standing.main
    timed = asked.bench is not None or bool(asked.traffic and asked.traffic.seconds)
    if main is None and not timed:
        why = "the profile does not say what the host has of memory"
        if standing.known:
            why = "the profile names no model whose shape is known"
        raise HostwrightError(
            f"how fast this server is cannot be told: {why}",
            hint="add `memory` under `[host]` and a `[[models]]`, or give a measurement by "
            "--bench, or a log that tells how long requests took by --log",
        )
    return main


def _demand(asked: Asked) -> Demand:
    """Return what is asked, by whoever tells it first: options, a log, a measurement."""
    measured = lengths(asked.bench) if asked.bench else (None, None)
    logged = asked.traffic.tokens if asked.traffic else None
    known = Demand(
        per_second=0.0,
        tokens=asked.tokens or logged or measured[1] or TOKENS,
        prompt_tokens=asked.prompt_tokens or measured[0] or PROMPT,
        source="told",
    )
    if asked.per_second is not None:
        return replace(known, per_second=asked.per_second)
    if asked.traffic is not None and asked.traffic.per_second:
        return replace(known, per_second=asked.traffic.per_second, source="log")
    if asked.bench is not None and asked_by(asked.bench):
        return replace(known, per_second=asked_by(asked.bench), source="bench")
    raise HostwrightError(
        "nothing says how many requests come a second",
        hint="write --rate 2, or give a log with times by --log, or a measurement by --bench",
    )


def _pace(main: ModelFit | None, standing: Standing, asked: Asked, demand: Demand) -> Pace:
    """Return how fast it is: by a measurement, by a log, or as it is estimated."""
    slots = main.load.slots if main else standing.ask.slots
    if asked.bench is not None:
        longer = demand if asked.tokens else None
        if found := by_bench(asked.bench, slots, longer):
            return found
        raise HostwrightError("no request of that measurement was answered", hint="measure again")
    traffic = asked.traffic
    if traffic is not None and traffic.seconds:
        return Pace(slots=slots, seconds=traffic.seconds, first=0.0, rate=0.0, source="log")
    if main is None:
        raise HostwrightError("nothing tells how fast this server is", hint="give --bench")
    return _estimated(main, demand, "" if standing.asks[0].timed else " --api openai")


def _estimated(main: ModelFit, demand: Demand, api: str) -> Pace:
    """Return the pace by `gen fit`; `api` is the option by which `gen bench` measures such one."""
    slots = main.load.slots
    if found := by_fit(main.speed, main.load.context, slots, demand) if main.speed else None:
        return found
    why = (main.speed.unknown if main.speed else "") or "it answers with vectors, not with tokens"
    raise HostwrightError(
        f"how fast `{main.shape.name}` is here cannot be estimated: {why}",
        hint=f"measure it: gen bench PROFILE{api} --json > bench.json, then --bench bench.json",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Promise:
    """What is promised, in seconds (0: nothing), and tokens per second."""

    first: float = 0.0
    whole: float = 0.0
    rate: float = 0.0


class _Limit:
    """What a demand may ask of slots: what is promised, or that they are not all busy."""

    def __init__(self, demand: Demand, objectives: Objectives | None) -> None:
        self.demand = demand
        self.promise = _Promise()
        if objectives is not None:
            self.promise = _Promise(
                first=objectives.ttft / NS,
                whole=objectives.p95 / NS,
                rate=objectives.tokens_per_second,
            )

    def hopeless(self, pace: Pace) -> str:
        """Return why no number of servers keeps what is promised; empty: one does."""
        if 0 < self.promise.first < pace.first:
            took, most = number(pace.first), number(self.promise.first)
            return f"the first token alone takes {took} s, and {most} s are promised"
        if 0 < self.promise.whole < pace.seconds:
            took, most = number(pace.seconds), number(self.promise.whole)
            return f"an answer alone takes {took} s, and {most} s are promised"
        if 0 < pace.rate < self.promise.rate:
            got, least = number(pace.rate), number(self.promise.rate)
            return f"a request gets {got} tokens/s, and {least} are promised"
        return ""

    def may_wait(self, pace: Pace) -> float | None:
        """Return how long a request may wait; None: nothing is promised, or no wait keeps it."""
        told = (self.promise.first, pace.first), (self.promise.whole, pace.seconds)
        left = [most - took for most, took in told if most]
        return None if self.hopeless(pace) else min(left, default=None)

    def servers(self, pace: Pace) -> int:
        """Return how many servers it takes; 0: no number of them does."""
        if self.hopeless(pace):
            return 0
        busy = self.demand.per_second * pace.seconds
        count = max(1, -int(-busy // (pace.slots * FULL)) if not self._waits else 1)
        if self._waits:
            count = max(1, int(busy // pace.slots))
        while count < MOST_SERVERS and not self._kept(pace, count, busy):
            count += max(1, count // 100)
        return count

    @property
    def _waits(self) -> bool:
        return bool(self.promise.first or self.promise.whole)

    def _kept(self, pace: Pace, count: int, busy: float) -> bool:
        slots = pace.slots * count
        if busy >= slots:
            return False
        if not self._waits:
            return busy <= FULL * slots
        late = late_wait(slots, busy, pace.seconds)
        first, whole = self.promise.first, self.promise.whole
        in_time = not whole or late + pace.seconds <= whole
        return in_time and (not first or late + pace.first <= first)


def _arithmetic(pace: Pace, demand: Demand, limit: _Limit, servers: int, has: int) -> Iterator[str]:
    """Yield how the numbers come about, so that anybody can do it again."""
    slots, took, carries = several(pace.slots, "slot"), number(pace.seconds), number(pace.carries)
    yield _service(pace, demand)
    yield f"one server carries {slots} / {took} s = {carries} requests/s"
    if has > 1:
        yield f"this profile has {has} of them: {number(has * pace.carries)} requests/s"
    busy, own = demand.per_second * pace.seconds, several(pace.slots * has, "slot")
    yield (
        f"{several(demand.per_second, 'request')}/s × {took} s = {number(busy)} at once, which is "
        f"{number(100 * busy / (pace.slots * has))} % of {'its' if has == 1 else 'the'} {own}"
    )
    if why := limit.hopeless(pace):
        yield f"no number of servers like it keeps what is promised: {why}"
    elif servers > 1:
        yield _number_of(busy, pace, limit, servers)


def _number_of(busy: float, pace: Pace, limit: _Limit, servers: int) -> str:
    """Return how the number of servers comes about: by how long one waits, or by the busy time."""
    slots = several(pace.slots, "slot")
    if limit.may_wait(pace) is not None:
        return (
            f"{number(busy)} / {slots} = {number(busy / pace.slots)}; with {servers} servers like "
            "it, behind one queue, waiting stays within what is promised"
        )
    return (
        f"{number(busy)} / ({slots} × {number(FULL)}) → {servers} servers like it, behind one "
        f"queue, whose slots are busy {number(100 * FULL)} % of the time at most"
    )


def _service(pace: Pace, demand: Demand) -> str:
    if pace.source == "log":
        return f"a request takes {number(pace.seconds)} s in a slot, by the log"
    by = "measured" if pace.source == "bench" else "estimated"
    spread = f" ({number(pace.low)} to {number(pace.high)})" if pace.high else ""
    first = f"{number(pace.first)} s to its first token after {demand.prompt_tokens} of prompt"
    others = pace.seconds - pace.first - demand.tokens / pace.rate if pace.rate else 0.0
    beside = f", {number(others)} s while prompts of others are read" if others > BRIEF else ""
    rate = f"{demand.tokens} tokens at {number(pace.rate)}/s"
    whole = number(pace.seconds)
    return f"with all slots busy a request takes {first}{beside}, {rate}: {whole} s{spread}, {by}"


def _steps(
    main: ModelFit | None, standing: Standing, pace: Pace, limit: _Limit, servers: int
) -> Iterator[Step]:
    """Yield the way out, in order, until something is enough: more servers have more slots too."""
    then, most = _more_slots(main, standing, pace, limit)
    found = [_of_slots(pace, then, most, limit)] if then else []
    count = limit.servers(then) if then else servers
    found += _more_servers(standing, then or pace, count, more=then is not None)
    short = list(takewhile(lambda one: not one.enough, found))
    yield from [*short, *found[len(short) : len(short) + 1]]


def _more_slots(
    main: ModelFit | None, standing: Standing, pace: Pace, limit: _Limit
) -> tuple[Pace | None, int]:
    """Return what more slots on the one server carry, and for how many its memory has room."""
    if main is None or pace.source != "fit" or main.speed is None:
        return None, 0
    ask = standing.asks[standing.fits.index(main)]
    most = judge(main.shape, ask, standing.host).most_slots
    speed, context = main.speed, main.load.context
    doubled = takewhile(lambda slots: slots <= most, (pace.slots << by for by in range(1, 9)))
    found = [by_fit(speed, context, slots, limit.demand) for slots in doubled]
    kept = [then for then in found if then and then.rate >= READ and not limit.hopeless(then)]
    then = min(kept, key=limit.servers, default=None)
    if then is None or then.carries < pace.carries * WORTH:
        return None, most
    return then, most


def _of_slots(pace: Pace, then: Pace, most: int, limit: _Limit) -> Step:
    count = limit.servers(then)
    return Step(
        what=f"{then.slots} slots in place of {pace.slots}",
        how=f"memory has room for {most}; each then generates {number(then.rate)} tokens/s in "
        f"place of {number(pace.rate)}, and {then.slots} / {number(then.seconds)} s = "
        f"{number(then.carries)} requests/s",
        carries=then.carries,
        servers=1,
        slots=then.slots,
        seconds=then.seconds,
        enough=count == 1,
        sets=(f"ollama.num_parallel={then.slots}",),
    )


def _more_servers(standing: Standing, pace: Pace, servers: int, *, more: bool) -> Iterator[Step]:
    """Yield how many servers carry it, and where they go: one to a card that holds the model."""
    if not servers:
        return
    each = f" with {several(pace.slots, 'slot')} each" if more else ""
    what = f"{servers} hosts{each or ' like it'} behind one front"
    how = "two servers on the same processor"
    if not standing.on_gpus:
        how += " share its memory, and gain nothing"
    elif alone := _alone(standing):
        needed = max(0, servers - alone)
        what = f"{several(servers, 'server')}{each} behind one front, by [[instances]] and [front]"
        how = f"one for each card; this host has {several(alone, 'card')} that the model fits on"
        if needed:
            how += f", so that it takes {several(needed, 'card')} more, here or in other hosts"
    else:
        how = "the model needs all cards of the host, so that each server is a host of its own"
    yield Step(
        what=what,
        how=how,
        carries=pace.carries * servers,
        servers=servers,
        slots=pace.slots,
        seconds=pace.seconds,
        enough=True,
    )


def _alone(standing: Standing) -> int:
    """Return how many cards of the host hold the main model alone."""
    main, host = standing.main, standing.host
    if main is None:
        return 0
    ask = standing.asks[standing.fits.index(main)]
    # Those of the host, though this server may use some of them alone.
    each = (replace(host, devices=(gpu,)) for gpu in standing.plan.host.gpus)
    words = [judge(main.shape, ask, one, search=False).word for one in each]
    return sum(word != "does not fit" for word in words)


def _read(traffic: Traffic, slots: int) -> Iterator[str]:
    """Yield what the log says of the two thresholds that are always asked about."""
    if traffic.above is not None:
        share = number(100 * traffic.above)
        often = traffic.above > 1 - FULL
        what = (
            f"more are asked at once than {BATCHED} slots serve"
            if often and slots <= BATCHED
            else f"the {several(slots, 'slot')} of this profile serve that"
            if often
            else "batches of more would hardly ever be full"
        )
        yield f"more than {BATCHED} at once: {share} % of the busy time; {what}"
    if traffic.repeated is None:
        yield "repeats: an access log has no prompts; JSON by line with `prompt` tells them"
    else:
        share = number(100 * traffic.repeated)
        worth = traffic.repeated > CACHED
        left = traffic.per_second * (1 - traffic.repeated)
        rest = f", and leaves {number(left)}/s to the servers" if left else ""
        what = (
            f"a cache of exact repeats pays, [cache]{rest}"
            if worth
            else "a cache would seldom answer"
        )
        yield f"the same prompt within an hour: {share} % of the requests; {what}"
