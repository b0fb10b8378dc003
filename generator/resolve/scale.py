"""Day and night on one host: jobs that a timer starts, and what no time of day may ask for.

A share of CPU time under contention can change while the server runs. A quota can, too; but compute
threads are fixed when a model is loaded, so that one below them has them wait for each other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.engines.base import Turn
from generator.errors import Problem
from generator.plan import Job, shell
from generator.units import limit_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.engines.base import Case, Decided, Engine
    from generator.plan import Model, Step
    from generator.profiles.schema import Period, Profile

_SECONDS: Final = 900
_CPU: Final = 100
"""Percent of one."""
_STATE: Final = "/var/lib/hostwright/period-{}"
# `--runtime`: until the next boot, after which the unit says what holds, and AGAIN what it is now.
_SET: Final = 'systemctl set-property --runtime "$@"'
_KEEP: Final = 'mkdir -p "${2%/*}" && echo "$1" >"$2"'
_AGAIN: Final = 'read -r unit <"$1" && systemctl --no-block start "$unit" || :'
_NAMES: Final = ("cpu_weight", "cpu_quota")


def with_jobs(case: Case, engine: Engine, decided: Decided) -> Decided:
    """Return what was decided, with a job for each period, and one for a start of the server."""
    periods = case.profile.scale.periods
    if not periods:
        return decided
    made = [_period(case, engine, decided, one) for one in periods]
    return replace(decided, jobs=(*decided.jobs, *made, _again(case)))


def _again(case: Case) -> Job:
    return Job(
        kind="period",
        name=f"{case.stem}-period",
        unit=f"{case.stem}-period.service",
        description="Tell a server that has started which part of the day it is",
        reason="A boot and a restart forget it.",
        steps=(shell(_AGAIN, _STATE.format(case.stem), where="host"),),
        after=(case.unit,),
        wanted_by=(case.unit,),
    )


def _period(case: Case, engine: Engine, decided: Decided, period: Period) -> Job:
    job = f"{case.stem}-period-{period.name}"
    state = shell(_KEEP, f"{job}.service", _STATE.format(case.stem), where="host")
    turn = _turn(case.profile, engine, decided, period)
    return Job(
        kind="period",
        name=job,
        unit=f"{job}.service",
        description=f"Begin the period {period.name}",
        reason=_reason(period),
        steps=(*_properties(period, case.unit), state, *turn.steps),
        environment=turn.environment,
        timeout_seconds=_SECONDS,
        after=(case.unit,),
        calendar=period.begins,
    )


def _reason(period: Period) -> str:
    """Return what it does, in words."""
    share = f"a share of {period.cpu_weight} of CPU time" if period.cpu_weight else ""
    bound = f"at most {period.cpu_quota}% of a CPU" if period.cpu_quota else ""
    models = "" if period.models is None else f"loaded: {', '.join(period.models) or 'nothing'}"
    told = "; ".join(part for part in (share, bound, models) if part)
    return f"{told[:1].upper()}{told[1:]}."


def _properties(period: Period, unit: str) -> tuple[Step, ...]:
    asked = ((name, getattr(period, name)) for name in _NAMES)
    words = ["=".join(limit_line(name, value)) for name, value in asked if value is not None]
    return (shell(_SET, unit, *words, where="host"),) if words else ()


def _turn(profile: Profile, engine: Engine, decided: Decided, period: Period) -> Turn:
    """Return how the models of a period take the place of those of the others."""
    if period.models is None:
        return Turn((), ())
    every = dict.fromkeys(name for one in profile.scale.periods for name in one.models or ())
    load = _served(decided.models, period.models)
    unload = _served(decided.models, tuple(name for name in every if name not in period.models))
    turn = engine.turn(load, unload) if load or unload else None
    return turn or Turn((), ())


def _served(models: tuple[Model, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """Return what clients call the models of those names."""
    return tuple(dict.fromkeys(model.served for model in models if model.name in names))


def faults(profile: Profile, engine: Engine) -> Iterator[Problem]:
    """Yield what no period can be."""
    periods = profile.scale.periods
    if len(periods) == 1:
        hint = "add the one that it ends with"
        yield Problem("scale.periods", "a single period begins and never ends", hint)
    asked = {name for one in periods for name in ("models", *_NAMES) if _asks(one, name)}
    names = [one.name for one in periods]
    for at, one in enumerate(periods):
        where = f"scale.periods.{at}"
        if one.name in names[:at]:
            yield Problem(f"{where}.name", f"`{one.name}` is there twice", "choose another name")
        yield from _missing(one, asked, where)
        yield from _unknown(one, profile, where)
    if "models" in asked and engine.turn((), ()) is None:
        message = f"{engine.SERVER.product} keeps the model that it has started with"
        yield Problem("scale.periods", message, "leave `models` out")
    if periods and not asked:
        yield Problem("scale.periods", "no period says anything", "write `cpu_weight` or `models`")


def _missing(period: Period, asked: set[str], where: str) -> Iterator[Problem]:
    """Yield what another period sets and this one does not."""
    for name in sorted(name for name in asked if not _asks(period, name)):
        message = f"another period sets it, and {period.name} would keep what that one says"
        yield Problem(f"{where}.{name}", message, "write it here, too")


def _unknown(period: Period, profile: Profile, where: str) -> Iterator[Problem]:
    known = {model.name for model in profile.models}
    for model in period.models or ():
        if model not in known:
            message = f"`{model}` is no model of this profile"
            yield Problem(f"{where}.models", message, "add it under `[[models]]`")


def quota_faults(case: Case) -> Iterator[Problem]:
    """Yield quotas that have compute threads wait, or that the host has no CPUs for."""
    for at, period in enumerate(case.profile.scale.periods):
        yield from _quota_faults(case, period, f"scale.periods.{at}")


def _asks(period: Period, name: str) -> bool:
    return getattr(period, name) is not None


def _quota_faults(case: Case, period: Period, where: str) -> Iterator[Problem]:
    """Yield a quota that has compute threads wait, or that the host has no CPUs for."""
    threads = case.threads.number or case.host.cores
    if period.cpu_quota is None:
        return
    if period.cpu_quota < threads * _CPU:
        yield Problem(
            f"{where}.cpu_quota",
            f"{period.cpu_quota}% is less than the {threads} compute threads, which are fixed "
            "while a model is loaded and would wait for each other",
            f"write `{threads * _CPU}%` or more, or use `cpu_weight`",
        )
    elif case.host.threads and period.cpu_quota > case.host.threads * _CPU:
        message = f"{period.cpu_quota}% is more than this host's {case.host.threads} threads"
        yield Problem(f"{where}.cpu_quota", message, f"write `{case.host.threads * _CPU}%` or less")
