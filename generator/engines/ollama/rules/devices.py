"""HW301, HW303, HW304, HW306, HW309 and HW310: which GPUs compute, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers import need
from generator.fit.host import computes_on_cpu, host_of
from generator.fit.kv import PLAIN
from generator.meaning import truthy
from generator.rules.helpers.containers import release_said
from generator.rules.helpers.gpus import driver_major, names_of
from generator.rules.helpers.variables import rewritten
from generator.rules.rule import Hit, Hits, Rule
from generator.units import gib

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.catalogue.hardware import GpuGeneration
    from generator.host import Gpu
    from generator.view import Variable, View


@Rule(
    id="HW301",
    title="a driver too old for the release",
    why="Each release asks for a least driver per GPU generation. Below it the server says so in a "
    "line of its log and computes on the CPU.",
    bad="driver 535 with a Tesla P40 and Ollama 0.30",
    good="driver 570 or newer",
    releases="0.30.0 and later",
    source="discover/cuda_compat.go@v0.32.15:14-18,66-71; ollama#17290",
)
def driver_floor(view: View, facts: Facts) -> Hits:
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
def spread_without_need(view: View, facts: Facts) -> Hits:
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
    found = need.alone(view, facts)
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
def context_by_memory(view: View, facts: Facts) -> Hits:
    tokens = need.default_context(view, facts)
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
    have, models = host_of(view).gpu_memory, need.known_models(view, facts)
    beyond = [m for m in models if 0 < m.weight_bytes < have < need.least(view, facts, m).total]
    counted = models if tokens == facts.context_tiers[0].tokens else beyond
    if not counted:
        return ""
    model = max(counted, key=lambda m: need.least(view, facts, m).kv)
    slots = need.asked(view, facts, model).slots
    each = f", with {slots} slots" if slots > 1 else ""
    most = f", trained for {model.context}" if model.context < tokens else ""
    size = gib(need.least(view, facts, model).kv)
    over = f"; with {gib(model.weight_bytes)} of weights that is beyond the GPUs' {gib(have)}"
    needed = f": {size} of KV cache for `{model.names[0]}`{most}{each}"
    return needed + over if model in beyond else needed


LIBRARY: Final = "OLLAMA_LLM_LIBRARY"
CUDA_13_DRIVER: Final = 580  # discover/cuda_common.go@v0.11.11: cuda_v13 for a CUDA 13 driver
SYSTEM: Final = "x86_64-linux"
STRICT: Final = "llm-library-strict"
MISJUDGES: Final = "newest-cuda-for-a-new-driver"


@Rule(
    id="HW306",
    severity="error",
    title="a CUDA library without kernels for the card",
    why="cuda_v13 begins with Turing; Maxwell, Pascal and Volta have their kernels in cuda_v12 "
    "alone. From 0.12.4 on a library that does not serve a card leaves it out; before, the load "
    "fails with `no kernel image`. 0.11.11 chose cuda_v13 by itself for every CUDA 13 driver.",
    bad="Environment=OLLAMA_LLM_LIBRARY=cuda_v13    # with a Quadro P4000",
    good="# left out: the server finds the library by itself",
    releases="0.11.11 and later",
    source="llama/server/CMakePresets.json@v0.32.15:71,103; ollama#12316, ollama#12408",
)
def library_without_kernels(view: View, facts: Facts) -> Hits:
    variable = view.variable(LIBRARY)
    asked = variable.value.strip() if variable is not None else ""
    known, system = facts.generations(view.host.gpus), view.host.system or SYSTEM
    fact = facts.variable(LIBRARY)
    there = (fact and fact.allowed(system)) or ()
    if variable is not None and asked in there:
        lacking = [g for g in known if asked not in g.cuda_libraries(system)]
        if asked.startswith("cuda_") and lacking:
            yield _asked_for(view, variable, lacking, strict=facts.behaves(STRICT))
    elif facts.behaves(MISJUDGES) and (driver_major(view) or 0) >= CUDA_13_DRIVER:
        lacking = [g for g in known if "cuda_v13" not in g.cuda_libraries(system)]
        if lacking:
            yield _chosen_wrongly(view, facts, lacking)


def _asked_for(
    view: View, variable: Variable, lacking: list[GpuGeneration], *, strict: bool
) -> Hit:
    effect = "the server leaves such a card out" if strict else "every load fails on such a card"
    return Hit(
        message=f"`{variable.value.strip()}` has no kernels for {names_of(lacking)}: in "
        f"{view.release} {effect}",
        place=variable.place,
        fix=f"leave {LIBRARY} out: the server finds the library by itself",
    )


def _chosen_wrongly(view: View, facts: Facts, lacking: list[GpuGeneration]) -> Hit:
    fact = facts.behaviours[MISJUDGES]
    return Hit(
        message=f"with driver {view.host.driver} Ollama {view.release} takes cuda_v13, which "
        f"has no kernels for {names_of(lacking)}: every load fails",
        place=view.at("ollama.version"),
        fix=f"use {fact.until} or newer, or write `{LIBRARY}=cuda_v12`",
        link=fact.source,
    )


@Rule(
    id="HW310",
    severity="error",
    title="the only GPU is switched off as an integrated one",
    why="OLLAMA_IGPU_ENABLE=0 drops every integrated GPU, and GB10 and Jetson are integrated for "
    "CUDA. Left out, CUDA's integrated GPUs are used and others are not.",
    bad="Environment=OLLAMA_IGPU_ENABLE=0    # on a DGX Spark",
    good="# left out",
    releases="0.30.0 and later",
    source="discover/runner.go@v0.32.15:382-440",
)
def integrated_dropped(view: View, facts: Facts) -> Hits:
    variable, fact = view.variable("OLLAMA_IGPU_ENABLE"), facts.variable("OLLAMA_IGPU_ENABLE")
    cards = view.host.gpus
    if variable is None or not variable.value.strip() or truthy(variable.value.strip()):
        return
    if fact and fact.works and cards and all(_integrated(card, facts) for card in cards):
        yield Hit(
            message=f"`{variable.value}` drops integrated GPUs, and {cards[0].name} is one: the "
            f"server computes on the CPU",
            place=variable.place,
            fix="leave it out, or write `1`",
            edits=rewritten(view, variable, "1"),
        )


def _integrated(card: Gpu, facts: Facts) -> bool:
    known, generation = facts.card(card.name), facts.generation(card.compute_capability)
    jetson = generation is not None and generation.jetson
    return card.unified or jetson or (known is not None and known.unified)


@Rule(
    id="HW309",
    severity="info",
    title="flash attention against what the release does for the device",
    why="Up to 0.24 an explicit value counts where device and model can; from 0.30 on it is always "
    "obeyed. Left out, 0.30 turns it on for CUDA from 7.0 on, 0.31.2 from 6.0 on, never for 7.2. "
    "Forced on, older cards run kernels without tensor cores. Forced off, the compute buffer "
    "grows with the context (572 MiB instead of 266 for an 8B llama at 8192 tokens), and a "
    "quantised KV cache fails to load.",
    bad="Environment=OLLAMA_FLASH_ATTENTION=0    # on a card that can",
    good="# left out",
    source="ml/device.go@v0.24.0:485-490, @v0.31.1:586-600, @v0.32.15:586-600; "
    "llm/llama_server.go@v0.32.15:596-621",
)
def flash_attention_by_hand(view: View, facts: Facts) -> Hits:
    variable = view.variable("OLLAMA_FLASH_ATTENTION")
    on_cpu = computes_on_cpu(view)
    known = [] if on_cpu else facts.generations(view.host.gpus)
    # A card that is not known might be the one that cannot.
    judged = on_cpu or 0 < len(known) == len(view.host.gpus)
    if variable is None or not variable.value.strip() or not judged:
        return
    lacking, release = [g for g in known if not g.flash_attention], release_said(view, facts)
    message = ""
    if not facts.behaves("flash-attention-obeyed"):
        message = _before_0_30(view, facts, on=truthy(variable.value), on_cpu=on_cpu)
    elif truthy(variable.value):
        message = _forced_on(view, lacking, release)
    elif not view.phrases.keyed and not lacking:  # HW112 reports it of a profile
        message = (
            f"flash attention is off, though Ollama {release} would turn it on here: compute "
            f"buffers grow with the context, and a quantised KV cache fails to load"
        )
    if message:
        yield Hit(message=message, place=variable.place, fix="leave it out, or measure both")


def _before_0_30(view: View, facts: Facts, *, on: bool, on_cpu: bool) -> str:
    fact = facts.behaviours["flash-attention-on-cpu"]
    # A profile has HW105 for it.
    if not on or not on_cpu or fact.covers(facts.at) or view.phrases.keyed:
        return ""
    message = f"flash attention does nothing on a CPU in Ollama {release_said(view, facts)}"
    return f"{message}; it does since {fact.since}"


def _forced_on(view: View, lacking: list[GpuGeneration], release: str) -> str:
    """A quantised KV cache needs it, whatever the device: who asks for that one has decided."""
    cache = view.variable("OLLAMA_KV_CACHE_TYPE")
    if not lacking or (cache is not None and cache.value.strip() not in PLAIN):
        return ""
    return (
        f"flash attention is forced on, though Ollama {release} leaves it off for "
        f"{names_of(lacking)}: it is obeyed, with kernels that have no tensor cores to use"
    )
