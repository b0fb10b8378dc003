"""What Ollama's scheduler does with a model, by release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines.ollama.scheduler import llama_server
from generator.engines.ollama.scheduler.before import by_estimate, by_measure
from generator.engines.ollama.scheduler.settings import (
    LLAMA_SERVER,
    cache_ram_of,
    context_of,
    flash_capable,
    margin_of,
    may_be_loaded,
    number,
    slots_of,
    switch,
    text,
)
from generator.fit.ask import UNBOUNDED, Ask
from generator.fit.host import computes_on_cpu
from generator.fit.layout import by_share, fill, placed
from generator.fit.shape import DEFAULT_BATCH, Load
from generator.records import dataclass
from generator.units import MIB, gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.catalogue.facts import Facts
    from generator.fit.layout import Footprint, Placement
    from generator.fit.shape import Shape
    from generator.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaAsk(Ask):
    """What a service asks of Ollama.

    `flash_capable` is whether every device can compute flash attention, `margin` what llama.cpp
    leaves free on each GPU, `overhead` what Ollama up to 0.24 does.
    """

    product: str = "Ollama"
    flash_capable: bool = True
    spread: bool = False
    overhead: int = 0
    margin: int = 0
    cuda: bool = True

    @property
    def llama_server(self) -> bool:
        """Whether the release runs llama-server."""
        return self.facts.era.name == LLAMA_SERVER

    def own_engine(self, architecture: str) -> bool:
        """Return whether the release runs it in Ollama's own engine, whatever is set."""
        known = self.facts.architectures.get(architecture)
        return known is not None and known.own_engine

    def uses_flash(self, architecture: str) -> bool:
        """Return whether a model computes with flash attention.

        Up to 0.24 an explicit value counts where the devices can; unset, a list of architectures
        that grows, and llama.cpp's own choice from 0.13.4 on. From 0.30 on an explicit value is
        obeyed; unset it is on if every device can. Sources: llm/server.go@v0.24.0:195-265,
        llm/llama_server.go@v0.32.15:597-610, ml/device.go@v0.32.15:586-600.
        """
        known = self.facts.architectures.get(architecture)
        if known and known.never_flash and not self.llama_server:
            return False
        if self.on_cpu and not self.facts.behaves("flash-attention-on-cpu"):
            return False
        able = self.on_cpu or self.flash_capable
        if self.flash_attention is not None:
            return self.flash_attention and (able or self.llama_server)
        # Up to 0.24 Ollama's own engine goes by the list alone.
        by_llama_cpp = self.facts.behaves("flash-attention-by-llama-cpp") and not self.own_engine(
            architecture
        )
        listed = known is not None and known.flash_by_itself
        return able and (self.llama_server or by_llama_cpp or listed)

    def cache_of(self, architecture: str, *, flash: bool) -> str:
        """Return the element type of the cache: up to 0.24 f16 where another is not granted.

        It takes flash attention, which from 0.13.4 on must be asked for where llama.cpp computes,
        a type that Ollama knows, and up to 0.12.3 another model than gpt-oss. Sources:
        llm/server.go@v0.24.0:237-265, fs/ggml/ggml.go@v0.12.3 and @v0.24.0 (SupportsKVCacheType).
        """
        if self.llama_server:
            return self.cache_type
        known = self.facts.architectures.get(architecture)
        by_itself = not self.facts.behaves("kv-type-asks-for-flash-attention")
        asked = self.flash_attention or by_itself or self.own_engine(architecture)
        plain = known is not None and known.plain_cache
        variable = self.facts.variable("OLLAMA_KV_CACHE_TYPE")
        # The same on every system.
        types = (variable.allowed("x86_64-linux") if variable else None) or ()
        taken = self.cache_type in types and not plain
        return self.cache_type if flash and asked and taken else "f16"

    def load_of(self, shape: Shape, free: Sequence[int]) -> Load:
        """Return how the release loads a model: context, cache, flash attention and batch."""
        flash = self.uses_flash(shape.architecture)
        # At most the trained context is granted. Source: server/sched.go@v0.32.15:149-167.
        context = min(self.context, shape.context or self.context)
        return Load(
            context=context,
            slots=self.slots,
            cache_type=self.cache_of(shape.architecture, flash=flash),
            flash_attention=flash,
            batch=self._batch(shape, context * self.slots, free, flash=flash),
            outputs=self.slots if self.facts.behaves("logits-per-slot") else 0,
        )

    def _batch(self, shape: Shape, tokens: int, free: Sequence[int], *, flash: bool) -> int:
        if not self.llama_server:
            return DEFAULT_BATCH
        expected = llama_server.predicted(shape, tokens)
        have = [free[device] for device in llama_server.choose(expected, free, spread=self.spread)]
        cuda = self.cuda and not self.on_cpu
        return llama_server.batch_of(expected, tokens, have, flash=flash, cuda=cuda)

    def place(self, footprint: Footprint, free: Sequence[int]) -> Placement:
        """Return where the scheduler of the release puts a model."""
        shape = footprint.shape
        if self.on_cpu or not free:
            return placed(shape, (0,) * len(free), "only the CPU computes here")
        if self.layers is not None:
            counts = by_share(min(self.layers, shape.layers + 1), free)
            reason = f"{self.layers} layers are asked for, whether they fit or not"
            return placed(shape, counts, reason)
        if self.llama_server:
            return self._by_llama_server(footprint, free)
        own = self.own_engine(shape.architecture)
        measured = self.facts.behaves("best-fit-of-its-own-engine" if own else "best-fit")
        assign, how = (
            (by_measure, "by its own measure") if measured else (by_estimate, "by its estimate")
        )
        counts, headless = assign(
            shape, footprint.load, free, overhead=self.overhead, spread=self.spread
        )
        reason = (
            f"OLLAMA_SCHED_SPREAD asks for all GPUs; layers placed {how}"
            if self.spread and len(free) > 1
            else f"it fits {how}"
            if sum(counts) > shape.layers
            else f"it does not all fit, {how}"
        )
        return placed(shape, counts, reason, headless=headless and any(counts))

    def _by_llama_server(self, footprint: Footprint, free: Sequence[int]) -> Placement:
        expected = llama_server.predicted(footprint.shape, footprint.load.tokens)
        chosen = llama_server.choose(expected, free, spread=self.spread)
        counts = fill(footprint, free, chosen, self.margin)
        size, margin = gib(expected, 1), f"{self.margin // MIB} MiB"
        if self.spread and len(free) > 1:
            how = "OLLAMA_SCHED_SPREAD asks for all GPUs"
        elif len(free) == 1:
            how = f"one GPU; llama.cpp leaves {margin} of it free"
        elif len(chosen) == 1:
            how = f"the {size} that it predicts are within 80 % of one GPU"
        else:
            how = f"the {size} that it predicts are above 80 % of every single GPU"
        if 0 < sum(counts) <= footprint.shape.layers:
            how += f"; with {margin} left free on each, not all layers fit"
        return placed(footprint.shape, counts, how)

    def evicts(self, footprint: Footprint, placement: Placement, free: Sequence[int]) -> bool:
        """Return whether the server unloads others first.

        From 0.30 on it does if what it predicts is above 80 % of what is free, before if not all
        layers fit. Source: server/sched.go@v0.32.15:543-571; llm/server.go@v0.24.0:1052-1063.
        """
        if self.on_cpu or not free:
            return False
        if not self.llama_server or placement.kind == "partial":
            return placement.kind == "partial"
        load = footprint.load
        expected = llama_server.predicted(footprint.shape, load.tokens)
        chosen = llama_server.choose(expected, free, spread=self.spread)
        expected += llama_server.surcharge_of(load.batch)
        return expected > sum(free[device] for device in chosen) * llama_server.SHARE // 100

    def shape_at(self, url: str, model: str) -> Shape:
        """Return the Shape of a model that a server has."""
        from generator.engines.ollama.scheduler.server import shape_of_server

        return shape_of_server(url, model, self.facts)

    def loaded_at(self, url: str) -> tuple[tuple[str, int, int], ...]:
        """Return name, size and size on GPUs of the models that a server has loaded."""
        from generator.engines.ollama.scheduler.server import loaded

        return loaded(url)


def ask_of(view: View, facts: Facts) -> OllamaAsk:
    """Return what the service of a View asks for."""
    cache_ram = cache_ram_of(view, facts)
    return OllamaAsk(
        facts=facts,
        context=context_of(view, facts),
        slots=slots_of(view, facts),
        cache_type=text(view, "OLLAMA_KV_CACHE_TYPE") or "f16",
        flash_attention=switch(view, "OLLAMA_FLASH_ATTENTION"),
        flash_capable=flash_capable(view, facts),
        spread=switch(view, "OLLAMA_SCHED_SPREAD") or False,
        overhead=number(view, "OLLAMA_GPU_OVERHEAD") or 0,
        margin=margin_of(view, facts),
        loaded=may_be_loaded(view, facts),
        on_cpu=computes_on_cpu(view) or not view.host.gpus,
        cuda=view.acceleration in {"", "cuda"},
        layers=number(view, "LLAMA_ARG_N_GPU_LAYERS"),
        cache_ram=UNBOUNDED if cache_ram is None else cache_ram,
    )
