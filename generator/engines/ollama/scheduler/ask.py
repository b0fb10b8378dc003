"""What Ollama's scheduler does with a model, by release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.scheduler import settings
from generator.engines.ollama.scheduler.best_fit import Cards, by_graph, by_measure
from generator.engines.ollama.scheduler.estimate import by_estimate
from generator.engines.ollama.scheduler.own_engine import pool_of, workspace_of
from generator.engines.ollama.scheduler.vision import offloaded, target_of
from generator.fit.ask import Ask
from generator.fit.experts import Fit, Spill
from generator.fit.host import computes_on_cpu, host_of
from generator.fit.layout import by_share, fill, placed
from generator.fit.shape import DEFAULT_BATCH, Load
from generator.records import dataclass, replace
from generator.units import GIB, MIB, gib, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from generator.catalogue.facts import Facts
    from generator.catalogue.models import Architecture
    from generator.engines.ollama.scheduler.own_engine import OwnPool, Workspace
    from generator.fit.layout import Footprint, Placement
    from generator.fit.shape import Shape
    from generator.live.client import Server
    from generator.view import View


METADATA: Final = 7 * MIB  # a file beyond its tensors: names, tokenizer
SHARE: Final = 80  # percent of what is free
# Above so many tokens the batch, the most percent of what is free, and what it takes besides.
BATCHES: Final = ((32768, 2048, 60, 2 * GIB), (4096, 1024, 75, 768 * MIB))
SMALL_CARD: Final = 8 * GIB


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaAsk(Ask):
    """What a service asks of Ollama.

    `flash_capable` is whether every device can compute flash attention, `margin` what llama.cpp
    leaves free on each GPU (`margin_told`: the service says so), `overhead` what Ollama up to 0.24
    does, `gpu_memory` what all of them have, `capability` the lowest compute capability among them
    (0: unknown), `unpacks` whether buffers of the GPUs have a quantised cache as f16 for flash
    attention, `workspace` what operations of GPUs take beside the buffers.
    """

    product: str = "Ollama"
    flash_capable: bool = True
    spread: bool = False
    overhead: int = 0
    margin: int = 0
    margin_told: bool = False
    gpu_memory: int = 0
    capability: float = 0
    cuda: bool = True
    metal: bool = False
    unpacks: bool = False
    workspace: Workspace | None = None

    @property
    def llama_server(self) -> bool:
        """Whether the release runs llama-server."""
        return self.facts.era.name == settings.LLAMA_SERVER

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
        able = self.on_cpu or (self.flash_capable and not self._too_old_for(known))
        if self.flash_attention is not None:
            return self.flash_attention and (able or self.llama_server)
        # Up to 0.24 Ollama's own engine goes by the list alone.
        by_llama_cpp = self.facts.behaves("flash-attention-by-llama-cpp") and not self.own_engine(
            architecture
        )
        listed = known is not None and known.flash_by_itself
        return able and (self.llama_server or by_llama_cpp or listed)

    def _too_old_for(self, known: Architecture | None) -> bool:
        """Return whether Ollama up to 0.24 finds a card too old for this architecture's."""
        least = float(known.flash_capability or 0) if known and not self.llama_server else 0.0
        return self.cuda and 0 < self.capability < least

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

    def granted(self, name: str) -> Self:
        """Return what a model of that name is granted: slots, and at least some context."""
        floor = self.facts.context_floor(name, self.gpu_memory)
        return replace(Ask.granted(self, name), context=max(self.context, floor))

    def tuned(self, parameters: Mapping[str, str]) -> Self:
        """Return the same for a model whose Modelfile sets `num_ctx` or `num_gpu`."""
        context, layers = parameters.get("num_ctx", ""), parameters.get("num_gpu", "")
        asked = replace(self, context=int(context)) if whole(context) else self
        return replace(asked, layers=int(layers)) if layers.isdecimal() else asked

    def load_of(self, shape: Shape, free: Sequence[int]) -> Load:
        """Return how the release loads a model: context, cache, flash attention and batch."""
        flash = self.uses_flash(shape.architecture)
        own = not self.llama_server and self.own_engine(shape.architecture)
        # At most the trained context is granted. Source: server/sched.go@v0.32.15:149-167.
        context = min(self.context, shape.context or self.context)
        return Load(
            context=context,
            slots=self.slots,
            cache_type=self.cache_of(shape.architecture, flash=flash),
            flash_attention=flash,
            batch=self._batch(shape, context * self.slots, free, flash=flash),
            outputs=self.slots if own or self.facts.behaves("logits-per-slot") else 0,
            latent_values=not self.llama_server,
            unified=not self.facts.behaves("a-cache-for-each-slot"),
            windowless=not self.llama_server,
            unpacks=self.unpacks,
            earlier=not self.llama_server,
            pool=self._pool(shape.architecture, flash=flash) if own else None,
        )

    def _pool(self, architecture: str, *, flash: bool) -> OwnPool:
        return pool_of(architecture, self.facts, flash=flash, workspace=self.workspace)

    def _batch(self, shape: Shape, tokens: int, free: Sequence[int], *, flash: bool) -> int:
        if not self.llama_server:
            return DEFAULT_BATCH
        expected = predicted(shape, tokens, self.facts)
        have = [free[device] for device in choose(expected, free, spread=self.spread)]
        cuda = self.cuda and not self.on_cpu
        return batch_of(expected, tokens, have, flash=flash, cuda=cuda)

    def place(self, footprint: Footprint, free: Sequence[int]) -> Placement:
        """Return where the scheduler of the release puts a model."""
        shape = footprint.shape
        if self.on_cpu or not free:
            return placed(shape, (0,) * len(free), "only the CPU computes here")
        if not self.llama_server:
            return self._by_ollama(footprint, free)
        if self.layers is not None:
            return self._asked_of_llama_server(footprint, self.layers, free)
        return self._by_llama_server(footprint, free)

    def _asked_of_llama_server(
        self, footprint: Footprint, layers: int, free: Sequence[int]
    ) -> Placement:
        """Return where a number of layers goes that is asked for: to the GPUs that are chosen."""
        shape = footprint.shape
        expected = predicted(shape, footprint.load.tokens, self.facts)
        chosen = choose(expected, free, spread=self.spread)
        shares = [have if device in chosen else 0 for device, have in enumerate(free)]
        found = placed(shape, by_share(min(layers, shape.layers + 1), shares), self._asked)
        sees = offloaded(shape, [free[device] for device in chosen], layers)
        return found if sees else replace(found, tower=None)

    @property
    def _asked(self) -> str:
        return f"{self.layers} layers are asked for, whether they fit or not"

    def _by_ollama(self, footprint: Footprint, free: Sequence[int]) -> Placement:
        """Return the placement up to 0.24, where Ollama deals the layers itself."""
        shape = footprint.shape
        counts, how = self._dealt(footprint, free)
        reason = (
            self._asked
            if self.layers is not None
            else f"OLLAMA_SCHED_SPREAD asks for all GPUs; layers placed {how}"
            if self.spread and len(free) > 1
            else f"it fits {how}"
            if sum(counts) > shape.layers
            else f"it does not all fit, {how}"
        )
        # Of both engines the last layers are on GPUs, and the output after them only if all are.
        # Sources: i_gpu_start, llama/llama.cpp/src/llama-model.cpp@v0.9.2:1513 and @v0.24.0:2396;
        # gpuRangeStart, ml/backend/ggml/ggml.go@v0.9.2.
        headless = 0 < sum(counts) <= shape.layers
        found = placed(shape, counts, reason, headless=headless)
        if found.tower is None or not self.own_engine(shape.architecture):
            return found
        last = max(device for device, count in enumerate(counts) if count)
        return replace(found, tower=None if found.headless else last)

    def _dealt(self, footprint: Footprint, free: Sequence[int]) -> tuple[tuple[int, ...], str]:
        shape, load, facts = footprint.shape, footprint.load, self.facts
        cards = Cards(
            free=free,
            overhead=self.overhead,
            spread=self.spread,
            layers=self.layers,
            metal=self.metal,
        )
        if self.own_engine(shape.architecture) and facts.behaves("best-fit-of-its-own-engine"):
            # A tower is in the same file, and a part of the output.
            *layers, output = footprint.layers
            layers.append(output + shape.projector_bytes)
            counts = by_measure(layers, cards, footprint.graphs)
            return counts, "by its own measure"
        if facts.behaves("best-fit"):
            return by_graph(shape, load, facts, cards), "by the graph that it reckons with"
        return by_estimate(shape, load, facts, cards), "by its estimate"

    def _by_llama_server(self, footprint: Footprint, free: Sequence[int]) -> Placement:
        shape = footprint.shape
        expected = predicted(shape, footprint.load.tokens, self.facts)
        chosen = choose(expected, free, spread=self.spread)
        sees = offloaded(shape, [free[device] for device in chosen], self.layers)
        margin = self._margin(shape, sees=sees)
        counts = fill(footprint, free, chosen, margin, overhead=0)
        how = self._told(expected, chosen, free, margin)
        if sum(counts) > shape.layers or not shape.expert_bytes:
            if 0 < sum(counts) <= shape.layers:
                how += f"; with {margin // MIB} MiB left free on each, not all layers fit"
            found = placed(shape, counts, how)
        else:
            found = self._spilled(shape, self._spill(footprint, free, chosen, margin), how)
        return found if sees else replace(found, tower=None)

    def _margin(self, shape: Shape, *, sees: bool) -> int:
        """Return what llama.cpp leaves free on each GPU: for a tower more, if it is not told."""
        raised = sees and not self.margin_told and self.facts.behaves("projector-fit-target")
        return target_of(shape) if raised else self.margin

    def _told(self, expected: int, chosen: Sequence[int], free: Sequence[int], margin: int) -> str:
        if self.spread and len(free) > 1:
            return "OLLAMA_SCHED_SPREAD asks for all GPUs"
        if len(free) == 1:
            return f"one GPU; llama.cpp leaves {margin // MIB} MiB of it free"
        near = "within 80 % of one GPU" if len(chosen) == 1 else "above 80 % of every single GPU"
        return f"the {gib(expected, 1)} that it predicts are {near}"

    def _spill(
        self, footprint: Footprint, free: Sequence[int], chosen: Sequence[int], margin: int
    ) -> Spill:
        """Return where a model of experts goes if not all of it fits, over all devices."""
        have = [free[device] for device in chosen]
        found = Fit(footprint, [max(0, size - margin) for size in have]).spill(have)

        def over_all(values: Sequence[int]) -> tuple[int, ...]:
            told = dict(zip(chosen, values, strict=True))
            return tuple(told.get(device, 0) for device in range(len(free)))

        return Spill(
            counts=over_all(found.counts),
            spilled=over_all(found.spilled),
            moved=over_all(found.moved),
        )

    def _spilled(self, shape: Shape, spill: Spill, how: str) -> Placement:
        on_gpus, sparse = sum(spill.counts), sum(spill.spilled)
        if sparse and on_gpus:
            how += f"; the experts of {sparse} layers stay with the host"
        if 0 < on_gpus <= shape.layers:
            how += ", and so do whole layers"
        found = placed(shape, spill.counts, how)
        whole = on_gpus > shape.layers and sparse
        return replace(
            found,
            kind="experts" if whole else found.kind,
            spilled=spill.spilled if on_gpus else (),
            moved=spill.moved if on_gpus else (),
        )

    def evicts(self, footprint: Footprint, placement: Placement, free: Sequence[int]) -> bool:
        """Return whether the server unloads others first.

        From 0.30 on it does if what it predicts is above 80 % of what is free, before if not all
        layers fit. Source: server/sched.go@v0.32.15:543-571; llm/server.go@v0.24.0:1052-1063.
        """
        if self.on_cpu or not free:
            return False
        short = placement.kind in {"partial", "experts"}
        if not self.llama_server or short:
            return short
        load = footprint.load
        expected = predicted(footprint.shape, load.tokens, self.facts)
        chosen = choose(expected, free, spread=self.spread)
        expected += next((extra for _, size, _, extra in BATCHES if size == load.batch), 0)
        return expected > sum(free[device] for device in chosen) * SHARE // 100

    def shape_at(self, server: Server, model: str) -> Shape:
        """Return the Shape of a model that a server has."""
        from generator.engines.ollama.scheduler.server import shape_of_server

        return shape_of_server(server, model, self.facts)

    def loaded_at(self, server: Server) -> tuple[tuple[str, int, int], ...]:
        """Return name, size and size on GPUs of the models that a server has loaded."""
        from generator.engines.ollama.scheduler.server import loaded

        return loaded(server)


