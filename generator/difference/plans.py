"""Two Plans: each setting that means something else, and what that changes in memory and slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.advise.standing import stand
from generator.difference.row import NOTHING, Row, kind_of, limits, percent, side, variables
from generator.engines import load_engine
from generator.errors import Finding  # noqa: TC001 -- its schema is made of it
from generator.records import dataclass, replace
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from generator.advise.standing import Standing
    from generator.catalogue.catalogue import Catalogue
    from generator.engines.base import Running
    from generator.fit.verdict import ModelFit
    from generator.plan import Model, Plan, Service

_ROLES: Final = "model "


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What two configurations differ in: `settings`, and by the estimates `effects` of that.

    `findings` are those that are new, `gone` those that are no more. `unknown` are models of which
    no memory can be told.
    """

    settings: tuple[Row, ...]
    effects: tuple[Row, ...]
    findings: tuple[Finding, ...] = ()
    gone: tuple[Finding, ...] = ()
    unknown: tuple[str, ...] = ()


def compared(old: Plan, new: Plan, catalogue: Catalogue) -> Difference:
    """Return what differs between two Plans, of several servers for each by its name."""
    first, second = ({part.service.name: part for part in plan.parts} for plan in (old, new))
    if len(first) == len(second) == 1:
        found = {"": _of_service(old, new, catalogue)}
    else:
        both = [name for name in second if name in first]
        found = {f"{n}: ": _of_service(first[n], second[n], catalogue) for n in both}
    return Difference(
        settings=(
            *_host(old, new),
            *(_servers(first, second) if "" not in found else ()),
            *(_under(name, row) for name, one in found.items() for row in one.settings),
        ),
        effects=tuple(_under(name, row) for name, one in found.items() for row in one.effects),
        findings=_only(new, old),
        gone=_only(old, new),
        unknown=tuple(dict.fromkeys(model for one in found.values() for model in one.unknown)),
    )


def _under(name: str, row: Row) -> Row:
    return replace(row, setting=f"{name}{row.setting}")


def _servers(old: Mapping[str, Plan], new: Mapping[str, Plan]) -> Iterator[Row]:
    """Yield the servers that only one of two Plans has."""
    for name in dict.fromkeys((*old, *new)):
        yield from _row(f"server {name}", *("yes" if name in each else "" for each in (old, new)))


def _of_service(old: Plan, new: Plan, catalogue: Catalogue) -> Difference:
    """Return what differs between two servers."""
    first, second = stand(old, catalogue), stand(new, catalogue)
    sides = [side(running_of(plan, catalogue), plan.service.environment) for plan in (old, new)]
    rows = [
        *_service(old.service, new.service),
        *variables(*sides),
        *limits(
            {one.name: (_value(one.value), one.written) for one in old.service.limits},
            {one.name: one for one in new.service.limits},
        ),
        *_models(old.service, new.service, catalogue, (old, new)),
    ]
    return Difference(
        settings=tuple(_with_levers(rows, old.service, new.service)),
        effects=tuple(_effects(first, second)),
        unknown=tuple(dict.fromkeys((*first.unknown, *second.unknown))),
    )


def _with_levers(rows: list[Row], old: Service, new: Service) -> Iterator[Row]:
    """Yield the rows, each of a lever with the one in whose place it is, by the profile's key."""
    keys = [dict(_keys(each)) for each in (old, new)]
    gone, come = ([row.setting for row in rows if row.kind == kind] for kind in ("gone", "new"))
    for row in rows:
        others = gone if row.kind == "new" else come if row.kind == "gone" else []
        mine, theirs = keys if row.kind == "gone" else keys[::-1]
        key = mine.get(row.setting)
        by = [name for name in others if key and theirs.get(name) == key]
        word = "by" if row.kind == "gone" else "in place of"
        why = f"{word} {', '.join(by)}, for `{key}`" if by else ""
        yield replace(row, why="; ".join(filter(None, (why, row.why))))


def _keys(service: Service) -> Iterator[tuple[str, str]]:
    yield from ((one.name, one.key) for one in service.environment)
    for role, model in _by_role(service).items():
        yield from ((f"{_ROLES}{role}: {one.name}", one.key) for one in model.parameters)


def running_of(plan: Plan, catalogue: Catalogue) -> Running:
    """Return what is so of a server of the release that a Plan is for."""
    service = plan.service
    release = catalogue.of(service.engine).release(service.release)
    return load_engine(service.engine).running(catalogue.at(service.engine, release))


def _value(value: int | str) -> int | str | None:
    return None if value == "infinity" else value


def _only(here: Plan, there: Plan) -> tuple[Finding, ...]:
    """Return the Findings of one Plan whose rule and place the other has not."""
    known = {(one.rule, one.where) for one in there.remarks}
    return tuple(one for one in here.remarks if (one.rule, one.where) not in known)


def _row(setting: str, old: str | int, new: str | int) -> Iterator[Row]:
    if old != new:
        kind = kind_of(old or None, new or None)
        share = percent(old, new)
        yield Row(
            setting=setting,
            old=NOTHING if old == "" else str(old),
            new=NOTHING if new == "" else str(new),
            percent=share,
            kind=kind,
        )


