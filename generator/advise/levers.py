"""The levers: each says what could be set where a service stands so, or why that does nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from generator.advise.lever import Idle, Lever
from generator.catalogue.models import split
from generator.fit.choose import LOSS_LIMIT
from generator.fit.kv import PLAIN
from generator.fit.shape import shape_of
from generator.fit.verdict import holds, judge, together
from generator.meaning import parse_go_duration
from generator.records import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.advise.standing import Standing
    from generator.fit.verdict import ModelFit

    Given = Iterator[Lever | Idle]

NO_MEMORY: Final = "the profile does not say what memory the host has: nothing can be computed"
NO_MODEL: Final = "no model of the profile is known, so that nothing can be computed"
_DAY: Final = 24 * 3600 * 10**9
_SLOTS: Final = (2, 4, 8)
_BATCHES: Final = (1024, 2048)
_SEVERAL: Final = 2
_ROUND: Final = 4096
_UNTRAINED: Final = ("-base", "-text")
_DIGITS: Final = "answers differ in their last digits"


def _unknown(s: Standing) -> str:
    return NO_MODEL if s.known else NO_MEMORY


def flash_attention(s: Standing) -> Given:
    """Yield flash attention, which makes room and lets the cache be quantised."""
    fit = s.main
    if fit is None:
        yield Idle(lever="flash attention", why=_unknown(s))
    elif fit.load.flash_attention:
        by = "by the profile" if s.ask.flash_attention else "by itself"
        yield Idle(lever="flash attention", why=f"it is on, {by}")
    elif s.ask.flash_attention:
        why = f"the profile wants it, and {s.ask.product} {s.ask.facts.at} has none for this device"
        yield Idle(lever="flash attention", why=why)
    else:
        measure = "gen bench PROFILE -m MODEL --ab ollama.flash_attention=false,true"
        yield Lever(
            name="flash attention",
            sets=("ollama.flash_attention=true",),
            cost=_DIGITS,
            measure=measure,
        )


def cache(s: Standing) -> Given:
    """Yield a cache of fewer bits."""
    fit = s.main
    if fit is None:
        yield Idle(lever="cache type", why=_unknown(s))
        return
    kind = fit.load.cache_type
    for name, after in (("q8_0", {*PLAIN}), ("q4_0", {*PLAIN, "q8_0"})):
        if kind in after:
            cost = "precision of keys and values; the quality of answers is yours to judge"
            sets = (f"ollama.kv_cache_type={name}", "ollama.flash_attention=true")
            yield Lever(name=f"cache of {name}", sets=sets, cost=cost, loses=True)
    if kind == "q4_0":
        yield Idle(lever="cache type", why="it is q4_0, and there is no smaller one that is served")


def slots(s: Standing) -> Given:
    """Yield more requests at once, as many as memory holds, or fewer where it does not."""
    fit = s.main
    if fit is None:
        yield Idle(lever="slots", why=_unknown(s))
        return
    have, at = fit.load.slots, s.fits.index(fit)
    if s.ask.facts.one_slot(fit.shape.name):
        yield Idle(
            lever="slots", why=f"the server gives {fit.shape.name} one slot, whatever is set"
        )
        return
    if have > 1 and fit.word != "fits":
        yield Lever(
            name="fewer slots",
            sets=(f"ollama.num_parallel={have // 2}",),
            cost=f"{have // 2} requests at once in place of {have}",
        )
    more = [
        n for n in _SLOTS if n > have and holds(fit.shape, replace(s.asks[at], slots=n), s.host)
    ]
    if more:
        most = more[min(1, len(more) - 1)] if have == 1 else more[0]
        yield Lever(
            name="more slots",
            sets=(f"ollama.num_parallel={most}",),
            cost="each request alone is slower while others run",
            gains=f"{most} requests at once, {have} now",
            told="fit",
            measure=f"gen bench PROFILE -m MODEL --concurrency {have},{most}",
        )
    elif have < _SLOTS[-1]:
        yield Idle(lever="more slots", why=f"memory holds no more than {have} of that context")


def batch(s: Standing) -> Given:
    """Yield larger batches, by which a prompt is read with fewer passes over the weights."""
    fit = s.main
    if fit is None or fit.shape.encoder:
        yield Idle(lever="batch", why=_unknown(s) if fit is None else "it embeds each text whole")
        return
    larger = [size for size in _BATCHES if size > fit.load.batch]
    if not larger:
        yield Idle(lever="batch", why=f"it is {fit.load.batch}, the largest that is usual")
    else:
        size = larger[-1]
        sets = (_with(s, fit, lambda model: {"parameters": {**_own(model), "num_batch": size}}),)
        yield Lever(
            name=f"batch of {size}", sets=sets, measure="gen tune PROFILE -m MODEL --vary num_batch"
        )


def threads(s: Standing) -> Given:
    """Yield as many threads as there are cores, where the processor computes."""
    cores, quota = s.plan.host.cores, _limit(s, "cpu_quota")
    count = s.written.get("threads", {}).get("count", cores)
    if s.whole:
        why = "all layers are on GPUs: the processor's threads compute nothing"
        yield Idle(lever="threads", why=why)
    elif not cores:
        yield Idle(lever="threads", why="the profile does not say how many cores there are")
    elif isinstance(quota, int) and quota < 100 * count:
        yield Lever(
            name="CPU quota",
            sets=(f"resources.cpu_quota={100 * cores}%",),
            cost="other services get less CPU time",
            measure="gen doctor PROFILE",
        )
    elif count != cores:
        yield Lever(
            name="threads",
            sets=(f"threads.count={cores}",),
            gains=f"a thread for each of {cores} cores, {count} now",
            measure="gen tune PROFILE -m MODEL --vary threads",
        )
    else:
        yield Idle(lever="threads", why=f"there is one for each of {cores} cores")


def context(s: Standing) -> Given:
    """Yield a shorter context where memory is short, and a longer one where there is plenty."""
    fit = s.main
    if fit is None:
        yield Idle(lever="context", why=_unknown(s))
        return
    have, at = fit.load.context, s.fits.index(fit)
    if fit.word != "fits" and have > _ROUND:
        half = max(_ROUND, have // 2)
        yield Lever(
            name="shorter context",
            sets=(f"ollama.context_length={half}",),
            cost=f"prompts beyond {half} tokens lose their beginning",
        )
        return
    double = min(2 * have, fit.shape.context or 2 * have)
    if double > have and holds(fit.shape, replace(s.asks[at], context=double), s.host):
        yield Lever(
            name="longer context",
            sets=(f"ollama.context_length={double}",),
            gains=f"prompts of {double} tokens, {have} now",
            told="fit",
        )
    else:
        trained = fit.shape.context and have >= fit.shape.context
        why = "the model was trained for no more" if trained else "memory holds no more"
        yield Idle(lever="longer context", why=why)


def quantisation(s: Standing) -> Given:
    """Yield a quantisation that is read faster, and one that loses less and still fits."""
    fit = s.main
    if fit is None:
        yield Idle(lever="quantisation", why=_unknown(s))
        return
    found, now = _kinds(s, fit), _loss(s, fit.shape.quantisation)
    bits = fit.shape.tensor_bytes
    smaller = [k for k in found if k.fit.shape.tensor_bytes < bits and k.loss <= LOSS_LIMIT]
    larger = [k for k in found if k.fit.shape.tensor_bytes > bits and k.fit.word == "fits"]
    better = [kind for kind in larger if kind.loss < now]
    for kind in (*smaller[-1:], *better[:1]):
        yield _requantised(s, fit, kind, now)
    if not smaller and not better:
        why = "no tag of the library is smaller without losing much, or loses less and fits"
        yield Idle(lever="quantisation", why=why)


class Kind(NamedTuple):
    """A quantisation that the library has of a model: what to pull, its loss, how it fits."""

    tag: str
    loss: float
    fit: ModelFit


def _kinds(s: Standing, fit: ModelFit) -> list[Kind]:
    """Return the quantisations that can be pulled and whose loss is known, the smallest first."""
    at = s.fits.index(fit)
    model = s.ask.facts.named_model(split(s.models[at].name)[0])
    if model is None:
        return []
    own = s.models[at].name
    tags = {kind: tag for kind, tag in s.ask.facts.tags(model).items() if _alike(tag.name, own)}
    found = []
    for entry in s.ask.facts.quantisations:
        if entry.usual and entry.name in tags and entry.name in model.sizes:
            shape = shape_of(replace(model, quantisation=entry.name), s.ask.facts)
            judged = judge(shape, s.asks[at], s.host, search=False)
            found.append(Kind(tags[entry.name].name, entry.loss or 0.0, judged))
    return sorted(found, key=lambda kind: kind.fit.shape.tensor_bytes)


def _alike(tag: str, own: str) -> bool:
    """Whether a tag is no model before its training for talk, unless that is what is served."""
    return all(word in own or word not in tag for word in _UNTRAINED)


def _loss(s: Standing, kind: str) -> float:
    return next((e.loss or 0.0 for e in s.ask.facts.quantisations if e.name == kind), 0.0)


def _requantised(s: Standing, fit: ModelFit, kind: Kind, now: float) -> Lever:
    told = f"perplexity loses {kind.loss:.3f}, {now:.3f} now"
    less = kind.loss < now
    return Lever(
        name=f"{kind.fit.shape.quantisation} in place of {fit.shape.quantisation}",
        sets=(_with(s, fit, lambda _: {"name": kind.tag}),),
        effort="pull",
        cost="" if less else told,
        gains=told if less else "",
        told="quantisation data",
        loses=not less,
    )


def keep_alive(s: Standing) -> Given:
    """Yield models that stay, so that the first request after a pause waits for no load."""
    told = next((x.value for x in s.service.environment if x.name == "OLLAMA_KEEP_ALIVE"), "5m")
    length = parse_go_duration(told)
    if length < 0 or length >= _DAY:
        yield Idle(lever="keep-alive", why=f"models stay for {told if length > 0 else 'ever'}")
    else:
        yield Lever(
            name="keep-alive",
            sets=("ollama.keep_alive=24h",),
            cost="their memory stays taken",
            loads=True,
            told="speed data",
            gains=f"no load after a pause of more than {told}",
        )


def preload(s: Standing) -> Given:
    """Yield models that are loaded at the start, before somebody asks."""
    late = [model for model in s.models if model.role == "main"][:1] or list(s.models[:1])
    enabled = any(job.name.endswith("warmup") for job in s.service.jobs)
    if not late:
        yield Idle(lever="preload", why=_unknown(s))
    elif enabled:
        yield Idle(lever="preload", why="a job loads models after each start")
    else:
        fit = s.main
        yield Lever(
            name="preload",
            sets=(_with(s, fit, lambda _: {"preload": True}),) if fit else (),
            cost="a start of the machine reads them once more",
            loads=True,
            told="speed data",
            gains="no load at the first request after a start",
        )


def numa(s: Standing) -> Given:
    """Yield memory that lies on all nodes, where the processor has several."""
    sockets = _sockets(s)
    if s.whole:
        yield Idle(lever="NUMA", why="all layers are on GPUs: the host's memory is not read")
    elif sockets < _SEVERAL:
        yield Idle(lever="NUMA", why="there is one socket")
    elif _limit(s, "numa_policy"):
        yield Idle(lever="NUMA", why="the profile has a policy")
    else:
        yield Lever(
            name="NUMA",
            sets=("resources.numa_policy=interleave",),
            gains=f"memory of all {sockets} sockets is read at once",
            measure="gen bench PROFILE -m MODEL --ab resources.numa_policy=default,interleave",
        )


def spread(s: Standing) -> Given:
    """Yield one card in place of all for what one holds, or all where the scheduler takes one."""
    told = next((x.value for x in s.service.environment if x.name == "OLLAMA_SCHED_SPREAD"), "")
    if len(s.host.devices) < _SEVERAL or s.ask.on_cpu:
        yield Idle(lever="spread", why="there are not several GPUs")
    elif told in {"1", "true"}:
        yield Lever(
            name="one card where it does",
            sets=("ollama.sched_spread=false",),
            measure="gen bench PROFILE -m MODEL --ab ollama.sched_spread=true,false",
        )
    elif s.main is not None and sum(1 for n in s.main.placement.counts if n) > 1:
        yield Idle(lever="spread", why="the model is on several GPUs by itself")
    else:
        yield Idle(lever="spread", why="one GPU holds it: more would wait for one another")


def prompt_cache(s: Standing) -> Given:
    """Yield a bound for earlier prompts, where they may take more than is left."""
    fit = s.main
    if fit is None:
        return
    room = fit.rooms[-1]
    if not room.grows:
        yield Idle(lever="prompt cache", why="the release keeps none in the host's memory")
    elif room.total and room.left < room.grows:
        half = max(256, room.left // 2**21)
        yield Lever(
            name="prompt cache",
            sets=(f"ollama.prompt_cache={half}MiB",),
            cost="earlier prompts are read anew sooner",
            gains="prompt caches cannot grow beyond what is left",
            told="fit",
        )
    else:
        yield Idle(lever="prompt cache", why="there is room for all that it may grow to")


def loaded(s: Standing) -> Given:
    """Yield as many models in memory as the profile has, where they fit side by side."""
    number = len(s.models)
    if number < _SEVERAL:
        yield Idle(lever="models at once", why="the profile has one model")
        return
    shapes = [fit.shape for fit in s.fits]
    if s.ask.loaded >= number and s.all is not None and not s.all.evicting:
        yield Idle(lever="models at once", why=f"all {number} stay side by side")
        return
    both = together(shapes, replace(s.ask, loaded=number), s.host)
    if both.word != "does not fit" and not both.evicting and s.ask.loaded < number:
        yield Lever(
            name="models at once",
            sets=(f"ollama.max_loaded_models={number}",),
            gains=f"all {number} stay loaded, {s.ask.loaded} now",
            loads=True,
            told="speed data",
        )
    else:
        yield Idle(lever="models at once", why=f"memory does not hold all {number} side by side")


def batching_window(_: Standing) -> Given:
    """Yield why clients gain nothing from collecting requests."""
    why = "the server computes what waits at its slots together; a window only adds its own wait"
    yield Idle(lever="batching window", why=why)


def blas(s: Standing) -> Given:
    """Yield a library for large products, which only a build of one's own has."""
    if s.on_gpus:
        yield Idle(lever="BLAS library", why="prompts are computed on GPUs")
    elif s.service.build is not None:
        yield Idle(lever="BLAS library", why="the profile has a build of its own")
    elif s.main is None:
        yield Idle(lever="BLAS library", why=_unknown(s))
    elif s.ask.facts.behaves("builds-llama-server"):
        yield Lever(
            name="BLAS library",
            sets=('ollama.build={blas="openblas"}',),
            effort="install",
            cost="a build of one's own, anew with each release",
            measure="gen bench PROFILE -m MODEL --prompt-tokens 2048",
        )
    else:
        yield Idle(lever="BLAS library", why="the release is not built with one")