def ask_of(view: View, facts: Facts) -> OllamaAsk:
    """Return what the service of a View asks for."""
    return OllamaAsk(
        facts=facts,
        context=settings.context_of(view, facts),
        context_told=bool(settings.number(view, "OLLAMA_CONTEXT_LENGTH")),
        slots=settings.slots_of(view, facts),
        cache_type=settings.text(view, "OLLAMA_KV_CACHE_TYPE") or "f16",
        flash_attention=settings.switch(view, "OLLAMA_FLASH_ATTENTION"),
        flash_capable=settings.flash_capable(view, facts),
        spread=settings.switch(view, "OLLAMA_SCHED_SPREAD") or False,
        overhead=settings.number(view, "OLLAMA_GPU_OVERHEAD") or 0,
        margin=settings.margin_of(view, facts),
        margin_told=bool(settings.text(view, "LLAMA_ARG_FIT_TARGET")),
        gpu_memory=host_of(view).gpu_memory,
        capability=settings.capability_of(view),
        loaded=settings.may_be_loaded(view, facts),
        on_cpu=computes_on_cpu(view) or not view.host.gpus,
        cuda=view.acceleration in {"", "cuda"},
        metal=view.host.metal,
        unpacks=settings.unpacks(view, facts),
        workspace=workspace_of(view, facts),
        layers=settings.number(view, "LLAMA_ARG_N_GPU_LAYERS"),
        cache_ram=settings.cache_ram_of(view, facts),
    )


