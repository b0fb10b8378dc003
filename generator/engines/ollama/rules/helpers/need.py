"""What models need at the least: weights, KV cache, compute buffer, and how many are loaded."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.scheduler.settings import context_of, may_be_loaded
from generator.fit.host import Host, computes_on_cpu, host_of
from generator.fit.kv import kv_of
from generator.fit.shape import DEFAULT_BATCH, shape_of
from generator.rules.helpers.same import once

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.models import ModelFact
    from generator.engines.ollama.scheduler.ask import OllamaAsk
    from generator.fit.layout import Need
    from generator.fit.verdict import ModelFit
    from generator.host import Gpu
    from generator.view import ModelUse, View


def default_context(view: View, facts: Facts) -> int | None:
    """Return the context that the release chooses by a GPU memory above the lowest tier."""
    explicit = not view.lacks("OLLAMA_CONTEXT_LENGTH")
    have = 0 if explicit else host_of(view).gpu_memory
    tiers = facts.context_tiers if have else ()
    if not tiers or have < tiers[-2].memory:
        return None
    return context_of(view, facts)


VISIBLE: Final = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES")


@once
def known_models(view: View, facts: Facts) -> tuple[ModelFact, ...]:
    """Return what the Catalogue knows of the service's models, each once."""
    found = (facts.model(used.base or used.name) for used in view.models)
    known = [model for model in found if model is not None]
    return tuple({(model.names[0], model.quantisation): model for model in known}.values())


def heaviest(view: View, facts: Facts) -> list[ModelFact]:
    """Return as many of the known models as may be loaded at once, those with the most weights."""
    models = sorted(known_models(view, facts), key=lambda model: (-model.weight_bytes, model.names))
    return models[: may_be_loaded(view, facts)]


def asked(view: View, facts: Facts, model: ModelFact) -> OllamaAsk:
    """Return what the service asks for when it loads a model: one slot for some architectures."""
    return _granted(view, facts, model.names[0])


@once
def _granted(view: View, facts: Facts, name: str) -> OllamaAsk:
    return _ask_of(view, facts).granted(name)


@once
def _ask_of(view: View, facts: Facts) -> OllamaAsk:
    """Return what a service asks for; several rules want to know, of several models each."""
    # Most services name no model that is known; this loads only for one that does.
    from generator.engines.ollama.scheduler.ask import ask_of

    return ask_of(view, facts)


@once
def least(view: View, facts: Facts, model: ModelFact) -> Need:
    """Return the least that a model takes where it computes, on all GPUs together or the host.

    What a runner needs besides is left out, and so is what a larger batch would take. The compute
    buffer counts from 0.30 on: those of older engines were never measured. GPUs do not get the
    token embedding. Without a size for the quantisation only the cache is counted.
    """
    free = tuple(host_of(view).free)
    return _least_on(asked(view, facts, model), model, free, on_cpu=computes_on_cpu(view))


@lru_cache(maxsize=512)
def _least_on(ask: OllamaAsk, model: ModelFact, free: tuple[int, ...], *, on_cpu: bool) -> Need:
    """Return the same: hosts of one kind ask for it again and again."""
    from generator.fit.layout import Footprint, Need

    tokens = min(ask.context, model.context) * ask.slots
    cache = kv_of(model, tokens, ask.cache_type)
    if not model.weight_bytes:
        return Need(kv=cache)
    shape = shape_of(model, ask.facts)
    load = ask.load_of(shape, free)
    load = replace(load, batch=min(load.batch, DEFAULT_BATCH), outputs=load.slots)
    devices, host = Footprint(shape, load).needs(() if on_cpu else (shape.layers + 1,))
    need = devices[0] if devices else host
    if not ask.llama_server:
        return Need(layers=need.layers, weights=need.weights, kv=cache)
    return replace(need, other=0)


def alone(view: View, facts: Facts) -> tuple[str, ModelFit] | None:
    """Return the largest model, and its fit where nothing asks the server to spread it.

    None: a model, a card's memory or which cards are visible is not known.
    """
    named = [(used.name, facts.model(used.base or used.name)) for used in view.models]
    known = [(name, model) for name, model in named if model is not None and model.weight_bytes]
    tuned = any(used.base and used.base != used.name for used in view.models)
    if not known or len(known) < len(named) or tuned or not _all_cards(view):
        return None
    name, model = max(known, key=lambda pair: least(view, facts, pair[1]).total)
    ask = replace(asked(view, facts, model), spread=False)
    return name, _judged(ask, model, host_of(view).devices)


def placed(view: View, facts: Facts, used: ModelUse) -> ModelFit | None:
    """Return where the scheduler puts one model on the GPUs; None: not known, or told by hand.

    A model of another base may have parameters of its own.
    """
    model = facts.model(used.name)
    seen = bool(host_of(view).devices) and _all_cards(view, least=1)
    if model is None or not model.weight_bytes or not seen or used.base not in {"", used.name}:
        return None
    ask = asked(view, facts, model)
    return _judged(ask, model, host_of(view).devices) if ask.layers is None else None


@lru_cache(maxsize=512)
def _judged(ask: OllamaAsk, model: ModelFact, devices: tuple[Gpu, ...]) -> ModelFit:
    """Return the fit of a model on these GPUs, once for all hosts that have the same."""
    from generator.fit.verdict import judge

    return judge(shape_of(model, ask.facts), ask, Host(devices=devices), search=False)


def _all_cards(view: View, least: int = 2) -> bool:
    """Return whether the server sees so many cards of known memory, and all there are."""
    cards, box = view.host.gpus, view.container
    listed = [found.value.split(",") for name in VISIBLE if (found := view.variable(name))]
    if box is not None and box.gpus:
        listed.append(list(box.gpus))
    whole = all(len(names) == len(cards) for names in listed)
    return len(cards) >= least and whole and all(card.memory for card in cards)
