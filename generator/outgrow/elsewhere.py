"""Whether another engine could take over on this host: by its own gates, and by its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.advise.standing import stand
from generator.engines import ENGINES, load_engine
from generator.errors import ProfileError
from generator.fit.verdict import judge
from generator.outgrow.words import several
from generator.records import dataclass
from generator.units import about

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from generator.catalogue.catalogue import Catalogue
    from generator.errors import Problem
    from generator.plan import Plan

    Planned = Callable[[tuple[str, ...]], Plan]

_GATES = frozenset({"engine", "host.gpus"})
"""Where a problem is that no change of the profile mends, but other hardware does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Another engine: whether this host can run it, and how many requests it holds at once.

    `at_once` are those with a full context (0: not known). `why` is a sentence, `first` what the
    profile has to say before.
    """

    engine: str
    able: bool
    at_once: int
    why: str
    first: tuple[str, ...] = ()


def elsewhere(
    plan: Plan, planned: Planned, catalogue: Catalogue, written: Mapping[str, Any]
) -> tuple[Elsewhere, ...]:
    """Return what each other engine is here; `planned` makes the Plan with more values set."""
    others = (name for name in ENGINES if name != plan.services[0].engine)
    return tuple(_of(name, planned, catalogue, written) for name in others)


def _of(name: str, planned: Planned, catalogue: Catalogue, written: Mapping[str, Any]) -> Elsewhere:
    product = load_engine(name).SERVER.product
    try:
        plan = planned((f"engine={name}",))
    except ProfileError as error:
        return _refused(product, error.problems)
    standing = stand(plan, catalogue, (), written)
    main = standing.main
    if main is None:
        why = f"{product} runs here; how much it holds is not known"
        return Elsewhere(engine=product, able=True, at_once=0, why=why)
    ask = standing.asks[standing.fits.index(main)]
    fit = judge(main.shape, ask, standing.host)
    weights = about(main.shape.tensor_bytes)
    why = (
        f"{product} runs here: beside {weights} of weights its cache holds "
        f"{several(fit.most_slots, 'request')} of {main.load.context} tokens at once, and more "
        "that are shorter. It gains where many come together, and is slower for one alone; "
        "nobody has measured it on this host"
    )
    return Elsewhere(
        engine=product, able=fit.word != "does not fit", at_once=fit.most_slots, why=why
    )


def _refused(product: str, problems: tuple[Problem, ...]) -> Elsewhere:
    """Return why it does not run here, or what the profile has to say first."""
    gates = [one for one in problems if one.where in _GATES]
    if gates:
        why = "; ".join(f"{one.message}: {one.hint}" for one in gates)
        return Elsewhere(engine=product, able=False, at_once=0, why=why)
    first = tuple(_told(problems))
    why = f"{product} could run here, once the profile says what it cannot guess"
    return Elsewhere(engine=product, able=True, at_once=0, why=why, first=first)


def _told(problems: tuple[Problem, ...]) -> Iterator[str]:
    for one in problems:
        yield f"{one.where}: {one.message}" + (f": {one.hint}" if one.hint else "")
