"""Plans, and what is seen of what runs, for tests of comparisons."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from generator.catalogue.catalogue import load_catalogue
from generator.engines import load_engine
from generator.verify.observed import Answers, Held, Observed, Process
from generator.view import Bound, Place, Variable
from tests.plans import shipped
from tests.views import view

if TYPE_CHECKING:
    from generator.engines.base import Running
    from generator.plan import Service

URL = "http://127.0.0.1:11434"
UNIT = "/etc/systemd/system/ollama.service"
OVERRIDE = f"{UNIT}.d/override.conf"


@cache
def running(release: str = "0.32.15") -> Running:
    catalogue = load_catalogue()
    return load_engine("ollama").running(catalogue.at("ollama", catalogue.release(release)))


def service(**changes: Any) -> Service:
    return replace(shipped("xeon-cpu").service, **changes)


def given(one: Service, **changes: str) -> dict[str, str]:
    """Return the environment that a Plan wants, with changes."""
    return {s.name: s.value for s in one.environment} | changes


def held(one: Service, **changes: str) -> Held:
    limits = {limit.name: limit.value for limit in one.limits}
    return Held(
        by="systemd", name=one.unit, pid=1, variables=given(one, **changes), limits=limits,
    )  # fmt: skip


def process(one: Service, **changes: str) -> Process:
    limits = {limit.name: limit.value for limit in one.limits}
    runner = Process(pid=2, command=("llama-server",), variables=given(one, **changes), limits={})
    return Process(
        pid=1, command=("ollama", "serve"), variables=given(one, **changes), limits=limits,
        children=(runner,),
    )  # fmt: skip


def seen(one: Service, **changes: Any) -> Observed:
    """Return what is seen of a service that is all as its Plan wants it, with changes."""
    answers = Answers(release=one.release, installed=(), loaded=())
    as_wanted = Observed(url=URL, held=held(one), process=process(one), config={}, answers=answers)
    return replace(as_wanted, **changes)


def files(*pairs: tuple[str, str, str, int]) -> Any:
    """Return the View of files whose lines say `name=value`, the last of a name winning."""
    places = [(name, value, Place(file, line)) for name, value, file, line in pairs]
    variables = tuple(Variable(name=n, value=v, place=p) for n, v, p in places if n.isupper())
    bounds = tuple(
        Bound(name=n, value=int(v) if v.isdigit() else None, place=p, written=v)
        for n, v, p in places
        if not n.isupper()
    )
    return replace(view(), variables=variables, bounds=bounds)
