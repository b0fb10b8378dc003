"""The use case of `gen advise`: a profile → what is left to gain on its host, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.advise.effect import Change, effect, scale_of
from generator.advise.lever import EFFORTS, Effort, Idle, Source
from generator.advise.levers import LEVERS, NO_MEMORY
from generator.advise.standing import stand
from generator.errors import HostwrightError
from generator.formats.shell import quote
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from generator.advise.effect import Effect
    from generator.advise.lever import Lever
    from generator.advise.standing import Standing
    from generator.catalogue.catalogue import Catalogue
    from generator.fit.measured import Measured
    from generator.plan import Plan

    Planned = Callable[[tuple[str, ...]], Plan]

_STEP: Final = 0.05
"""Of speeds: what is less apart is as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A lever that is worth pulling here, or whose gain nobody knows yet.

    `gain` and `cost` are sentences, `changes` the numbers in them; `source` is who says so, `sets`
    the values for `--set`, `verdict` how the main model then fits, `measure` the command that would
    tell, or confirm, what is gained.
    """

    lever: str
    effort: Effort
    gain: str
    cost: str
    source: Source
    sets: tuple[str, ...]
    verdict: str
    changes: tuple[Change, ...] = ()
    measure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advised:
    """What could be pulled, the best first, and what could not, with why."""

    model: str
    verdict: str
    advice: tuple[Advice, ...]
    idle: tuple[Idle, ...]


def advise(
    planned: Planned,
    catalogue: Catalogue,
    *,
    written: Mapping[str, Any] | None = None,
    measured: Sequence[Measured] = (),
    profile: str = "",
) -> Advised:
    """Return what is left to gain; `planned` makes the Plan of a profile with more values set.

    `written` is the profile as data. What was `measured` on the host corrects the
    estimates; `profile` is what commands call it.
    """
    plan = planned(())
    now = stand(plan, catalogue, written=written)
    if not now.ask.timed:
        raise HostwrightError(
            f"nobody has measured what the levers of {now.ask.product} gain",
            hint="gen outgrow tells what carries more, and gen fit what it holds",
        )
    scale = scale_of(now, stand(plan, catalogue, measured)) if measured else {}
    pairs, idle = [], []
    for lever in (found for each in LEVERS for found in each(now)):
        if isinstance(lever, Idle):
            idle.append(lever)
            continue
        then = _then(planned, lever, catalogue)
        if isinstance(then, Idle):
            idle.append(then)
            continue
        done = effect(now, then, scale)
        if _vain(lever, done):
            idle.append(Idle(lever=lever.name, why="it changes nothing here that can be computed"))
        else:
            pairs.append((_rank(lever, done), _advice(lever, done, now, profile, scale)))
    main = now.main
    return Advised(
        model=now.models[now.fits.index(main)].name if main else "",
        verdict=main.word if main else NO_MEMORY if not now.known else "",
        advice=tuple(advice for _, advice in sorted(pairs, key=lambda pair: pair[0])),
        idle=tuple(idle),
    )


def _then(planned: Planned, lever: Lever, catalogue: Catalogue) -> Standing | Idle:
    """Return how the service stands with a lever pulled; Idle: the profile refuses it."""
    try:
        return stand(planned(lever.sets), catalogue)
    except HostwrightError as error:
        problems = getattr(error, "problems", ())
        why = problems[0].message if problems else error.message
        return Idle(lever=lever.name, why=f"the profile refuses it: {why}")


def _vain(lever: Lever, done: Effect | None) -> bool:
    """Whether nothing is gained, by what can be computed or is said."""
    known = done is not None and (done.better or done.fits_better > 0)
    return not (known or lever.gains or (lever.measure and not (done and done.changes)))


def _rank(lever: Lever, done: Effect | None) -> tuple[float, ...]:
    """Return a key by which the best comes first.

    What makes a model fit, then what costs no quality: what is faster by most, then what saves
    loading or serves more, then memory; of those alike the one that takes the least effort.
    """
    better = done.better if done else ()
    speed = max((one.share for one in better if one.unit != "bytes"), default=0.0)
    room = max((-one.share for one in better if one.unit == "bytes"), default=0.0)
    fits = done.fits_better if done else 0
    effort = EFFORTS.index(lever.effort)
    return (
        -fits,
        lever.loses,
        -int(speed / _STEP),
        -lever.loads,
        -bool(lever.gains),
        -round(room, 2),
        effort,
    )


def _advice(
    lever: Lever, done: Effect | None, now: Standing, profile: str, scale: Mapping[str, float]
) -> Advice:
    better, worse = (done.better, done.worse) if done else ((), ())
    gained = [
        *_fits(done),
        *(one.text for one in better),
        *filter(None, (lever.gains, _load(lever, now))),
    ]
    lost = [*(one.text for one in worse), *filter(None, (lever.cost,))]
    return Advice(
        lever=lever.name,
        effort=lever.effort,
        gain="; ".join(gained) or "not known: measure it",
        cost="; ".join(lost) or "none known",
        source=_source(lever, done, now, scale),
        sets=lever.sets,
        verdict=done.after if done else "",
        changes=(*better, *worse),
        measure=_command(lever.measure, now, profile),
    )


def _command(text: str, now: Standing, profile: str) -> str:
    """Return a command with the names that stand in it put into their places."""
    at = now.fits.index(now.main) if now.main else 0
    model = now.models[at].served if now.models else "MODEL"
    words = {"PROFILE": quote(profile or "PROFILE"), "MODEL": quote(model)}
    return " ".join(words.get(word, word) for word in text.split(" "))


def _fits(done: Effect | None) -> list[str]:
    return [f"{done.before} → {done.after}"] if done and done.fits_better > 0 else []


def _load(lever: Lever, now: Standing) -> str:
    """Return the time that loading takes here, which is saved."""
    time = now.main.load_time if now.main and lever.loads else None
    if time is None:
        return ""
    cold = ", ".join(f"{one.time.likely:.2g} s from {one.disk}" for one in time.cold)
    return f"a load takes {cold}, {time.warm.likely:.2g} s cached"


def _source(lever: Lever, done: Effect | None, now: Standing, scale: Mapping[str, float]) -> Source:
    if done and any(one.unit == "tokens/s" for one in done.better) and scale:
        return "own bench"
    if done and (done.better or done.fits_better > 0):
        return "fit"
    return lever.told if now.main is not None else "none"
