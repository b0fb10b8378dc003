"""Ollama's own engine, up to 0.24: one cache for all slots, and a graph of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.scheduler.graph import GPT_OSS, KEPT, REMEMBERING
from generator.engines.ollama.scheduler.settings import libraries_of
from generator.fit.graph import LEAST_BATCH
from generator.fit.kv import cells, distinct, kv_layers
from generator.fit.shape import Pool
from generator.records import dataclass

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.fit.shape import Load, Shape
    from generator.view import View

FLOAT: Final = 4
HALF: Final = 2
Q8_BYTES: Final = 36  # of so many numbers, with their scale and sum
Q8_BLOCK: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What the operations of a GPU take for a while, the largest of them.

    Where it cannot multiply quantised matrices of a large batch, it makes `halves` of them, of the
    batch and of the answers; else 8 bits of the batch. It takes `pages` of that size (1: any), a
    `margin` of percent more, and `partial` for sums that several processors share.

    Source: ml/backend/ggml/ggml/src/ggml-cuda@v0.12.11: ggml_cuda_mul_mat_q and
    ggml_cuda_should_use_mmq in mmq.cu, ggml_cuda_op_mul_mat_cublas, ggml_cuda_mul_mat_id and the
    pools in ggml-cuda.cu. ROCm has no virtual memory there: GGML_HIP_NO_VMM in CMakeLists.txt.
    """

    halves: bool = False
    pages: int = 1
    margin: int = 0
    partial: int = 0

    def bytes_of(self, shape: Shape, batch: int) -> int:
        """Return what a batch takes."""
        wide = shape.dense_feed_forward if shape.experts else shape.feed_forward
        query = shape.heads * shape.key_length
        dense = [(shape.embedding, width) for width in (wide, query, shape.shared_feed_forward)]
        each = [(shape.embedding, shape.feed_forward)] if shape.experts else []
        rows = batch * max(1, shape.experts_used)
        if self.halves:
            most = max(HALF * (a * b + batch * (a + b)) for a, b in dense)
            # Tokens are sorted by expert, in f32.
            sort = max((HALF * a * b + FLOAT * rows * (a + b) for a, b in each), default=0)
            size = max(most, sort)
        else:
            size = max(batch * max(max(pair) for pair in dense), *(rows * max(p) for p in each), 0)
            size = size * Q8_BYTES // Q8_BLOCK + self.partial
        size += size * self.margin // 100
        return -(-size // self.pages) * self.pages


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPool(Pool):
    """The cache of Ollama's own engine, and what it computes with.

    `offloads`: a GPU computes large batches of the host's layers, too. `casts`: with flash
    attention it has masks in f32 besides; `workspace`: what its operations take for a while.

    Source: Causal.Init, kvcache/causal.go@v0.24.0:130-180, @v0.6.3:100-128.
    """

    offloads: bool = False
    casts: bool = False
    workspace: Workspace | None = None

    def compute_bytes(self, shape: Shape, load: Load, *, output: bool, staged: int = 0) -> int:
        """Return the compute buffer of a device that holds layers, with the `output` or without.

        4 bytes for each float of the widest moment of a batch, and the mask of all slots:

        - logits, of one token of each slot: vocabulary + 2 × embedding;
        - feed-forward: 3 × its width, 2 × embedding; or the answers of the experts, before and
          after they are weighted; gpt-oss splits gate and up by copies;
        - attention: query and answer, keys and values, 2 × embedding; without flash attention the
          scores of all slots.

        Sources: reserveWorstCaseGraph, runner/ollamarunner/runner.go@v0.24.0:1076-1179, and the
        graphs in model/models/{gemma3,gptoss,qwen3}@v0.24.0. Logs have 96 MiB for qwen3-coder:30b
        at 16384 tokens on a CPU and 121.8 MiB for gpt-oss:120b at 8192 on a GPU, as this does.
        """
        more = self._staged(shape, load, staged)
        batch = min(load.batch, load.context)
        widest = max(_feed_forward(shape), _attention(shape, load))
        floats = batch * (widest + _mask(shape, load))
        if not output:
            return int(FLOAT * floats) + more
        floats = max(floats, load.outputs * (shape.vocabulary + 2 * shape.embedding))
        seen = 0
        if shape.tower is not None:
            # It is a part of the output, and computes in the same buffer.
            seen = shape.tower.buffer_bytes(flash=load.flash_attention)
        return max(int(FLOAT * floats), seen) + more

    def _staged(self, shape: Shape, load: Load, layers: int) -> int:
        """Return the largest that a batch brings over of so many layers of the host.

        A matrix, of experts all of them and gate and up as one for gpt-oss, or a layer's cache.
        Source: ggml_backend_sched_new_ext in ml/backend/ggml/ggml.go@v0.12.8, not in v0.12.7.
        """
        if not self.offloads or load.batch < LEAST_BATCH or not layers:
            return 0
        caches = kv_layers(shape, load)[:layers]
        fused = shape.architecture in GPT_OSS
        matrices = (
            max(m.query, m.gate + m.up if fused else max(m.gate, m.up), m.down, m.output)
            for m in shape.matrices[:layers]
        )
        return max(*caches, max(matrices, default=0))

    def beside_bytes(self, shape: Shape, load: Load) -> int:
        """Return what a GPU takes for masks that become f16, and for its largest operation.

        Logs have 89.8 MiB for qwen3:1.7b at 4096 tokens with ROCm, which are 48, 8 and 33.6; and
        190.5 for qwen3:30b-a3b in Q8_0 at 32768 on an A10, which are 112, 64 and 14.
        """
        batch = min(load.batch, load.context)
        masks = sum(cells(window, load) for window in distinct(shape.windows))
        cast = FLOAT * batch * masks if self.casts and load.flash_attention else 0
        return cast + (self.workspace.bytes_of(shape, batch) if self.workspace else 0)

    def host_compute_bytes(self, shape: Shape, load: Load) -> int:
        """Return the buffer that stays with the host when GPUs compute: the embeddings.

        Logs have 5.6 MiB for gpt-oss and 10.0 MiB for mistral-small, 512 tokens of each.
        """
        return FLOAT * min(load.batch, load.context) * shape.embedding


def workspace_of(view: View, facts: Facts) -> Workspace | None:
    """Return what operations of the GPUs of a View take; None: nothing that is counted."""
    if not facts.behaves("own-engine-counts-workspaces"):
        return None
    libraries = libraries_of(view, facts)
    library = "rocm" if "rocm" in libraries else "cuda" if libraries == {"cuda"} else ""
    taken = facts.workspaces.get(library)
    if taken is None:
        return None
    if library == "rocm":
        found = [facts.card(gpu.name) for gpu in view.host.gpus]
        targets = [card.target if card else "" for card in found]
        # Of what is unknown AMD's are taken for some of them.
        halves = any(not target or target.startswith(taken.halves) for target in targets)
    else:
        halves = any(gpu.compute_capability in taken.halves for gpu in view.host.gpus)
    return Workspace(halves=halves, pages=taken.pages, margin=taken.margin, partial=taken.partial)


def pool_of(
    architecture: str, facts: Facts, *, flash: bool, workspace: Workspace | None
) -> OwnPool:
    """Return how Ollama's own engine keeps the cache of an architecture.

    Blocks are those of the backend's CacheConfig, ml/backend/ggml/ggml.go@v0.24.0:695. llama4's
    chunks bound what a token sees, not what is kept: NewChunkedAttentionCache,
    model/models/llama4/model.go@v0.24.0:58.
    """
    windows = facts.behaves("estimate-with-windows")
    return OwnPool(
        kept=KEPT if architecture in REMEMBERING else 0,
        spare=facts.behaves("a-token-to-spare"),
        whole=architecture == "llama4" or not windows,
        block=256 if flash or facts.behaves("whole-cache-blocks") else 32,
        offloads=facts.behaves("own-engine-offloads-batches"),
        casts=facts.behaves("own-engine-casts-masks"),
        workspace=workspace,
        states=_states_kept(architecture, facts),
        tables="layer-embeddings" in facts.computes(architecture),
    )


def _states_kept(architecture: str, facts: Facts) -> int:
    """Return how many earlier states of a recurrence each slot has room for."""
    names = ["states-kept", *(["states-kept-by-qwen3next"] if architecture == "qwen3next" else [])]
    return next((facts.behaviours[name].value for name in names if facts.behaves(name)), 0)


def _feed_forward(shape: Shape) -> int:
    used, wide = shape.experts_used, shape.feed_forward
    dense = 3 * (shape.dense_feed_forward if shape.experts else wide) + 2 * shape.embedding
    if not shape.experts:
        return dense
    answers = used * (2 * shape.embedding + wide) + shape.embedding
    split = 3 * used * wide + 2 * shape.embedding
    if shape.architecture in GPT_OSS:
        split += used * wide + shape.heads * shape.key_length
    shared = 3 * shape.shared_feed_forward + (used + 2) * shape.embedding
    return max(dense, answers, split, shared if shape.shared_feed_forward else 0)


def _attention(shape: Shape, load: Load) -> int:
    keys = max(shape.kv_heads, default=0) * (shape.key_length + shape.value_length)
    around = 2 * shape.embedding + 2 * shape.heads * shape.key_length + keys
    if load.flash_attention:
        return around
    return around + shape.heads * max(cells(window, load) for window in distinct(shape.windows))


def _mask(shape: Shape, load: Load) -> float:
    """Return the floats of the masks, one for each kind of cache: f16 with flash attention."""
    floats = sum(cells(window, load) for window in distinct(shape.windows))
    return floats / 2 if load.flash_attention else floats