def predicted(shape: Shape, tokens: int, facts: Facts) -> int:
    """Return what Ollama expects a model to take: the file, and an f16 cache of all layers.

    Neither the cache type nor a window counts, and a head is embedding / heads wide. A vision tower
    is in the file where Ollama's own engine once ran the model. Source: PredictServerVRAM,
    llm/llama_server.go@v0.32.15:2681-2700.
    """
    known = facts.architectures.get(shape.architecture)
    tower = shape.projector_bytes if known is not None and known.engine is not None else 0
    width = shape.embedding // shape.heads
    cache = 2 * shape.layers * max(1, min(shape.kv_heads)) * width * tokens * 2
    return shape.tensor_bytes + tower + METADATA + cache


def batch_of(expected: int, tokens: int, free: Sequence[int], *, flash: bool, cuda: bool) -> int:
    """Return the batch that Ollama chooses where none is set.

    512 up to 4096 tokens in all slots, 1024 up to 32768, then 2048, and less where memory is
    short; on CUDA without flash attention 512, or 256 on cards up to 8 GiB.
    Source: automaticGenerationBatch, server/sched.go@v0.32.15:807-890.
    """
    if cuda and not flash:
        small = tokens > BATCHES[-1][0] and any(have <= SMALL_CARD for have in free)
        return 256 if small else 512
    have = sum(free)
    for above, batch, headroom, surcharge in BATCHES:
        # Without a GPU there is nothing to compare with, and any batch is taken to fit.
        fits = not have or (
            expected <= have * headroom // 100 and surcharge <= have * SHARE // 100 - expected
        )
        if tokens > above and fits:
            return batch
    return 512


def choose(expected: int, free: Sequence[int], *, spread: bool) -> tuple[int, ...]:
    """Return which devices get the model: the freest if 80 % of it is enough, else all.

    Source: selectLlamaServerPlacement and bestSingleGPUFit, server/sched.go@v0.32.15:972-1075.
    """
    every = tuple(range(len(free)))
    if len(free) == 1 or spread:
        return every
    able = [device for device in every if expected <= free[device] * SHARE // 100]
    return (max(able, key=lambda device: free[device]),) if able else every
