"""What a service asks of vLLM: it holds a share of its cards, and all of the model is there.

The cache is the rest of the share, in blocks that requests take as they grow, so that slots times
context is what it has to hold at worst. What vLLM computes with is estimated as llama.cpp's
buffers of the same batch are: nobody here has measured it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import HostwrightError
from generator.fit.ask import Ask
from generator.fit.host import computes_on_cpu
from generator.fit.layout import by_share, only, placed
from generator.fit.shape import Load
from generator.records import dataclass, replace
from generator.units import GIB, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from generator.catalogue.facts import Facts
    from generator.fit.host import Host
    from generator.fit.layout import Footprint, Placement
    from generator.fit.shape import Shape
    from generator.live.client import Server
    from generator.view import View

# Ways to store weights with about as many bits; of sizes that are known of GGUF files.
SIZES: Final = {16: "F16", 8: "Q8_0", 4: "Q4_0"}
BATCH: Final = 2048
"""Tokens of a step: --max-num-batched-tokens is 2048 and more by itself."""
CONTEXT: Final = 8192
SLOTS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmAsk(Ask):
    """What a service asks of vLLM: `share` of each card, layers split over `cards` of them.

    `bits` are those of a weight by the name of its model.
    """

    product: str = "vLLM"
    share: float = 0.92
    cards: int = 1
    bits: tuple[tuple[str, int], ...] = ()
    of_library: bool = False
    timed: bool = False
    cache_taken: bool = True

    def meant(self, name: str) -> str:
        """Return the model with the quantisation whose size is that of its repository."""
        bits = dict(self.bits).get(name)
        return f"{name}:{SIZES[bits]}" if bits else name

    def within(self, host: Host) -> Host:
        """Return the host with what the share leaves of each card taken away."""
        cards = tuple(
            replace(gpu, reserved=max(gpu.reserved, round(gpu.memory * (1 - self.share))))
            for gpu in host.devices
        )
        return replace(host, devices=cards)

    def tuned(self, parameters: Mapping[str, str]) -> Self:  # noqa: ARG002 -- it has no Modelfile
        """Return the same: a model has no parameters of its own."""
        return self

    def load_of(self, shape: Shape, free: Sequence[int]) -> Load:  # noqa: ARG002 -- of every Ask
        """Return how it loads a model: the cache as it is at worst."""
        context = min(self.context, shape.context) if shape.context else self.context
        return Load(
            context=context,
            slots=self.slots,
            cache_type=self.cache_type,
            batch=BATCH,
            outputs=min(self.slots, BATCH),
        )

    def place(self, footprint: Footprint, free: Sequence[int]) -> Placement:
        """Return all layers on as many cards as it is told, the first ones."""
        layers, count = footprint.shape.layers + 1, min(self.cards, len(free))
        if self.on_cpu or not free:
            return placed(footprint.shape, (0,) * len(free), "the processor computes")
        if count == 1:
            return placed(footprint.shape, only(0, layers, len(free)), "one card has all of it")
        shares = [1 if card < count else 0 for card in range(len(free))]
        why = f"--tensor-parallel-size {count} gives each card its part of every layer"
        return placed(footprint.shape, by_share(layers, shares), why)

    def evicts(self, footprint: Footprint, placement: Placement, free: Sequence[int]) -> bool:  # noqa: ARG002
        """Return false: nothing is unloaded."""
        return False

    def shape_at(self, server: Server, model: str) -> Shape:  # noqa: ARG002 -- of every Ask
        """Refuse: it tells no shape."""
        raise HostwrightError("vLLM tells no shape of a model", hint="leave --server out")

    def loaded_at(self, server: Server) -> tuple[tuple[str, int, int], ...]:  # noqa: ARG002
        """Return nothing: it tells no sizes."""
        return ()


def ask_of(view: View, facts: Facts) -> VllmAsk:
    """Return what the service of a View asks for, by its arguments."""
    told = {one.name: one.value for one in view.variables}
    share = told.get("--gpu-memory-utilization", "")
    return VllmAsk(
        facts=facts,
        context=whole(told.get("--max-model-len", "")) or CONTEXT,
        context_told="--max-model-len" in told,
        # Untold they are SLOTS, of which those compute that the blocks have room for: one must.
        slots=whole(told.get("--max-num-seqs", "")) or 1,
        cache_type="q8_0" if told.get("--kv-cache-dtype", "").startswith("fp8") else "f16",
        flash_attention=True,
        on_cpu=computes_on_cpu(view),
        share=float(share) if share else 0.92,
        cards=whole(told.get("--tensor-parallel-size", "")) or 1,
        cache_ram=round(float(told.get("--kv-offloading-size", "") or 0) * GIB),
        bits=tuple((one.base or one.name, one.bits) for one in view.models if one.bits),
    )
