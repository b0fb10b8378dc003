"""HW577: a configuration of Alertmanager that it refuses, though it knows all of its keys."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from generator.rules.rule import Hit, Hits, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.around import Alerting, Route, Way
    from generator.catalogue.accepted import Accepted
    from generator.catalogue.facts import Facts
    from generator.view import Place, View

_ALL: Final = "..."
_TIME: Final = re.compile(
    r"0|(?=\d)(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?", re.ASCII
)
_NEVER_ZERO: Final = frozenset({"group_interval", "repeat_interval"})
_GLOBAL: Final = ("global",)
"""Where the settings stand that hold for all."""


@Rule(
    id="HW577",
    severity="error",
    title="a configuration that Alertmanager refuses",
    why="Alertmanager reads its whole file before it starts, and ends where a route names nobody "
    "who is there, where a way to tell somebody lacks its address, or where the first route does "
    "not take all alerts. At a reload it goes on with the old file, and says so in its log alone.",
    bad="route: {receiver: team}\nreceivers:\n  - name: admins\n"
    "    webhook_configs: [{url: 'http://bridge:8080/'}]",
    good="route: {receiver: admins}\nreceivers:\n  - name: admins\n"
    "    webhook_configs: [{url: 'http://bridge:8080/'}]",
    source="config/config.go, notify/*/config.go@v0.34.0 (prometheus/alertmanager): "
    "UnmarshalYAML; amtool check-config",
)
def refused(view: View, facts: Facts) -> Hits:
    if view.alerting is None:
        return
    for message, place, fix in _faults(view.alerting, facts.accepted(view.phrases.accepts)):
        yield Hit(message=f"{message}: Alertmanager refuses the file", place=place, fix=fix)


def _faults(alerting: Alerting, accepted: Accepted) -> Iterator[tuple[str, Place, str]]:
    yield from _receivers(alerting, accepted)
    known = {one.name for one in alerting.receivers}
    for route in alerting.routes:
        if route.root:
            yield from _root(route)
        if route.receiver and route.receiver not in known and "{{" not in route.receiver:
            what = f"no receiver is called `{route.receiver}`"
            yield what, route.place, "write the name of one in `receivers`, or add it there"
        yield from _times(route)
        yield from _twice(route)
        for name, place in route.muted:
            if name not in alerting.periods:
                yield f"no time is called `{name}`", place, "define it in `time_intervals`"


def _receivers(alerting: Alerting, accepted: Accepted) -> Iterator[tuple[str, Place, str]]:
    seen = Counter[str]()
    for one in alerting.receivers:
        seen[one.name] += 1
        if seen[one.name] > 1:
            yield f"two receivers are called `{one.name}`", one.place, "make one of them"
        for way in one.ways:
            yield from _lacking(way, alerting.given, accepted)


def _lacking(
    way: Way, given: frozenset[str], accepted: Accepted
) -> Iterator[tuple[str, Place, str]]:
    path = ("receivers", f"{way.kind}_configs")
    known, for_all = accepted.below(path), accepted.below(_GLOBAL) or {}
    if known is not None and not way.given <= known.keys():
        return  # One that is not known may be what is meant (HW522).
    for names in accepted.needs(path):
        if (way.given | given).isdisjoint(names):
            above = next((name for name in names if name in for_all), "")
            fix = f"write `{names[0]}`" + (f", or `{above}` in `global`" if above else "")
            yield f"`{way.kind}_configs` has no `{names[0]}`", way.place, fix


def _root(route: Route) -> Iterator[tuple[str, Place, str]]:
    if not route.receiver:
        yield "the first route has no receiver", route.place, "write `receiver`"
    if route.matches is not None:
        what = f"the first route takes all alerts, and has `{route.matches.key}`"
        yield what, route.matches, "put it into one of its `routes`"
    if route.goes_on is not None:
        yield "the first route has `continue`", route.goes_on, "take it out"


def _times(route: Route) -> Iterator[tuple[str, Place, str]]:
    for key, text, place in route.times:
        if not text or re.search(r"[{$<]", text):
            continue
        if not _TIME.fullmatch(text):
            yield f"`{key}: {text}` is no time", place, "write a number with its unit, like `5m`"
        elif key in _NEVER_ZERO and not text.strip("0smhdwy"):
            yield f"`{key}` is zero", place, "write one above it, like `5m`"


def _twice(route: Route) -> Iterator[tuple[str, Place, str]]:
    seen = Counter[str]()
    for name, place in route.grouped:
        seen[name] += 1
        if seen[name] > 1:
            yield f"`group_by` has `{name}` twice", place, "take one out"
    if _ALL in seen and len(seen) > 1:
        yield (
            "`...` stands for all labels, and others stand beside it",
            route.grouped[0][1],
            "write `[...]`, and nothing beside it",
        )
