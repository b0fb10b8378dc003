"""What other programs expect of the same rows: llmfit by its published formulas, gguf-parser-go by
what it printed.

`tests/fit/gguf_parser.json` has, for each shape, context, slots, cache type, flash attention, batch
and the MiB of weights, cache and buffers on the host that EstimateLLaMACppRun of gguf-parser-go
v0.28.2 gave for the same skeleton without layers on a GPU; what it counts for the program itself
is left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from generator.fit.active import active_weights

if TYPE_CHECKING:
    from benchmarks.shapes import Run
    from generator.fit.shape import Shape

PARSED: Final = Path(__file__).parent.parent / "tests/fit/gguf_parser.json"
MIB: Final = 1 << 20
# Of llmfit: bytes of a weight and of an element of the cache, and what a runner takes besides.
LLMFIT_Q4: Final = 0.58
LLMFIT_CACHE: Final = {"f16": 2.0, "q8_0": 1.0, "q4_0": 0.5}
LLMFIT_BESIDE: Final = 0.5e9

# llmfit 1.1 (AlexsJones/llmfit@3f44fd3, llmfit-core/src/fit.rs:1207-1475, models.rs:41-87): bytes
# of a weight, and the factor where only a constant is known.
LLMFIT_BYTES: Final = {"F16": 2.0, "Q8_0": 1.0, "Q6_K": 0.75, "Q5_K_M": 0.625}
LLMFIT_FACTOR: Final = {"F16": 0.6, "Q8_0": 0.8, "Q6_K": 0.95, "Q5_K_M": 1.0}
LLMFIT_SHARE: Final = 0.55
LLMFIT_CPU: Final = {"x86": 70.0, "arm": 90.0}
LLMFIT_CPU_ONLY: Final = 0.3
MANY: Final = 8


def llmfit(shape: Shape, bandwidth: float) -> float:
    """Return the tokens per second that llmfit expects of a dense model on a GPU.

    `bandwidth` is in GB/s. Without the measurements that it ships: on the machines of those it
    prints them instead.
    """
    billions = weights(shape) / 1e9
    return bandwidth / (billions * LLMFIT_BYTES.get(shape.quantisation, 0.5)) * LLMFIT_SHARE


def llmfit_on_cpu(shape: Shape, threads: int, *, arm: bool) -> float:
    """Return what it expects of a processor: a constant by the weights, and more for many CPUs."""
    base = LLMFIT_CPU["arm" if arm else "x86"] / (weights(shape) / 1e9) * LLMFIT_CPU_ONLY
    factor = LLMFIT_FACTOR.get(shape.quantisation, 1.15)
    return base * factor * (1.1 if threads >= MANY else 1.0)


def weights(shape: Shape) -> int:
    """Return the parameters of a dense model, as its name counts them."""
    return active_weights(shape) + shape.vocabulary * shape.embedding * (1 if shape.tied else 2)


def llmfit_memory(shape: Shape, run: Run) -> float:
    """Return the MiB that llmfit expects of a model at Q4_0 (models.rs:14-38 and 877-945)."""
    context, slots, cache, _, _ = run
    heads = max(shape.kv_heads)
    kept = 2 * shape.layers * heads * shape.key_length * context * slots * LLMFIT_CACHE[cache]
    parameters = weights(shape) - active_weights(shape) + shape.multiplied + shape.expert_weights
    return (parameters * LLMFIT_Q4 + kept + LLMFIT_BESIDE) / MIB


def gguf_parser() -> dict[tuple[str, Run], float]:
    """Return the MiB that gguf-parser-go gave, by shape and run."""
    data: dict[str, list[list[int | str | float]]] = json.loads(PARSED.read_text(encoding="utf-8"))
    return {
        (name, (int(c), int(s), str(cache), bool(flash), int(batch))): float(size)
        for name, rows in data.items()
        for c, s, cache, flash, batch, size in rows
    }
