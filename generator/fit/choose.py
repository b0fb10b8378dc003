"""Models of the Catalogue: by name, those that a machine could serve, and which of them to take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.catalogue.models import split
from generator.errors import Problem
from generator.fit.active import active_bytes
from generator.fit.purposes import CHAT, EMBEDDING, RAG
from generator.fit.shape import shape_of
from generator.fit.verdict import NARROW, growth, hopeless, judge, timed, together
from generator.host import reserve
from generator.records import dataclass, replace
from generator.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.catalogue.facts import Facts
    from generator.catalogue.models import ModelFact, Quantisation
    from generator.fit.ask import Ask
    from generator.fit.host import Host
    from generator.fit.shape import Shape
    from generator.fit.verdict import ModelFit

    Judged = dict[tuple[Shape, Ask], ModelFit]

# A token reads all active weights once. At the 40 GB/s or more of a host's memory, 6 GiB still
# give some six tokens a second, about as fast as people read.
CPU_ACTIVE: Final = 6 * GIB
# Beyond this loss a larger quantisation is worth more than a larger model.
LOSS_LIMIT: Final = 0.2
# What models that answer are used for; others embed text or judge it.
TALKS: Final = frozenset({CHAT, "code", "vision"})
# So often a name was pulled whose faults are known: some thirty of two hundred are.
POPULAR: Final = 3_000_000
# Tokens a second below which people wait for an answer that they read.
READING: Final = 8
# Of two models, one not much smaller and newer answers better.
CLASS: Final = 1.6
# Beside a model on a host that nobody has bounded: a desktop with its browser takes 4 GiB and more,
# of which the system's reserve has two.
DESK: Final = 2 * GIB
# What finds texts takes at most an eighth of the memory: what talks about them needs the rest.
SHARE: Final = 8
# Below this one nobody has noticed a difference from f16, so more memory buys nothing.
LOSS_NONE: Final = 0.01
# What nobody serves where the model is pulled at fewer bits, and small models are pulled as.
PLAIN: Final = frozenset({"F16", "BF16", "F32"})
UNQUANTISED: Final = "So it is pulled: small enough to serve without quantising it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model at one quantisation that fits; `advice` is what the quantisation is for.

    `loss` is what the quantisation costs, if it is `told`; the `usual` ones are those that people
    take. `roomy` tells whether a tenth of the memory stays free with
    all layers where they compute best, `quick` whether its memory keeps up with it, `superseded`
    what took the model's place, `twin` the model of the same shape that stands for it, `leads`
    whether many people run it for talk of any kind, or it is made for the purpose that is asked
    about, `released` when it came out, `parameters` how many weights it has, `desk` what has to
    stay free of the host, `current` whether it may be recommended.
    """

    fit: ModelFit
    advice: str
    loss: float
    quick: bool
    told: bool = True
    usual: bool = True
    superseded: str = ""
    twin: str = ""
    leads: bool = True
    released: str = ""
    parameters: int = 0
    desk: int = 0
    current: bool = False
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
        used = [room for room in self.fit.rooms if room.need.total and room.total]
        tenth = all(room.left * NARROW // 2 >= room.total for room in used)
        return tenth and (not self.desk or used[-1].left >= self.desk)


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
    if facts.beside:
        return True
    model = facts.model(split(name)[0])
    since = model.since if model is not None else None
    return facts.loads(architecture) and (since is None or since <= facts.at)


def _unknown(name: str, tag: str, facts: Facts) -> Problem:
    if why := facts.missing_model(tag):
        reason, _, use = why.rpartition("; ")
        return Problem("--model", f"there is no `{name}`: {reason}", use)
    close = facts.mistyped_model(tag) or facts.closest_model(tag)
    hint = f"did you mean `{close}`? " if close else ""
    return Problem(
        "--model",
        f"`{name}` is not among the models that Hostwright knows",
        f"{hint}for any other model use --gguf FILE or --server URL",
    )


def choices(ask: Ask, host: Host, purpose: str = CHAT) -> tuple[Candidate, ...]:
    """Return every model × quantisation that fits and serves a purpose, the largest model first.

    Of each model the best quantisation is marked, and one of all is recommended; for `rag` one that
    embeds, and one that talks beside it. Of models of the same shape the newest that nothing took
    the place of stands for the others, which name it as their `twin` and are not recommended.
    """
    if purpose != RAG:
        return _choices(ask, host, purpose)
    finds = _choices(ask, host, RAG)
    first = next((one for one in finds if one.recommended), None)
    return (*_choices(ask, _beside(first, host) if first else host, CHAT), *finds)


def _choices(ask: Ask, host: Host, purpose: str) -> tuple[Candidate, ...]:
    found: list[Candidate] = []
    judged: Judged = {}
    for group in _alike(ask.facts, purpose):
        first = max(group, key=lambda model: _standing(model, ask.facts, purpose))
        for model in group:
            twin = "" if model is first else first.names[0]
            fits = _marked(_fitting(model, ask, host, purpose, judged))
            found += [replace(one, twin=twin) for one in fits] if twin else fits
    found.sort(key=lambda choice: (-choice.parameters, choice.name))
    return _recommended(found, ask, purpose)


def _alike(facts: Facts, purpose: str) -> Iterable[list[ModelFact]]:
    """Return the models that serve a purpose and that the release loads, those of a shape together.

    Left out is an earlier training of a model that has its name and more (`qwen3:30b-a3b`).
    """
    groups: dict[tuple[object, ...], list[ModelFact]] = {}
    for model in facts.models:
        if not model.layers or not _serves(model, purpose):
            continue
        longer = model.superseded and model.names[0].startswith(f"{model.superseded}-")
        if longer and _replaced(model.superseded, facts):
            continue
        # A fine-tuned model has a few tokens more than what it was made of.
        wide = model.embedding, model.experts, model.vocabulary // 256
        key = model.architecture, model.layers, *wide, model.context
        if loads(model.names[0], model.architecture, facts):
            groups.setdefault(key, []).append(model)
    return groups.values()


def _standing(model: ModelFact, facts: Facts, purpose: str) -> tuple[bool, bool, str]:
    """Return what makes a model the one that stands for others of its shape: more is better."""
    leads = _leads(model, facts, purpose)
    return not _replaced(model.superseded, facts), leads, model.released


def _leads(model: ModelFact, facts: Facts, purpose: str) -> bool:
    """Return whether many people run a model for talk, or it is made for the purpose asked."""
    if purpose != CHAT:
        return _kind(purpose) in model.use
    return model.use[0] == CHAT and facts.pulls(model) >= POPULAR


def _serves(model: ModelFact, purpose: str) -> bool:
    if purpose == CHAT:
        return model.use[0] in TALKS
    return _kind(purpose) in model.use


def _kind(purpose: str) -> str:
    return EMBEDDING if purpose == RAG else purpose


def _unbounded(host: Host) -> bool:
    """Return whether nobody keeps more of the host from the service than is derived."""
    return host.limit >= host.memory - reserve(host.memory)


def _beside(choice: Candidate, host: Host) -> Host:
    """Return what a host has left beside a model."""
    *rooms, rest = choice.fit.rooms
    devices = tuple(
        replace(gpu, reserved=gpu.reserved + room.need.total)
        for gpu, room in zip(host.devices, rooms, strict=True)
    )
    limit = host.limit and max(1, host.limit - rest.need.total)
    return replace(host, devices=devices, limit=limit)


def _judged(shape: Shape, ask: Ask, host: Host, judged: Judged) -> ModelFit:
    """Return the verdict with its speed: that of another model of the same shape, if there was one.

    A name decides only what is granted.
    """
    key = replace(shape, name="", source=""), ask.granted(shape.name)
    if key not in judged:
        judged[key] = timed(judge(shape, ask, host, search=False), ask, host)
    return replace(judged[key], shape=shape)


def _fitting(
    model: ModelFact, ask: Ask, host: Host, purpose: str, judged: Judged
) -> list[Candidate]:
    fits = []
    offered = {model.quantisation, *ask.facts.tags(model)} & {*model.sizes}
    for entry in ask.facts.quantisations:
        if entry.name not in offered or not (entry.usual or entry.name == model.quantisation):
            continue
        shape = shape_of(replace(model, quantisation=entry.name), ask.facts)
        if hopeless(shape, ask, host):
            continue
        fit = _judged(shape, ask, host, judged)
        if fit.word != "does not fit":
            fits.append(_candidate(fit, entry, model, ask, purpose))
    desk = DESK if ask.on_cpu or not host.devices else 0
    return [replace(one, desk=desk) for one in fits] if desk and _unbounded(host) else fits


def _candidate(
    fit: ModelFit, entry: Quantisation, model: ModelFact, ask: Ask, purpose: str = CHAT
) -> Candidate:
    plain = entry.name in PLAIN and entry.name == model.quantisation
    return Candidate(
        fit=fit,
        advice=UNQUANTISED if plain else entry.advice,
        loss=entry.loss or 0.0,
        told=entry.loss is not None,
        usual=entry.usual or entry.name == model.quantisation,
        quick=_quick(fit, ask),
        superseded=model.superseded,
        leads=_leads(model, ask.facts, purpose),
        released=model.released,
        parameters=model.parameters or _parameters(fit.shape),
    )


def _quick(fit: ModelFit, ask: Ask) -> bool:
    """Return whether whoever reads the answer need not wait for it."""
    rate = fit.speed.decode if fit.speed else None
    if rate is not None:
        return rate.likely >= READING
    return not ask.on_cpu or active_bytes(fit.shape) <= CPU_ACTIVE


def quantisations(name: str, ask: Ask, host: Host) -> tuple[Candidate, ...]:
    """Return a model of the Catalogue at every quantisation of a known size, the largest first.

    Raises ValueError, `message; hint`, for a name that nobody knows.
    """
    found = _every(name, ask, host, search=True)
    usual = [one for one in found if one.usual]
    best = next((one.fit.shape.quantisation for one in _marked(usual) if one.best), "")
    return tuple(replace(one, best=one.fit.shape.quantisation == best) for one in found)


def _every(name: str, ask: Ask, host: Host, *, search: bool) -> list[Candidate]:
    """Return a model at every quantisation; with `search` also how far the context reaches."""
    tag, _ = split(name)
    model = ask.facts.named_model(tag)
    problem = pick(tag, ask.facts)
    if model is None or isinstance(problem, Problem):
        problem = problem if isinstance(problem, Problem) else _unknown(name, tag, ask.facts)
        raise ValueError(f"{problem.message}; {problem.hint}")
    found = []
    for entry in ask.facts.quantisations:
        if entry.name in model.sizes:
            shape = shape_of(replace(model, quantisation=entry.name), ask.facts)
            fit = judge(shape, ask, host, search=search)
            found.append(_candidate(fit, entry, model, ask))
    return sorted(found, key=lambda one: -one.fit.shape.tensor_bytes)


def resident(names: Sequence[str], ask: Ask, host: Host) -> tuple[Shape, ...]:
    """Return models, each at the best quantisation at which all of them stay loaded side by side.

    From the best of each on, the step is taken that frees most memory for what it loses. Where
    even the smallest do not do, those are returned. Raises ValueError as `quantisations`.
    """
    every = (_every(name, ask, host, search=False) for name in names)
    levels = [_levels([one for one in several if one.usual]) for several in every]
    at = [0] * len(levels)
    while True:
        shapes = tuple(level[i].fit.shape for level, i in zip(levels, at, strict=True))
        steps = [n for n, level in enumerate(levels) if at[n] + 1 < len(level)]
        if not steps or stay(shapes, ask, host):
            return shapes
        at[max(steps, key=lambda n: _saved(*levels[n][at[n] : at[n] + 2]))] += 1


def _levels(found: Sequence[Candidate]) -> list[Candidate]:
    """Return what is worth taking, the best first: one that is larger and loses more is not."""
    kept: list[Candidate] = []
    for one in sorted(
        found, key=lambda one: (max(one.loss, LOSS_NONE), one.fit.shape.tensor_bytes)
    ):
        if not kept or one.fit.shape.tensor_bytes < kept[-1].fit.shape.tensor_bytes:
            kept.append(one)
    return kept


def _saved(better: Candidate, worse: Candidate) -> float:
    """Return the bytes that a step saves for each unit of perplexity that it loses."""
    saved = better.fit.shape.tensor_bytes - worse.fit.shape.tensor_bytes
    return saved / max(worse.loss - better.loss, LOSS_NONE)


def stay(shapes: Sequence[Shape], ask: Ask, host: Host) -> bool:
    """Return whether the server keeps all of the models loaded, each where it computes best."""
    found = together(shapes, replace(ask, loaded=len(shapes)), host)
    words = {judge(shape, ask, host, search=False).placement.kind for shape in shapes}
    return not found.evicting and found.word != "does not fit" and "partial" not in words


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
    return [replace(choice, best=True) if choice is best else choice for choice in fits]


def _recommended(found: Sequence[Candidate], ask: Ask, purpose: str) -> tuple[Candidate, ...]:
    """Return the candidates with the recommended one marked.

    That is the newest of those that are roomy and quick and not much smaller than the largest:
    a larger model at four bits answers better than a smaller one at eight, as long as the
    quantisation loses little, and a newer one better than an older one of its size. A model is
    passed over where the release loads the one that took its place, where few people run it, or
    where others were trained for the context that is asked and it was not.
    """
    able = [choice for choice in found if choice.best and choice.roomy and choice.quick]
    able = [one for one in able if not one.twin and not _replaced(one.superseded, ask.facts)]
    if purpose == RAG:
        able = [choice for choice in able if _small(choice.fit)]
    elif purpose != EMBEDDING:
        able = [choice for choice in able if choice.fit.shape.context >= ask.context] or able
    known = [choice for choice in able if choice.leads]
    largest = max((choice.parameters for choice in known), default=0)
    near = [choice for choice in known if choice.parameters * CLASS >= largest]
    first = max(near, key=lambda choice: _half_year(choice.released), default=None)
    why = _why(first, purpose, on_cpu=ask.on_cpu) if first else ""
    current = {id(choice) for choice in known}
    return tuple(
        replace(choice, recommended=True, why=why, current=True)
        if choice is first
        else replace(choice, current=True)
        if id(choice) in current
        else choice
        for choice in found
    )


def _half_year(released: str) -> tuple[str, bool]:
    """Return when a model came out, to half a year: what is closer says nothing."""
    return released[:4], released[5:7] > "06"


def _small(fit: ModelFit) -> bool:
    """Return whether a model leaves most of the memory to another one."""
    used = [room for room in fit.rooms if room.need.total and room.total]
    return all(room.need.total * SHARE <= room.total for room in used)


def _replaced(superseded: str, facts: Facts) -> bool:
    """Return whether the release loads what took the place of a model; empty: nothing did."""
    successor = facts.model(superseded) if superseded else None
    return successor is not None and loads(superseded, successor.architecture, facts)


def _why(choice: Candidate, purpose: str, *, on_cpu: bool) -> str:
    when = f"of {choice.released[:7]}, " if choice.released else ""
    if _kind(purpose) == EMBEDDING:
        room = "take at most an eighth" if purpose == RAG else "leave a tenth"
        return f"{when}the newest of the largest embedding models that {room} of the memory"
    why = f"{when}the newest of the large ones that leave a tenth of the memory"
    rate = choice.fit.speed.decode if choice.fit.speed else None
    if on_cpu and rate is None:
        why += "; a token reads at most 6 GiB of it, which a CPU's memory keeps up with"
    rest = choice.fit.rooms[-1]
    if 0 <= rest.left < rest.grows:
        grown = growth(rest.grows)
        why += (
            f"; bound its prompt cache, which may grow {grown}: {rest.left / GIB:.1f} GiB are left"
        )
    return why
