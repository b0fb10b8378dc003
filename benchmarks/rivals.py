"""What other programs expect of the same rows: their published formulas, in a few lines each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.fit.active import active_weights

if TYPE_CHECKING:
    from generator.fit.shape import Shape

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