def _host(old: Plan, new: Plan) -> Iterator[Row]:
    first, second = old.host, new.host
    yield from _row("host system", first.system, second.system)
    yield from _row("host cores", first.cores, second.cores)
    yield from _row("host threads", first.threads, second.threads)
    if first.memory != second.memory:
        yield from _sized("host memory", first.memory, second.memory)
    cards = (", ".join(gpu.name for gpu in host.gpus) for host in (first, second))
    yield from _row("host gpus", *cards)


def _sized(setting: str, old: int, new: int) -> Iterator[Row]:
    shown = (about(size) if size else NOTHING for size in (old, new))
    before, after = shown
    yield Row(setting=setting, old=before, new=after, percent=percent(old, new))


def _service(old: Service, new: Service) -> Iterator[Row]:
    yield from _row("release", old.release, new.release)
    yield from _row("acceleration", old.acceleration, new.acceleration)
    yield from _row("user", old.user, new.user)
    yield from _row("restart", old.restart.policy, new.restart.policy)
    yield from _row("restart pause", f"{old.restart.seconds} s", f"{new.restart.seconds} s")
    opened = ("open" if one.listen.open_firewall else "closed" for one in (old, new))
    yield from _row("firewall", *opened)
    units = {job.unit: None for job in (*old.jobs, *new.jobs)}
    for unit in units:
        has = ["yes" if unit in {job.unit for job in one.jobs} else "" for one in (old, new)]
        yield from _row(f"job {unit}", *has)


def _models(
    old: Service, new: Service, catalogue: Catalogue, plans: tuple[Plan, Plan]
) -> Iterator[Row]:
    """Yield the models by their roles, with how many weights more they have."""
    first, second = _by_role(old), _by_role(new)
    for role in dict.fromkeys((*second, *first)):
        before, after = first.get(role), second.get(role)
        names = [one.name if one else "" for one in (before, after)]
        for row in _row(f"{_ROLES}{role}", *names):
            sizes = (_weights(n, p, catalogue) for n, p in zip(names, plans, strict=True))
            share = percent(*sizes)
            yield replace(row, percent=share, why="" if share is None else "by parameters")
        if before and after:
            yield from _parameters(role, before, after)


def _by_role(service: Service) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for model in service.models:
        key, number = model.role or "without a role", 1
        while key in found:
            number += 1
            key = f"{model.role or 'without a role'} {number}"
        found[key] = model
    return found


def _weights(name: str, plan: Plan, catalogue: Catalogue) -> int | None:
    service = plan.service
    facts = catalogue.told(service.engine, service.release)
    found = facts.named_model(name) if name else None
    return found.parameters or None if found else None


def _parameters(role: str, old: Model, new: Model) -> Iterator[Row]:
    first, second = ({one.name: one.value for one in each.parameters} for each in (old, new))
    for name in dict.fromkeys((*second, *first)):
        yield from _row(f"{_ROLES}{role}: {name}", first.get(name, ""), second.get(name, ""))


def _effects(old: Standing, new: Standing) -> Iterator[Row]:
    """Yield what the estimates of both say of the models of each role, and of all together."""
    first, second = _fits(old), _fits(new)
    for role in second:
        if role in first:
            yield from _effect(role, first[role], second[role])
    before, after = _together(old), _together(new)
    if before and after:
        yield from _row("models side by side", before[0], after[0])
        if max(before[0], after[0]) > 1 and percent(before[1], after[1]):
            yield from _sized("memory of all of them", before[1], after[1])


def _together(standing: Standing) -> tuple[int, int] | tuple[()]:
    """Return how many models stay loaded, and their bytes; nothing: there is none."""
    if standing.all is not None:
        rooms = standing.all.rooms
        return len(standing.all.loaded), sum(room.need.total for room in rooms)
    if standing.main is None:
        return ()
    return 1, sum(room.need.total for room in standing.main.rooms)


def _fits(standing: Standing) -> dict[str, ModelFit]:
    by_role = {id(model): role for role, model in _by_role(standing.service).items()}
    pairs = zip(standing.models, standing.fits, strict=True)
    return {by_role[id(model)]: fit for model, fit in pairs}


def _effect(role: str, old: ModelFit, new: ModelFit) -> Iterator[Row]:
    yield from _row(f"{role}: verdict", old.word, new.word)
    yield from _row(f"{role}: slots", old.load.slots, new.load.slots)
    yield from _row(f"{role}: context of a slot", old.load.context, new.load.context)
    totals = [sum(room.need.total for room in fit.rooms) for fit in (old, new)]
    if percent(*totals):
        yield from _sized(f"{role}: memory", *totals)
    yield from _row(f"{role}: layers on GPUs", old.placement.on_gpus, new.placement.on_gpus)
    speeds = [
        fit.speed.decode.likely if fit.speed and fit.speed.decode else 0 for fit in (old, new)
    ]
    if all(speeds) and (share := percent(*speeds)):
        shown = [f"{float(f'{speed:.3g}'):g} tokens/s" for speed in speeds]
        yield Row(setting=f"{role}: generates", old=shown[0], new=shown[1], percent=share)
