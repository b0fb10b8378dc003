"""What Ollama's scheduler does with a model, by release: not the same as whether it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.fit import best_fit, estimate, llama_fit
from generator.fit.ask import cache_type, own_engine, uses_flash
from generator.fit.layout import by_share, placed
from generator.fit.shape import DEFAULT_BATCH, Load
from generator.units import MIB, gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.fit.ask import Ask
    from generator.fit.layout import Footprint, Placement
    from generator.fit.shape import Shape


def load_of(shape: Shape, ask: Ask, free: Sequence[int]) -> Load:
    """Return how the release loads a model: context, cache, flash attention and batch."""
    flash = uses_flash(ask, shape.architecture)
    # At most the trained context is granted. Source: server/sched.go@v0.32.15:149-167.
    context = min(ask.context, shape.context or ask.context)
    return Load(
        context=context,
        slots=ask.slots,
        cache_type=cache_type(ask, shape.architecture, flash=flash),
        flash_attention=flash,
        batch=_batch(shape, context * ask.slots, ask, free, flash=flash),
        outputs=ask.slots if ask.facts.behaves("logits-per-slot") else 0,
    )


def _batch(shape: Shape, tokens: int, ask: Ask, free: Sequence[int], *, flash: bool) -> int:
    if not ask.llama_server:
        return DEFAULT_BATCH
    expected = llama_fit.predicted(shape, tokens)
    chosen = llama_fit.choose(expected, free, ask) if free else ()
    have = [free[device] for device in chosen]
    return llama_fit.batch_of(expected, tokens, have, flash=flash, cuda=ask.cuda and not ask.on_cpu)


def place(footprint: Footprint, ask: Ask, free: Sequence[int]) -> Placement:
    """Return where the scheduler of the release puts a model on devices with `free` memory."""
    if ask.on_cpu or not free:
        return placed(footprint.shape, (0,) * len(free), "only the CPU computes here")
    shape, load = footprint.shape, footprint.load
    if ask.layers is not None:
        counts = by_share(min(ask.layers, shape.layers + 1), free)
        return placed(shape, counts, f"{ask.layers} layers are asked for, whether they fit or not")
    if ask.llama_server:
        return _by_llama_server(footprint, ask, free)
    own = own_engine(ask, shape.architecture)
    measured = ask.facts.behaves("best-fit-of-its-own-engine" if own else "best-fit")
    assign = best_fit.assign if measured else estimate.assign
    counts, headless = assign(shape, load, free, ask)
    how = "by its own measure" if measured else "by its estimate"
    reason = _reason(shape, counts, how, ask)
    return placed(shape, counts, reason, headless=headless and any(counts))


def _by_llama_server(footprint: Footprint, ask: Ask, free: Sequence[int]) -> Placement:
    expected = llama_fit.predicted(footprint.shape, footprint.load.tokens)
    chosen = llama_fit.choose(expected, free, ask)
    counts = llama_fit.fill(footprint, free, chosen, ask.margin)
    size = gib(expected, 1)
    if ask.spread and len(free) > 1:
        how = "OLLAMA_SCHED_SPREAD asks for all GPUs"
    elif len(free) == 1:
        how = f"one GPU; llama.cpp leaves {ask.margin // MIB} MiB of it free"
    elif len(chosen) == 1:
        how = f"the {size} that it predicts are within 80 % of one GPU"
    else:
        how = f"the {size} that it predicts are above 80 % of every single GPU"
    if 0 < sum(counts) <= footprint.shape.layers:
        how += f"; with {ask.margin // MIB} MiB left free on each, not all layers fit"
    return placed(footprint.shape, counts, how)


def _reason(shape: Shape, counts: Sequence[int], how: str, ask: Ask) -> str:
    if ask.spread and len(counts) > 1:
        return f"OLLAMA_SCHED_SPREAD asks for all GPUs; layers placed {how}"
    whole = sum(counts) > shape.layers
    return f"it fits {how}" if whole else f"it does not all fit, {how}"
