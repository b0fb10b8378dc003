"""A host with what was measured on it: what each measurement is to the estimate for it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.catalogue.models import split
from generator.errors import Problem
from generator.fit.choose import pick
from generator.fit.measured import correction, machine_of
from generator.fit.verdict import judge, timed
from generator.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from generator.fit.ask import Ask
    from generator.fit.host import Host
    from generator.fit.measured import Correction, Measured
    from generator.fit.shape import Shape


def calibrated(
    host: Host, measured: Sequence[Measured], known: Sequence[Shape], ask: Ask
) -> tuple[Host, list[str]]:
    """Return a host that corrects estimates, and a sentence where a measurement tells nothing.

    `known` are Shapes that are asked about; those of other models are looked up.
    """
    here = machine_of(host)
    apart = [each for each in measured if each.machine != here]
    found = (_corrections(each, known, ask, host) for each in measured if each.machine == here)
    corrections = tuple(each for several in found for each in several)
    return replace(host, corrections=corrections), [*_doubts(apart, here)]


def _doubts(apart: Sequence[Measured], here: str) -> Iterator[str]:
    """Yield what is left out because the machine is another, as after `--set`."""
    if apart:
        named = ", ".join(each.model for each in apart)
        was = apart[0].machine or "nothing known"
        yield f"what was measured of {named} is left out: it was on {was}; this is {here}"


def _corrections(
    measured: Measured, known: Sequence[Shape], ask: Ask, host: Host
) -> Iterator[Correction]:
    """Yield the correction, one at most: if the model is known at the quantisation it was then.

    It is judged as it was loaded then, whatever is asked about now.
    """
    named: list[Shape | Problem] = [shape for shape in known if shape.name == measured.model]
    name = f"{split(measured.model)[0]}:{measured.quantisation}"
    named += [pick(measured.model, ask.facts), pick(name, ask.facts)]
    for shape in named:
        if isinstance(shape, Problem) or not _same(shape.quantisation, measured.quantisation):
            continue
        then = replace(
            ask,
            slots=measured.slots or ask.slots,
            context=measured.context or ask.context,
            cache_type=measured.cache_type or ask.cache_type,
        )
        fit = timed(judge(shape, then, host, search=False), then, host)
        if fit.speed is not None:
            context = fit.load.context
            yield correction(shape, fit.placement, fit.speed, context, measured)
            return


def _same(one: str, other: str) -> bool:
    """Whether two quantisations are one as far as both are told."""
    return not one or not other or one == other