def _sockets(s: Standing) -> int:
    cpu = s.written.get("host", {}).get("cpu", {})
    return int(cpu.get("sockets", 1))


def _limit(s: Standing, name: str) -> object:
    return next((limit.value for limit in s.service.limits if limit.name == name), None)


def _own(model: dict[str, Any]) -> dict[str, Any]:
    found = model.get("parameters")
    return found if isinstance(found, dict) else {}


def _with(s: Standing, fit: ModelFit, change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    """Return the flag that has the profile's models with the one that is meant changed."""
    at = s.models[s.fits.index(fit)].name
    tables = [dict(table) for table in s.written.get("models", [])]
    made = [{**t, **change(t)} if t.get("name") == at else t for t in tables]
    return f"models=[{', '.join(map(_inline, made))}]"


def _inline(value: object) -> str:
    """Return a value as TOML has it in a line."""
    if isinstance(value, dict):
        inner = (f"{_key(key)} = {_inline(each)}" for key, each in value.items())
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_inline, value))}]"
    return str(value).lower() if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else json.dumps(key, ensure_ascii=False)


LEVERS: Final[tuple[Callable[[Standing], Given], ...]] = (
    quantisation,
    flash_attention,
    cache,
    spread,
    batch,
    slots,
    context,
    keep_alive,
    preload,
    loaded,
    prompt_cache,
    threads,
    numa,
    blas,
    batching_window,
)
