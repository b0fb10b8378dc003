"""HW309: flash attention by hand, against what the release does for the device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines.ollama.rules.helpers.values import truthy
from generator.fit.host import computes_on_cpu
from generator.fit.kv import PLAIN
from generator.rules.helpers.gpus import generations, names_of
from generator.rules.rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.hardware import GpuGeneration
    from generator.view import View


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
def flash_attention_by_hand(view: View, facts: Facts) -> Iterator[Hit]:
    """From 0.30 on an explicit value is obeyed, also against what the release would choose."""
    variable = view.variable("OLLAMA_FLASH_ATTENTION")
    on_cpu = computes_on_cpu(view)
    known = [] if on_cpu else generations(view, facts)
    # A card that is not known might be the one that cannot.
    judged = on_cpu or 0 < len(known) == len(view.host.gpus)
    if variable is None or not variable.value.strip() or not judged:
        return
    lacking = [g for g in known if not g.flash_attention]
    message = ""
    if not facts.behaves("flash-attention-obeyed"):
        message = _before_0_30(view, facts, on=truthy(variable.value), on_cpu=on_cpu)
    elif truthy(variable.value):
        message = _forced_on(view, lacking)
    elif not view.phrases.keyed and not lacking:  # HW112 reports it of a profile
        message = (
            f"flash attention is off, though Ollama {view.release} would turn it on here: compute "
            f"buffers grow with the context, and a quantised KV cache fails to load"
        )
    if message:
        yield Hit(message=message, place=variable.place, fix="leave it out, or measure both")


def _before_0_30(view: View, facts: Facts, *, on: bool, on_cpu: bool) -> str:
    fact = facts.behaviours["flash-attention-on-cpu"]
    # A profile has HW105 for it.
    if not on or not on_cpu or fact.covers(facts.at) or view.phrases.keyed:
        return ""
    message = f"flash attention does nothing on a CPU in Ollama {view.release}"
    return f"{message}; it does since {fact.since}"


def _forced_on(view: View, lacking: list[GpuGeneration]) -> str:
    """A quantised KV cache needs it, whatever the device: who asks for that one has decided."""
    cache = view.variable("OLLAMA_KV_CACHE_TYPE")
    if not lacking or (cache is not None and cache.value.strip() not in PLAIN):
        return ""
    return (
        f"flash attention is forced on, though Ollama {view.release} leaves it off for "
        f"{names_of(lacking)}: it is obeyed, with kernels that have no tensor cores to use"
    )
