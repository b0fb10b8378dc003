"""A Comparison as a page for people, to look at or to attach to a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from generator.formats.page import Bar, page
from generator.records import dataclass
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.plan import Plan
    from generator.verify.compare import Comparison
    from generator.verify.fleet import Asked, State
    from generator.verify.observed import Observed
    from generator.verify.rows import Row

COLOURS: Final = {
    "ok": "good",
    "drift": "error",
    "shadowed": "error",
    "not read": "warning",
    "unknown": "rest",
}
STATES: Final[dict[State, str]] = {"ok": "good", "drift": "error", "silent": "warning"}


def as_page(plan: Plan, found: Comparison, seen: Observed) -> str:
    """Return the HTML: verdicts, every setting with why, and what is there besides."""
    return page(
        "verify",
        title=f"gen verify: {plan.name}",
        lead=" · ".join(seen.who(plan.services[0].product)),
        verdicts=[*_bars(found)],
        rows=_rows(found),
        extras=_extras(found),
        remarks=found.remarks,
        gaps=seen.gaps,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPart:
    """What a page of a fleet says of one host; what it cannot tell of a silent one is empty."""

    name: str
    profile: str
    state: State
    colour: str
    what: str
    who: str = ""
    rows: Sequence[tuple[Row, str]] = ()
    extras: Sequence[tuple[str, str, str, str]] = ()
    remarks: Sequence[str] = ()


def as_fleet_page(asked: Sequence[Asked], whats: Sequence[str]) -> str:
    """Return the HTML of a fleet: states, and every setting of each host that can be asked.

    `whats` is what there is to say of each host in a line.
    """
    hosts = [_host(one, what) for one, what in zip(asked, whats, strict=True)]
    states = [host.state for host in hosts]
    told = [(state, [h.name for h in hosts if h.state == state]) for state in dict.fromkeys(states)]
    return page(
        "fleet",
        title="gen verify --fleet",
        lead=" · ".join(f"{len(names)} {state}" for state, names in told),
        states=[_bar(state, names, len(hosts)) for state, names in told],
        hosts=hosts,
    )


def _bar(state: State, names: Sequence[str], of: int) -> Bar:
    return Bar(state, [(STATES[state], len(names) / of, ", ".join(names))], str(len(names)))


def _host(one: Asked, what: str) -> HostPart:
    names = {"name": one.name, "profile": one.plan.name}
    part: dict[str, Any] = {**names, "state": one.state, "what": what}
    part["colour"] = STATES[one.state]
    if one.found is None or one.seen is None:
        return HostPart(**part)
    return HostPart(
        **part,
        who=" · ".join(one.seen.who(one.plan.services[0].product)),
        rows=_rows(one.found),
        extras=_extras(one.found),
        remarks=one.found.remarks,
    )


def _rows(found: Comparison) -> list[tuple[Row, str]]:
    return [(row, COLOURS[row.verdict]) for row in found.rows]


def _extras(found: Comparison) -> list[tuple[str, str, str, str]]:
    return [(e.name, about(e.size), e.modified[:10], e.remove) for e in found.extras]


def _bars(found: Comparison) -> Iterator[Bar]:
    verdicts = [row.verdict for row in found.rows]
    for verdict, colour in COLOURS.items():
        if number := verdicts.count(verdict):  # type: ignore[arg-type] # of those there are
            told = ", ".join(row.setting for row in found.rows if row.verdict == verdict)
            yield Bar(verdict, [(colour, number / len(verdicts), told)], str(number))
