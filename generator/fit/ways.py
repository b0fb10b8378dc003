"""What to change so that a model fits: in the service, of the model, or of the machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from generator.catalogue.models import split
from generator.fit.kv import CELLS, PLAIN
from generator.fit.shape import shape_of
from generator.fit.verdict import holds, judge, timed
from generator.host import Gpu, reserve
from generator.records import dataclass
from generator.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.fit.ask import Ask
    from generator.fit.host import Host
    from generator.fit.shape import Shape
    from generator.fit.verdict import ModelFit

HALF: Final = "q8_0"
"""A cache of half the size, whose loss hardly anybody has measured."""
LEAST_CONTEXT: Final = 2048
"""Tokens below which few applications work."""
STEP: Final = 7 / 8
MEMORY: Final = tuple(size * GIB for size in (16, 32, 64, 128, 192, 256, 384, 512, 768, 1024))
"""Sizes that hosts are sold with."""

Change: TypeAlias = "dict[str, str | int]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What is different from what was asked, and the verdict then; empty and 0: as it was.

    `loss` is what the quantisation costs in perplexity, `gpu` a card, `beside` those that are there
    or in place of them, `memory` what the host has, in bytes.
    """

    fit: ModelFit
    quantisation: str = ""
    cache_type: str = ""
    slots: int = 0
    context: int = 0
    loss: float = 0
    gpu: str = ""
    beside: bool = False
    memory: int = 0


def ways(fit: ModelFit, ask: Ask, host: Host) -> tuple[Way, ...]:
    """Return what would do for a model that does not fit: what costs nothing first.

    Of the service each change alone, and all of them where none is enough; then the quantisation
    that loses least, and the least hardware of each kind.
    """
    ask = ask.granted(fit.shape.name)
    free = [*_service(fit, ask, host), *_quantised(fit.shape, ask, host)]
    return (*free, *_cards(fit.shape, ask, host), *_memory(fit.shape, ask, host))


def _service(fit: ModelFit, ask: Ask, host: Host) -> Iterator[Way]:
    """Yield a shorter context, and what keeps the context: each change alone, else both."""
    if LEAST_CONTEXT <= fit.largest_context < fit.load.context:
        yield from _changed(fit.shape, ask, host, {"context": _whole(fit, ask, host)})
    changes: list[Change] = [{"slots": 1}] if ask.slots > 1 else []
    if ask.cache_type in PLAIN and ask.flash_attention is not False:
        changes.append({"cache_type": HALF})
    alone = [way for change in changes for way in _changed(fit.shape, ask, host, change)]
    both = {key: value for change in changes for key, value in change.items()}
    yield from alone or (_changed(fit.shape, ask, host, both) if len(changes) > 1 else ())


def _whole(fit: ModelFit, ask: Ask, host: Host) -> int:
    """Return a context at which the scheduler, which leaves some memory free, splits nothing."""
    context = fit.largest_context
    while context * STEP >= LEAST_CONTEXT:
        placed = judge(fit.shape, replace(ask, context=context), host, search=False).placement
        if placed.kind != "partial":
            return context
        context = int(context * STEP) // CELLS * CELLS
    return fit.largest_context


def _changed(shape: Shape, ask: Ask, host: Host, change: Change) -> Iterator[Way]:
    """Yield the verdict after a change, if it is of help."""
    asked = _replaced(ask, change)
    if fit := _whole_fit(shape, asked, host):
        yield Way(fit=fit, **change)  # type: ignore[arg-type]


def _whole_fit(shape: Shape, ask: Ask, host: Host) -> ModelFit | None:
    """Return the verdict on a model that the scheduler places where it computes best, else None."""
    if not holds(shape, ask, host):
        return None
    fit = judge(shape, ask, host)
    return None if fit.placement.kind == "partial" else timed(fit, ask, host)


def _replaced(ask: Ask, change: Change) -> Ask:
    more = {"flash_attention": True} if "cache_type" in change else {}
    return replace(ask, **change, **more)  # type: ignore[arg-type]


def _quantised(shape: Shape, ask: Ask, host: Host) -> Iterator[Way]:
    """Yield the quantisation that loses least of those that are smaller and fit."""
    tag, _ = split(shape.name)
    model = ask.facts.named_model(tag)
    known = [
        one for one in ask.facts.quantisations if model and one.usual and one.name in model.sizes
    ]
    for entry in sorted(known, key=lambda one: one.loss or 0.0):
        assert model is not None  # noqa: S101 -- else nothing is known
        smaller = shape_of(replace(model, quantisation=entry.name), ask.facts)
        if smaller.tensor_bytes < shape.tensor_bytes and (fit := _whole_fit(smaller, ask, host)):
            yield Way(fit=fit, quantisation=entry.name, loss=entry.loss or 0.0)
            return


def _cards(shape: Shape, ask: Ask, host: Host) -> Iterator[Way]:
    """Yield the smallest card that helps: beside those that are there, or in place of them."""
    asked = replace(ask, on_cpu=False)
    for beside in (host.devices, ()) if host.devices else ((),):
        for card in ask.facts.advised_cards:
            gpu = Gpu(
                name=card.name, memory=card.memory, compute_capability=card.compute_capability
            )
            more = replace(host, devices=(*beside, gpu), acceleration="")
            if fit := _whole_fit(shape, asked, more):
                yield Way(fit=fit, gpu=card.name, beside=bool(beside))
                break


def _memory(shape: Shape, ask: Ask, host: Host) -> Iterator[Way]:
    """Yield the least memory that holds the model on the CPU, where nothing else computes."""
    if host.devices and not ask.on_cpu:
        return
    for memory in MEMORY:
        more = replace(host, memory=memory, limit=memory - reserve(memory), limit_name="memory")
        if memory > host.memory and (fit := _whole_fit(shape, ask, more)):
            yield Way(fit=fit, memory=memory)
            return
