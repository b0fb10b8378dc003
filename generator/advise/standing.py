"""How a service stands: its Plan, what it asks of its engine, and what its host makes of it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from generator.engines import load_engine
from generator.errors import Problem
from generator.fit.calibrate import calibrated
from generator.fit.choose import loads, pick
from generator.fit.host import host_of
from generator.fit.verdict import judge, timed, together
from generator.readers.plan.view import loading_view
from generator.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from generator.catalogue.catalogue import Catalogue
    from generator.fit.ask import Ask
    from generator.fit.host import Host
    from generator.fit.measured import Measured
    from generator.fit.shape import Shape
    from generator.fit.verdict import ModelFit, Together
    from generator.plan import Model, Plan, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A Plan with its verdicts: of each model that is known, in the Plan's order, and of all.

    `models`, `asks` and `fits` go together; `written` is the profile as data.
    `unknown` are names of models that nobody knows.
    `known`: what the host has of memory, so that anything can be judged.
    """

    plan: Plan
    ask: Ask
    host: Host
    known: bool
    models: tuple[Model, ...] = ()
    asks: tuple[Ask, ...] = ()
    fits: tuple[ModelFit, ...] = ()
    all: Together | None = None
    written: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def service(self) -> Service:
        """The service of the Plan."""
        return self.plan.service

    @property
    def main(self) -> ModelFit | None:
        """The verdict on the model that clients use: the first of that role, or the first."""
        roles = [model.role for model in self.models]
        at = roles.index("main") if "main" in roles else 0
        return self.fits[at] if self.fits else None

    @property
    def on_gpus(self) -> bool:
        """Whether GPUs compute, as far as is known."""
        return bool(self.host.devices) and not self.ask.on_cpu

    @property
    def whole(self) -> bool:
        """Whether every model that is known has all layers on GPUs."""
        return self.on_gpus and bool(self.fits) and all(_all_there(fit) for fit in self.fits)


def _all_there(fit: ModelFit) -> bool:
    placed = fit.placement
    return placed.on_gpus > fit.shape.layers and not placed.sparse


def stand(
    plan: Plan,
    catalogue: Catalogue,
    measured: Sequence[Measured] = (),
    written: Mapping[str, Any] | None = None,
) -> Standing:
    """Return how the service of a Plan stands; what was `measured` on its host corrects that.

    `written` is its profile as data.
    """
    view = loading_view(plan)
    ask = load_engine(view.engine).ask_of(view, catalogue.at(view.engine, view.release))
    host = ask.within(host_of(view))
    if not host.devices and not host.limit:
        return Standing(plan=plan, ask=ask, host=host, known=False)
    host, _ = calibrated(host, measured, (), ask)
    there: list[tuple[Model, Shape, Ask]] = []
    unknown = []
    for model in plan.service.models:
        shape = pick(ask.meant(model.name), ask.facts)
        if isinstance(shape, Problem) or not loads(model.name, shape.architecture, ask.facts):
            unknown.append(model.name)
        else:
            there.append((model, shape, ask.tuned({p.name: p.value for p in model.parameters})))
    fits = [timed(judge(shape, own, host, search=False), own, host) for _, shape, own in there]
    several = len(there) > 1
    return Standing(
        plan=plan,
        ask=ask,
        host=host,
        known=True,
        models=tuple(model for model, _, _ in there),
        asks=tuple(own for _, _, own in there),
        fits=tuple(fits),
        all=together([shape for _, shape, _ in there], ask, host) if several else None,
        written=written or {},
        unknown=tuple(unknown),
    )
