"""What is in effect once the profile is rendered, against what was: nothing is lost unsaid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines import load_engine
from generator.importing.cluster import OF_CLUSTERS
from generator.importing.entries import Added, Left
from generator.importing.variables import TOGETHER, left
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.catalogue.facts import Facts
    from generator.engines.base import Running
    from generator.importing.settle import Settled
    from generator.plan import Limit, Plan
    from generator.view import Bound, View

_OF_PODS: Final = frozenset({"cpu_quota", "memory_max"})
"""The limits that pods have."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What the profile does not bring into effect, and what it adds."""

    left: tuple[Left, ...]
    added: tuple[Added, ...]


def differences(view: View, settled: Settled, told: Sequence[Left], facts: Facts) -> Difference:
    """Return what differs of a server; `told` is what is known to be lost, if it really is."""
    running = load_engine(view.engine).running(facts)
    same = {*_same_variables(view, settled.plan, running), *_same_limits(view, settled.plan)}
    lost = [one for one in (*told, *settled.left) if one.idle or one.name not in same]
    known = {one.name for one in lost} | {one.name for one in settled.kept if one.note} | same
    lost += _variables_lost(view, settled, known, facts)
    lost += (_bound_lost(one, settled) for one in view.bounds if one.name not in {*known, TOGETHER})
    lost += _elsewhere(view, settled.plan)
    return Difference(tuple(lost), tuple(_added(view, settled, running)))


def _elsewhere(view: View, plan: Plan) -> Iterator[Left]:
    """Yield that a unit is another than the one which a bundle is for."""
    unit = f"{plan.service.name}.service"
    if view.phrases.kind != "systemd" or view.container or not view.name.endswith(".service"):
        return
    if view.name != unit:
        reason = f"a bundle is for {unit}, and leaves this one as it is"
        fix = "disable it before the bundle is applied"
        yield Left(name="unit", value=view.name, place=view.place, reason=reason, fix=fix)
    if view.manager == "user":
        reason = f"a bundle is for {unit} of the system, and leaves that of a user as it is"
        fix = "disable it with `systemctl --user disable --now` before the bundle is applied"
        yield Left(name="manager", value="user", place=view.place, reason=reason, fix=fix)


def _same_variables(view: View, plan: Plan, running: Running) -> Iterator[str]:
    """Yield the variables that mean the same before and after."""
    after = {one.name: one for one in plan.service.environment}
    for one in view.served:
        if one.unresolved:
            continue
        mine = after.get(one.name)
        told = mine.value if mine else running.default(one.name) if not one.value else None
        if told is not None and _mean(running, one.name, one.value, told):
            yield one.name
        elif view.container is not None and mine is not None and mine.scope == "host":
            yield one.name  # A container says it by a port, a mount, a device.


def _mean(running: Running, name: str, *values: str) -> bool:
    """Whether values mean the same of a variable."""
    return len({running.meaning(name, value) for value in values}) == 1


def _same_limits(view: View, plan: Plan) -> Iterator[str]:
    for one in view.bounds:
        limit = plan.service.limit(one.name)
        if limit is not None and _bytes(limit) == one.value:
            yield one.name
            if one.name == "memory_swap_max":
                yield "memory_and_swap"  # The same line, read another way.


def _bytes(limit: Limit) -> int | str | None:
    return None if limit.value == "infinity" else limit.value


def _variables_lost(view: View, settled: Settled, known: set[str], facts: Facts) -> Iterator[Left]:
    keys = {one.name: one.key for one in settled.kept}
    others = [one for one in settled.plan.service.environment if one.name not in keys]
    levers = {one.key: one.name for one in others}
    for one in view.served:
        if one.name not in known and not one.refused:
            key = keys.get(one.name, "")
            reason, rule = _why(settled.plan, key)
            lever = levers.get(key) if not reason else None
            if lever:  # The release has another variable for what is meant.
                yield left(one, facts, f"the rendered files say it by {lever}", idle=True)
            else:
                reason = reason or "the rendered files do not set it"
                yield left(one, facts, reason, rule=rule, idle=bool(rule))


def _why(plan: Plan, key: str) -> tuple[str, str]:
    """Return why a key of the profile does not become what it was, and the rule that says so."""
    said = next((one.message for one in plan.findings if one.where == key), "")
    rule = next((one.rule for one in plan.findings if one.where == key), "")
    omitted = next((one.reason for one in plan.service.omissions if one.key == key), "")
    return said or omitted, rule


def _bound_lost(one: Bound, settled: Settled) -> Left:
    limit = settled.plan.service.limit(one.name)
    reason = f"the rendered files have {limit.written}" if limit else "no rendered file has it"
    return Left(name=one.name, value=one.written or str(one.value), place=one.place, reason=reason)


def _added(view: View, settled: Settled, running: Running) -> Iterator[Added]:
    """Yield what follows from the host, and what the engine needs beside what was set."""
    before = {one.name for one in view.served}
    own = {one.key for one in settled.kept}
    for one in settled.plan.service.environment:
        default = running.default(one.name)
        harmless = default is not None and _mean(running, one.name, one.value, default)
        follows = one.key in own and running.default(one.name) is not None
        if one.name not in before and not follows and one.scope != "host" and not harmless:
            yield Added(name=one.name, value=one.value, reason=one.reason)
    box, listen = view.container, settled.plan.service.listen
    in_cluster = view.phrases.kind in OF_CLUSTERS
    if box and not box.ports and box.host_network is None and not in_cluster:
        reason = "No port was published, and a rendered container publishes that of the API."
        yield Added(name="ports", value=listen.address, reason=reason)
    if box and not box.restart and view.phrases.kind in {"compose", "script"}:
        reason = "No policy was set, so that nobody started it again."
        yield Added(name="restart", value=settled.plan.service.container.restart, reason=reason)
    limits = {one.name for one in view.bounds}
    for limit in settled.plan.service.limits:
        if in_cluster and limit.name not in _OF_PODS:
            continue
        if limit.name not in limits and limit.key not in own:
            yield Added(name=limit.directive, value=limit.written, reason=limit.reason)
