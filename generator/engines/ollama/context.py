"""The context length where the profile leaves it out: what the GPUs hold beside the main model.

From 0.15.5 on the server takes a tier by the memory of all GPUs, whatever the model; where that
does not fit, the CPU computes layers that a smaller context would have left on a GPU. A tier that
fits is left to the server.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from generator.engines.ollama.decision import reads, setting
from generator.host import reserve
from generator.readers.plan import PROFILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.engines.base import Case
    from generator.engines.ollama.decision import Decisions
    from generator.engines.ollama.scheduler.ask import OllamaAsk
    from generator.fit.shape import Shape
    from generator.plan import Setting
    from generator.profiles.schema import Model
    from generator.view import View

STEP: Final = 1024
# What the server takes on the smallest GPU. Less helps nobody: a prompt with a file is longer.
LEAST: Final = 4096
NAME: Final = "OLLAMA_CONTEXT_LENGTH"
WHERE: Final = "ollama.context_length"


def decide(case: Case, settings: Sequence[Setting]) -> Decisions:
    """Set the context length if it is left out and the release's own does not fit.

    `settings` are the variables that the server gets beside it.
    """
    model = _main(case)
    if model is None or not _left_to_the_tier(case):
        return
    from generator.engines.ollama.scheduler.ask import ask_of
    from generator.fit.shape import shape_of

    fact = case.facts.model(model.name)
    if fact is None or not fact.weight_bytes:
        return
    ask = ask_of(_view(case, settings), case.facts).granted(model.name)
    if ask.layers is not None:
        return
    shape = shape_of(fact, case.facts)
    # Memory that is the host's, too, less the share of the system.
    memories = [gpu.free - (reserve(gpu.memory) if gpu.unified else 0) for gpu in case.gpus]
    tokens, own = context(shape, ask, memories), min(ask.context, shape.context)
    if tokens < own:
        fit = fits(shape, ask, tokens, memories)
        why = "as many as fit beside" if fit else "the least, for not even these fit beside"
        reason = f"Tokens of context per request slot: {why} `{model.name}` on the GPUs; the server"
        reason += f" would take {own}."
        yield from setting(case, NAME, str(tokens), where=WHERE, reason=reason, source="derived")


def context(shape: Shape, ask: OllamaAsk, memories: Sequence[int]) -> int:
    """Return the context for each slot: what is asked for, or the largest that fits, in steps.

    Never above the trained context. More memory never gives less: where not even LEAST fits, it is
    LEAST, and not the larger tier.
    """
    own = min(ask.context, shape.context)
    if own <= LEAST or fits(shape, ask, own, memories):
        return own
    steps = range(LEAST + STEP, own, STEP)
    count = bisect_left(steps, True, key=lambda tokens: not fits(shape, ask, tokens, memories))
    return steps[count - 1] if count else LEAST


def fits(shape: Shape, ask: OllamaAsk, tokens: int, memories: Sequence[int]) -> bool:
    """Return whether all layers find room: on one GPU, or on all of them.

    On each GPU stay free what the release leaves free, the overhead of a GPU and the compute
    buffer of the largest batch that the release takes for so many tokens; on several GPUs a layer,
    too, because layers are not cut.
    """
    from generator.fit.kv import kv_layers
    from generator.fit.layout import Footprint

    # Without free memory to look at, the batch follows from the tokens alone.
    load = replace(ask, context=tokens).load_of(shape, ())
    (need,), _ = Footprint(shape, load).needs((shape.layers + 1,))
    layers = zip(shape.layer_bytes, kv_layers(shape, load), strict=True)
    widest = max(shape.output_bytes, *(weights + kv for weights, kv in layers))
    free = ask.margin if ask.llama_server else ask.overhead
    rooms = [max(0, memory - free - need.compute - need.other) for memory in memories]
    whole = need.weights + need.kv
    return max(rooms) >= whole or sum(max(0, room - widest) for room in rooms) >= whole


def _main(case: Case) -> Model | None:
    """Return the first main model, unless it has a context or a number of layers of its own."""
    model = next((m for m in case.profile.models if m.role == "main"), None)
    own = model is not None and {"num_ctx", "num_gpu"} & model.parameters.keys()
    return None if own else model


def _left_to_the_tier(case: Case) -> bool:
    """Return whether the release chooses the context by GPUs of which all are visible."""
    profile = case.profile
    if profile.ollama.context_length is not None or not case.gpus:
        return False
    visible, layers = profile.gpu.visible_devices, profile.gpu.layers
    chosen = bool(visible) and len(visible) != len(case.gpus)
    forced = isinstance(layers, int)
    return not (chosen or forced) and bool(case.facts.context_tiers) and reads(case, NAME)


def _view(case: Case, settings: Sequence[Setting]) -> View:
    """Return as much of a View as tells what is asked of the scheduler."""
    from generator.view import Place, Variable, View

    place = Place(case.profile.name)
    return View(
        phrases=PROFILE,
        engine="ollama",
        name=case.profile.name,
        place=place,
        release=case.facts.release,
        variables=tuple(
            Variable(name=one.name, value=one.value, place=place)
            for one in settings
            if one.source != "legacy"
        ),
        host=case.host,
        acceleration=case.acceleration,
    )
