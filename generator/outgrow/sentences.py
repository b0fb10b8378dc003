"""What there is to say of an Outgrown, for whoever prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.outgrow.words import number, several

if TYPE_CHECKING:
    from generator.outgrow.outgrow import Outgrown, Step
    from generator.outgrow.traffic import Traffic

_FEW: Final = 0.1
"""Percent; fewer are not counted."""
_SOURCES: Final = {
    "told": "",
    "log": ", by the log's busiest minute",
    "bench": ", as in the measurement",
}


def asked(found: Outgrown) -> str:
    """Return what is asked of which model, and who says so."""
    demand = found.demand
    told = f"{several(demand.per_second, 'request')}/s of {several(demand.tokens, 'token')}"
    source = _SOURCES[demand.source]
    if demand.source == "log" and found.traffic and found.traffic.mean >= demand.per_second:
        source = ", by the log's mean"
    return f"{found.model}, {told}{source}"


def verdict(found: Outgrown) -> str:
    """Return whether what there is is enough."""
    has = "One server is" if found.has == 1 else f"{found.has} servers are"
    if found.enough:
        return f"{has} enough."
    if not found.servers:
        return f"{has} not enough, and no number of them is."
    return f"{has} not enough; {found.servers} like it are."


def waiting(found: Outgrown) -> str:
    """Return how long requests wait with the servers that there are."""
    if found.late is None:
        return "as it is, slots are never free, and the queue grows without end"
    percent = 100 * found.waits
    share = f"{number(percent)} %" if percent >= _FEW else f"fewer than {number(_FEW)} %"
    if not found.late:
        return f"{share} of the requests wait for a slot, all others not at all"
    return f"{share} of the requests wait for a slot, 95 % of all at most {number(found.late)} s"


def came(traffic: Traffic) -> str:
    """Return what a log has in it."""
    told = f", {number(traffic.mean)}/s on the mean" if traffic.mean else ""
    most = f", at most {traffic.most} at once" if traffic.most is not None else ""
    return f"the log: {traffic.requests} requests in {number(traffic.span)} s{told}{most}"


def carries(step: Step) -> str:
    """Return what a step carries, and whether that is enough."""
    return f"{several(step.carries, 'request')}/s, {'' if step.enough else 'not '}enough"
