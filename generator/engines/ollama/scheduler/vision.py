"""Vision towers, by release: where they go, and what the scheduler counts for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.units import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from generator.catalogue.facts import Facts
    from generator.fit.shape import Shape

# Beside the tower from 0.31.2 on. Source: mmprojOffloadHeadroom, llm/llama_server.go@v0.32.15:87.
HEADROOM: Final = GIB
COUNTED: Final = frozenset({"gemma3", "mistral3", "qwen25vl"})


def graph_of(shape: Shape) -> int:
    """Return the graph of a tower in the same file, as releases up to 0.12.10 estimate it.

    Of mllama it is not known here, of llama4 it counts as nothing. Source: VisionGraphSize,
    fs/ggml/ggml.go@v0.12.3:800-865.
    """
    tower = shape.tower
    if tower is None or not shape.projector_bytes or shape.architecture not in COUNTED:
        return 0
    if tower.pixels:
        floats = 3 * tower.pixels * tower.channels + tower.embedding * tower.patches
        return 4 * floats + tower.score_bytes
    floats = tower.image**2 * tower.channels + tower.embedding * tower.patch
    return 4 * floats + tower.score_bytes


def estimated(shape: Shape, facts: Facts, *, inside: bool) -> tuple[int, int]:
    """Return what the estimate adds to the first GPU, and what to the output.

    A projector in a file of its own goes to the first GPU with its weights alone; a tower `inside`
    the model's file comes with its graph, from 0.7.1 on beside the output. Sources:
    llm/memory.go@v0.6.6:108-171, @v0.7.1, @v0.12.10:198-268 and :352.
    """
    if not inside:
        return shape.projector_bytes, 0
    both = shape.projector_bytes + graph_of(shape)
    return (0, both) if facts.behaves("projector-with-the-output") else (both, 0)


def offloaded(shape: Shape, free: Sequence[int], layers: int | None) -> bool:
    """Return whether llama-server gets the tower onto a GPU.

    Not where no GPU or a part of the layers is asked for, and not where one of the GPUs has too
    little memory. Source: shouldDisableMMProjOffload, llm/llama_server.go@v0.32.15:670-691.
    """
    if not shape.projector_bytes or (layers is not None and layers <= shape.layers):
        return False
    return all(have >= shape.projector_bytes + HEADROOM for have in free)


def target_of(shape: Shape) -> int:
    """Return what llama.cpp is told to leave free on each GPU, in whole MiB.

    Source: mmprojFitTargetMiB, llm/llama_server.go@v0.32.15:722-732.
    """
    return -(-(shape.projector_bytes + HEADROOM) // MIB) * MIB
