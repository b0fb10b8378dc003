"""Which models of the Catalogue a machine could serve, at which quantisation, and which to take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from generator.fit.shape import shape_of
from generator.fit.verdict import NARROW, ModelFit, judge, single_slot

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.catalogue import Catalogue
    from generator.fit.ask import Ask
    from generator.fit.host import Host
    from generator.fit.shape import Shape
    from generator.model_facts import ModelFact

GIB: Final = 2**30
# A token reads all active weights once. At the 40 GB/s or more of a host's memory, 6 GiB still
# give some six tokens a second, about as fast as people read.
CPU_ACTIVE: Final = 6 * GIB
# Beyond this loss a larger quantisation is worth more than a larger model.
LOSS_LIMIT: Final = 0.2
# Below this one nobody has told the difference from f16, so more memory buys nothing.
LOSS_NONE: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A model at one quantisation that fits; `advice` is what the quantisation is for."""

    fit: ModelFit
    advice: str
    best: bool = False
    recommended: bool = False
    why: str = ""

    @property
    def name(self) -> str:
        """The name to pull: the tag, with the quantisation where it is another."""
        return self.fit.shape.name


def choices(ask: Ask, host: Host, catalogue: Catalogue) -> tuple[Choice, ...]:
    """Return every model × quantisation that fits, the largest model first.

    Of each model the best quantisation is marked, and one of all is recommended. Models of the
    same shape and size stand for each other: the first name counts.
    """
    found: list[Choice] = []
    seen: set[tuple[object, ...]] = set()
    for model in catalogue.models:
        if not catalogue.loads(model.architecture, ask.release):
            continue
        fits = _fitting(model, ask, host, catalogue)
        if not fits or (key := _key(fits[0].fit.shape)) in seen:
            continue
        seen.add(key)
        found += _marked(fits, catalogue)
    found.sort(key=lambda choice: (-_parameters(choice.fit.shape), choice.name))
    return _recommended(found, on_cpu=ask.on_cpu)


def _fitting(model: ModelFact, ask: Ask, host: Host, catalogue: Catalogue) -> list[Choice]:
    most = single_slot(model.names[0], ask, catalogue)
    fits = []
    for entry in catalogue.quantisations.quantisation:
        if entry.name not in model.weights or entry.name == "F16":
            continue
        shape = shape_of(model.model_copy(update={"quantisation": entry.name}), catalogue)
        fit = judge(shape, ask, host, slots_max=most, search=False)
        if fit.word != "does not fit":
            fits.append(Choice(fit=fit, advice=entry.advice))
    return fits


def _key(shape: Shape) -> tuple[object, ...]:
    return shape.architecture, shape.layers, shape.embedding, shape.vocabulary, shape.context


def _parameters(shape: Shape) -> int:
    """Return about how many weights a model has: enough to put models in order."""
    part = 3 * shape.feed_forward * max(1, shape.experts)
    heads = 2 * shape.heads + 2 * max(shape.kv_heads)
    layer = shape.embedding * (part + heads * shape.key_length)
    return shape.layers * layer + shape.vocabulary * shape.embedding


def _loss(choice: Choice, catalogue: Catalogue) -> float:
    entries = catalogue.quantisations.quantisation
    name = choice.fit.shape.quantisation
    loss = next(entry.loss for entry in entries if entry.name == name)
    return 0.0 if loss is None else loss


def _marked(fits: Sequence[Choice], catalogue: Catalogue) -> list[Choice]:
    """Return the choices with the best one marked: the least loss that leaves some room.

    Q8_0 is the last step: what it loses nobody has told from f16.
    """
    roomy = [choice for choice in fits if _roomy(choice)] or list(fits)
    best = min(roomy, key=lambda choice: max(_loss(choice, catalogue), LOSS_NONE))
    usable = _loss(best, catalogue) <= LOSS_LIMIT
    return [_with(choice, best=choice is best and usable) for choice in fits]


def _roomy(choice: Choice) -> bool:
    return all(
        room.left * NARROW // 2 >= room.total for room in choice.fit.rooms if room.need.total
    )


def _recommended(found: Iterable[Choice], *, on_cpu: bool) -> tuple[Choice, ...]:
    """Return the choices with the recommended one marked: the largest model that is quick enough.

    A larger model at four bits answers better than a smaller one at eight, as long as the
    quantisation loses little; on a CPU memory bandwidth bounds the size.
    """
    listed = list(found)
    able = [
        choice
        for choice in listed
        if choice.best
        and choice.fit.word == "fits"
        and choice.fit.placement.kind != "partial"
        and (not on_cpu or choice.fit.shape.active_bytes <= CPU_ACTIVE)
    ]
    if not able:
        return tuple(listed)
    first = able[0]
    why = "the largest model that fits with room to spare"
    if on_cpu:
        why += "; a token reads at most 6 GiB of it, which a CPU's memory keeps up with"
    return tuple(
        _with(choice, best=choice.best, recommended=choice is first, why=why)
        if choice is first
        else choice
        for choice in listed
    )


def _with(choice: Choice, *, best: bool, recommended: bool = False, why: str = "") -> Choice:
    return Choice(fit=choice.fit, advice=choice.advice, best=best, recommended=recommended, why=why)
