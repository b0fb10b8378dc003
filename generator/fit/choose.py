"""Models of the Catalogue: by name, those that a machine could serve, and which of them to take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.catalogue.models import split
from generator.errors import Problem
from generator.fit.active import active_bytes
from generator.fit.shape import shape_of
from generator.fit.verdict import NARROW, growth, hopeless, judge
from generator.records import dataclass
from generator.units import GIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.catalogue.facts import Facts
    from generator.catalogue.models import ModelFact
    from generator.fit.ask import Ask
    from generator.fit.host import Host
    from generator.fit.shape import Shape
    from generator.fit.verdict import ModelFit

# A token reads all active weights once. At the 40 GB/s or more of a host's memory, 6 GiB still
# give some six tokens a second, about as fast as people read.
CPU_ACTIVE: Final = 6 * GIB
# Beyond this loss a larger quantisation is worth more than a larger model.
LOSS_LIMIT: Final = 0.2
# What models that answer are used for; others embed text or judge it.
CHAT: Final = "chat"
TALKS: Final = frozenset({CHAT, "code", "vision"})
# So often a name was pulled whose faults are known: some thirty of two hundred are.
POPULAR: Final = 3_000_000
# Below this one nobody has noticed a difference from f16, so more memory buys nothing.
LOSS_NONE: Final = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model at one quantisation that fits; `advice` is what the quantisation is for.

    `loss` is what the quantisation costs, `roomy` whether a tenth of the memory stays free with
    all layers where they compute best, `quick` whether its memory keeps up with it, `superseded`
    what took the model's place, `leads` whether many people run it for talk of
    any kind.
    """

    fit: ModelFit
    advice: str
    loss: float
    quick: bool
    superseded: str = ""
    leads: bool = True
    best: bool = False
    recommended: bool = False
    why: str = ""

    @property
    def name(self) -> str:
        """The name to pull: the tag, with the quantisation where it is another."""
        return self.fit.shape.name

    @property
    def roomy(self) -> bool:
        """Whether a tenth of what it uses stays free, with all layers where they compute best."""
        if self.fit.placement.kind in {"partial", "experts"}:
            return False
        used = (room for room in self.fit.rooms if room.need.total and room.total)
        return all(room.left * NARROW // 2 >= room.total for room in used)


def pick(name: str, facts: Facts) -> Shape | Problem:
    """Return the Shape of `M[:QUANT]`, or what is wrong with the name."""
    tag, quantisation = split(name)
    model = facts.named_model(tag)
    if model is None:
        return _unknown(name, tag, facts)
    if quantisation:
        model = replace(model, quantisation=quantisation)
    if not model.layers:
        size = f"{model.weight_bytes / GIB:.1f} GiB at {model.quantisation}"
        return Problem(
            "--model",
            f"`{name}`: its weights take {size}; nothing else of it is known",
            "for what its context takes pull it and use --server URL, or --gguf FILE",
        )
    if not model.weight_bytes:
        return Problem(
            "--model",
            f"`{name}`: no size of {model.quantisation} is known",
            f"known are {', '.join(model.sizes)}; for others point --gguf at the file",
        )
    return shape_of(model, facts)


def loads(name: str, architecture: str, facts: Facts) -> bool:
    """Return whether the release loads the model of that name, as far as is known."""
    model = facts.model(split(name)[0])
    since = model.since if model is not None else None
    return facts.loads(architecture) and (since is None or since <= facts.at)


def _unknown(name: str, tag: str, facts: Facts) -> Problem:
    if why := facts.missing_model(tag):
        reason, _, use = why.rpartition("; ")
        return Problem("--model", f"there is no `{name}`: {reason}", use)
    close = facts.closest_model(tag)
    hint = f"did you mean `{close}`? " if close else ""
    return Problem(
        "--model",
        f"`{name}` is not among the models that Hostwright knows",
        f"{hint}for any other model use --gguf FILE or --server URL",
    )


def choices(ask: Ask, host: Host) -> tuple[Candidate, ...]:
    """Return every model × quantisation that fits, the largest model first.

    Of each model the best quantisation is marked, and one of all is recommended. Models of the
    same shape and size stand for each other: the first name counts.
    """
    found: list[Candidate] = []
    seen: set[tuple[object, ...]] = set()
    for model in ask.facts.models:
        # A fine-tuned model has a few tokens more than what it was made of.
        wide = model.embedding, model.experts, model.vocabulary // 256
        key = model.architecture, model.layers, *wide, model.context
        if not model.layers or model.use[0] not in TALKS or key in seen:
            continue
        if loads(model.names[0], model.architecture, ask.facts):
            seen.add(key)
            found += _marked(_fitting(model, ask, host))
    found.sort(key=lambda choice: (-_parameters(choice.fit.shape), choice.name))
    return _recommended(found, ask)


def _fitting(model: ModelFact, ask: Ask, host: Host) -> list[Candidate]:
    fits = []
    offered = {model.quantisation, *ask.facts.tags(model)} & {*model.sizes}
    for entry in ask.facts.quantisations:
        if entry.name not in offered or not (entry.usual or entry.name == model.quantisation):
            continue
        shape = shape_of(replace(model, quantisation=entry.name), ask.facts)
        if hopeless(shape, ask, host):
            continue
        fit = judge(shape, ask, host, search=False)
        if fit.word != "does not fit":
            made = Candidate(
                fit=fit,
                advice=entry.advice,
                loss=entry.loss or 0.0,
                quick=not ask.on_cpu or active_bytes(shape) <= CPU_ACTIVE,
                superseded=model.superseded,
                leads=model.use[0] == CHAT and ask.facts.pulls(model) >= POPULAR,
            )
            fits.append(made)
    return fits


def _parameters(shape: Shape) -> int:
    """Return about how many weights a model has: enough to put models in order."""
    part = 3 * shape.feed_forward * max(1, shape.experts)
    heads = 2 * shape.heads + 2 * max(shape.kv_heads)
    layer = shape.embedding * (part + heads * shape.key_length)
    return shape.layers * layer + shape.vocabulary * shape.embedding


def _marked(fits: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates with the best one marked: the least loss that is roomy and quick.

    Where none is quick the best of the roomy ones, and where none is roomy the smallest. Q8_0 is
    the last step: what it loses nobody has noticed.
    """
    usable = [choice for choice in fits if choice.loss <= LOSS_LIMIT]
    if not usable:
        return list(fits)
    roomy = [choice for choice in usable if choice.roomy]
    able = [choice for choice in roomy if choice.quick] or roomy
    best = (
        min(able, key=lambda choice: max(choice.loss, LOSS_NONE))
        if able
        else min(usable, key=lambda choice: choice.fit.shape.tensor_bytes)
    )
    return [replace(choice, best=choice is best) for choice in fits]


def _recommended(found: Sequence[Candidate], ask: Ask) -> tuple[Candidate, ...]:
    """Return the candidates with the recommended one marked: the largest that is roomy and quick.

    A larger model at four bits answers better than a smaller one at eight, as long as the
    quantisation loses little; on a CPU memory bandwidth bounds the size. A model is passed over,
    however large, where the release loads the one that took its place, where few people run it, or
    where others were trained for the context that is asked and it was not.
    """
    able = [choice for choice in found if choice.best and choice.roomy and choice.quick]
    able = [choice for choice in able if choice.fit.shape.context >= ask.context] or able
    facts = ask.facts
    known = [choice for choice in able if not _superseded(choice, facts) and choice.leads]
    first = next(iter(known), None)
    why = _why(first, on_cpu=ask.on_cpu) if first else ""
    return tuple(
        replace(choice, recommended=True, why=why) if choice is first else choice
        for choice in found
    )


def _superseded(choice: Candidate, facts: Facts) -> bool:
    """Return whether the release loads what took the place of a model."""
    successor = facts.model(choice.superseded) if choice.superseded else None
    return successor is not None and loads(choice.superseded, successor.architecture, facts)


def _why(choice: Candidate, *, on_cpu: bool) -> str:
    why = "the largest model that leaves a tenth of the memory"
    if on_cpu:
        why += "; a token reads at most 6 GiB of it, which a CPU's memory keeps up with"
    rest = choice.fit.rooms[-1]
    if 0 <= rest.left < rest.grows:
        grown = growth(rest.grows)
        why += (
            f"; bound its prompt cache, which may grow {grown}: {rest.left / GIB:.1f} GiB are left"
        )
    return why
