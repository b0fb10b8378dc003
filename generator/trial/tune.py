"""The use case of `gen tune`: one setting of a running server → the value that is the fastest."""

from __future__ import annotations

import time
from math import exp, log
from random import Random
from typing import TYPE_CHECKING, Final, Literal

from generator.bench.measurement import Environment, Workload  # noqa: TC001 -- the schema reads the annotations
from generator.bench.statistics import Change, median
from generator.errors import EnvironmentFailure, HostwrightError
from generator.live.client import Server, asked
from generator.records import dataclass
from generator.trial.knob import Vary  # noqa: TC001 -- the schema reads the annotations
from generator.trial.paired import Value, undisturbed
from generator.trial.search import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from generator.bench.measurement import Level, Measurement, Sample
    from generator.trial.choice import Choice
    from generator.trial.knob import Knob
    from generator.trial.memory import Bound
    from generator.trial.visit import Visits

    Told = Callable[[str], None]

Verdict = Literal["best", "no difference", "worse", "not possible", "not tried"]
_ALIVE: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A value, and what was measured with it.

    `nanoseconds` are those of an answer of the Workload's length, or of a token of all requests
    together where there are several at once; `against` says how much more that is than with the
    best (null: it was not measured). Rates are tokens a second by the server's counters, 0 where
    it counts none.
    """

    value: int
    verdict: Verdict
    visits: int = 0
    nanoseconds: float = 0.0
    against: Change | None = None
    prompt_rate: float = 0.0
    token_rate: float = 0.0
    size: int = 0
    on_gpus: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """What has become of it: the `best` value, and `current`, that of the profile (null: none).

    `gain` is how much more time the best takes than the current one: less than 0 is faster.
    `ended` says why no more was measured.
    """

    vary: Vary
    key: str
    profile: str
    url: str
    model: str
    workload: Workload
    at_once: int
    environment: Environment
    candidates: tuple[Candidate, ...]
    best: int | None
    current: int | None
    gain: Change | None
    ended: Literal["sure", "noise", "budget", "time"]
    visits: int
    budget: int
    seconds: float
    remarks: tuple[str, ...]


class Tuning:
    """The visits of one search, and what each has found."""

    def __init__(
        self,
        knob: Knob,
        choices: Sequence[Choice],
        visits: Visits,
        search: Search,
        memory: Bound | None,
        told: Told,
    ) -> None:
        self.search = search
        self._knob, self._choices, self._visits, self._memory = knob, choices, visits, memory
        self._told = told
        self.why: dict[int, str] = {}
        self.found: dict[int, list[Measurement]] = {}
        self.late = False
        self._drawing = Random(visits.workload.seed)  # noqa: S311 -- to draw an order

    def run(self) -> None:
        """Visit what the search asks for, until it ends or the time is up."""
        number = 0
        while not self.late and (indices := self.search.next()):
            self.search.tell(self._round(indices, number))
            number += 1
        if not self.found:
            reasons = next(iter(self.why.values()), "")
            raise (
                self._visits.late
                if self.late
                else EnvironmentFailure(
                    f"no value could be measured: {reasons}", hint="look into the log of the server"
                )
            )

    def _round(self, indices: Sequence[int], number: int) -> dict[int, Value | None]:
        found: dict[int, Value | None] = {}
        # Those that may be too much come last; others in another order each.
        order = indices if self._knob.upward else self._drawing.sample(indices, len(indices))
        for index in order:
            if index in self.search.out:
                continue
            value = self._visit(index, number)
            if self.late:
                break
            found[index] = value
            if value is None and self._knob.upward:
                self.search.out |= {*range(index, len(self._choices))}
        return found

    def _visit(self, index: int, number: int) -> Value | None:
        """Return what a visit says of a candidate; None: it is not possible."""
        choice = self._choices[index]
        if self._memory and (why := self._memory.too_much(int(choice.label))):
            self.why[index] = why
            return None
        place = f"visit {self.search.visits + 1} of {self.search.budget} at most"
        try:
            found = self._visits.visit(choice, number, f"{place}, {choice.label}")
        except HostwrightError as error:
            self.late = self._visits.left <= 0
            if not self.late:
                # A server that answers no longer is no fault of one value.
                asked(Server.at(self._visits.url, _ALIVE), "/api/version")
                self.why[index] = error.message
            return None
        seen = found.environment
        if self._memory and (why := self._memory.took(int(choice.label), seen.on_gpus, seen.size)):
            self.why[index] = why
            return None
        value = worth(found)
        if value is None:
            self.why[index] = "most requests failed"
            return None
        self.found.setdefault(index, []).append(found)
        return value


def worth(found: Measurement) -> Value | None:
    """Return the logarithm of the nanoseconds that an answer takes, or a token where many ask.

    By the server's counters, per token of prompt and answer, so that an answer that ends early
    counts as much as it is; None: most requests failed.
    """
    (level,) = found.levels
    good = [sample for sample in level.good if sample.tokens]
    if 2 * len(good) <= len(level.samples):
        return None
    if level.at_once == 1 and all(map(_counted, good)):
        logs = [log(_answer(sample, found.workload)) for sample in good]
        return undisturbed(logs)
    logs = [log(max(sample.latency, 1) / sample.tokens) for sample in good]
    together = level.wall / sum(sample.tokens for sample in good)
    return Value(log(together), undisturbed(logs).error)


def _counted(sample: Sample) -> bool:
    return min(sample.prompt_tokens, sample.prefill, sample.decode) > 0


def _answer(sample: Sample, workload: Workload) -> float:
    prompt = workload.prompt_tokens * sample.prefill / sample.prompt_tokens
    return prompt + workload.output_tokens * sample.decode / sample.tokens


def tune(
    vary: Vary,
    knob: Knob,
    choices: Sequence[Choice],
    visits: Visits,
    *,
    key: str,
    profile: str,
    budget: int,
    current: int | None = None,
    memory: Bound | None = None,
    told: Told = lambda _: None,
) -> Tuned:
    """Return the best of the choices of a knob, after no more than `budget` visits.

    The server is put back in any case. Raises EnvironmentFailure where it does not answer, and
    HostwrightError where no value could be measured.
    """
    values = [int(choice.label) for choice in choices]
    start = values.index(current) if current in values else -1
    search = Search(len(values), budget, more=knob.more, slack=knob.slack, start=start)
    tuning = Tuning(knob, choices, visits, search, memory, told)
    began = time.monotonic()
    with visits.held():
        tuning.run()
    best, known = search.best, search.fitted
    (first, *_), *_ = tuning.found.values()
    return Tuned(
        vary=vary,
        key=key,
        profile=profile,
        url=visits.url,
        model=choices[0].model,
        workload=visits.workload,
        at_once=visits.load.at_once[0],
        environment=first.environment,
        candidates=tuple(_candidate(i, value, tuning, best) for i, value in enumerate(values)),
        best=values[best],
        current=current,
        gain=known.against(best, start) if start in known.values else None,
        ended="time" if tuning.late else search.ended or "sure",
        visits=search.visits,
        budget=budget,
        seconds=round(time.monotonic() - began, 3),
        remarks=visits.remarks,
    )


def _candidate(index: int, value: int, tuning: Tuning, best: int) -> Candidate:
    found, known = tuning.found.get(index), tuning.search.fitted
    if index in tuning.why or found is None:
        state: Verdict = "not possible" if index in tuning.search.out else "not tried"
        return Candidate(value=value, verdict=state, why=tuning.why.get(index, ""))
    against = known.against(index, best)
    verdict: Verdict = "worse" if against.low > 0 else "no difference"
    levels = [level for one in found for level in one.levels]
    last = found[-1].environment
    return Candidate(
        value=value,
        verdict="best" if index == best else verdict,
        visits=known.visits[index],
        nanoseconds=exp(known.values[index]),
        against=against,
        prompt_rate=_rate(levels, "prompt_tokens", "prefill"),
        token_rate=_rate(levels, "tokens", "decode"),
        size=last.size,
        on_gpus=last.on_gpus,
    )


def _rate(levels: Sequence[Level], tokens: str, time_of: str) -> float:
    """Return the median of the tokens per second of all requests."""
    good = [sample for level in levels for sample in level.good if getattr(sample, time_of)]
    rates = [getattr(sample, tokens) * 1e9 / getattr(sample, time_of) for sample in good]
    return median(rates) if rates else 0.0
