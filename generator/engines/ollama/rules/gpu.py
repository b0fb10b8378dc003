"""HW301, HW303 and HW304: drivers, placement, and what a large memory does to defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines.ollama.rules.helpers.need import (
    alone,
    asked,
    default_context,
    known_models,
    least,
)
from generator.engines.ollama.rules.helpers.values import truthy
from generator.fit.host import host_of
from generator.rules.helpers.gpus import driver_major
from generator.rules.rule import Hit, Rule
from generator.units import gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View


@Rule(
    id="HW301",
    severity="warning",
    title="a driver too old for the release",
    why="Each release asks for a least driver per GPU generation. Below it the server says so in a "
    "line of its log and computes on the CPU.",
    bad="driver 535 with a Tesla P40 and Ollama 0.30",
    good="driver 570 or newer",
    releases="0.30.0 and later",
    source="discover/cuda_compat.go@v0.32.15:14-18,66-71; ollama#17290",
)
def driver_floor(view: View, facts: Facts) -> Iterator[Hit]:
    major = driver_major(view)
    floors = [(g.driver_floor, g) for g in facts.generations(view.host.gpus)]
    if major is None or not floors:
        return
    floor, generation = max(floors, key=lambda pair: pair[0])
    if major < floor:
        yield Hit(
            message=f"driver {view.host.driver} is too old for Ollama {view.release} on "
            f"{generation.name}, which asks for {floor}; the server would compute on the CPU",
            place=view.at("host.driver"),
            fix=f"install driver {floor} or newer",
            link=generation.source,
        )


@Rule(
    id="HW303",
    severity="info",
    title="spreading over all GPUs",
    why="OLLAMA_SCHED_SPREAD forces a split, also of a model that one card holds: memory on every "
    "card, and a hop at every token. Where the largest model is split anyway, nothing is said.",
    bad="OLLAMA_SCHED_SPREAD=1",
    good="# left out: the server splits what does not fit on one GPU",
    source="server/sched.go@v0.32.15:1064",
)
def spread_without_need(view: View, facts: Facts) -> Iterator[Hit]:
    spread = view.variable("OLLAMA_SCHED_SPREAD")
    if spread is None or not truthy(spread.value) or view.acceleration == "cpu":
        return
    if message := _spread_message(view, facts):
        yield Hit(
            message=message,
            place=spread.place,
            fix="leave it out: the server splits what does not fit on one GPU",
        )


def _spread_message(view: View, facts: Facts) -> str:
    """Return what spreading costs; empty: the largest model would be split anyway."""
    cost = "more memory in all, and a hop between the cards at every token"
    found = alone(view, facts)
    if found is None:
        return f"spreading also splits a model that one GPU could hold: {cost}"
    name, fit = found
    if fit.placement.kind != "one":
        return ""
    room = max(fit.rooms[:-1], key=lambda room: room.need.layers)
    return (
        f"`{name}` fits on one GPU, {room.name}, with {gib(room.need.total)} of {gib(room.total)}; "
        f"spreading splits it all the same: {cost}"
    )


@Rule(
    id="HW304",
    severity="warning",
    title="no context length on a large GPU memory",
    why="Without OLLAMA_CONTEXT_LENGTH the server takes 4096, 32768 or 262144 tokens per slot, by "
    "the GPU memory in all: 32768 from 23 GiB on, 262144 from 47 GiB on, and no more than the "
    "model was trained for. The largest tier can take most of that memory for one model. The "
    "middle one is reported where weights and KV cache of a known model are beyond the memory.",
    bad="# nothing, on a DGX Spark",
    good="OLLAMA_CONTEXT_LENGTH=8192",
    releases="0.15.5 and later",
    source="server/routes.go@v0.32.15:2047-2057; ollama#14116",
)
def context_by_memory(view: View, facts: Facts) -> Iterator[Hit]:
    tokens = default_context(view, facts)
    if tokens is None:
        return
    detail = _cache_detail(view, facts, tokens)
    if detail or tokens == facts.context_tiers[0].tokens:
        yield Hit(
            message=f"without a context length the server takes {tokens} tokens per slot on this "
            f"much GPU memory{detail}",
            place=view.at("ollama.context_length"),
            fix="write the context that you need, like 8192",
        )


def _cache_detail(view: View, facts: Facts, tokens: int) -> str:
    """Return the largest KV cache; below the top tier only of models that are then too large."""
    have, models = host_of(view).gpu_memory, known_models(view, facts)
    beyond = [m for m in models if 0 < m.weight_bytes < have < least(view, facts, m).total]
    counted = models if tokens == facts.context_tiers[0].tokens else beyond
    if not counted:
        return ""
    model = max(counted, key=lambda m: least(view, facts, m).kv)
    slots = asked(view, facts, model).slots
    each = f", with {slots} slots" if slots > 1 else ""
    most = f", trained for {model.context}" if model.context < tokens else ""
    size = gib(least(view, facts, model).kv)
    detail = f": {size} of KV cache for `{model.names[0]}`{most}{each}"
    if model in beyond:
        detail += (
            f"; with {gib(model.weight_bytes)} of weights that is beyond the GPUs' {gib(have)}"
        )
    return detail
