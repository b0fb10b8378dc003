"""What a claim asks of each device: as much memory as `fit` counts for the models of its pod."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from generator.errors import ProfileError
from generator.records import replace
from generator.resolve.pods import enough, usable
from generator.units import MIB

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.engines.base import Engine
    from generator.fit.ask import Ask
    from generator.fit.assess import Assessment
    from generator.plan import Service
    from generator.pod import PodGpus
    from generator.view import View


def claimed(service: Service, seen: View, engine: Engine, facts: Facts) -> Service:
    """Return a service whose claim asks for what its models need, where that is known.

    Otherwise it asks for as much as the cards of the profile have.
    """
    pod = service.pod
    gpus = pod.gpus if pod else None
    if pod is None or gpus is None or not any("capacity" in one for one in gpus.selectors):
        return service
    need = _need(service, seen, engine.ask_of(seen, facts))
    return replace(service, pod=replace(pod, gpus=_asking(gpus, need))) if need else service


def _asking(gpus: PodGpus, mebibytes: int) -> PodGpus:
    reason = (
        f"{mebibytes} MiB: with less of it on each device, `gen fit` has a part of the models "
        "beside the devices."
    )
    chosen = (enough(gpus.device_class, mebibytes), *gpus.selectors[1:])
    return replace(gpus, selectors=chosen, selectors_reason=reason)


def _need(service: Service, seen: View, ask: Ask) -> int:
    """Return the mebibytes of the smallest devices that hold all models; 0: those of the profile
    do not, or nobody knows.
    """
    most = usable(min(card.memory for card in seen.host.gpus if card.memory)) // MIB
    if not _holds(service, seen, ask, most):
        return 0
    return bisect_left(range(most), x=True, key=lambda size: _holds(service, seen, ask, size))


def _holds(service: Service, seen: View, ask: Ask, mebibytes: int) -> bool:
    """Return whether devices of that size hold all models, side by side where they stay loaded."""
    cards = tuple(replace(card, memory=mebibytes * MIB) for card in seen.host.gpus)
    found = _assessed(service, replace(seen, host=replace(seen.host, gpus=cards)), ask)
    if found is None or (found.together is not None and found.together.evicting):
        return False
    return all(
        one.word != "does not fit" and one.placement.on_gpus > one.shape.layers
        for one in found.fits
    )


def _assessed(service: Service, seen: View, ask: Ask) -> Assessment | None:
    """Return the verdict on all models of a service; None: there are none, or one is unknown."""
    from generator.fit.assess import Question, assess  # Few pods have a claim.

    own = [(one.name, {p.name: p.value for p in one.parameters}) for one in service.models]
    names = tuple(name for name, _ in own)
    try:
        return assess(seen, own, ask, Question(models=names)) if names else None
    except ProfileError:
        return None
