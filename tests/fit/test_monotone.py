"""More memory never gives fewer layers, and a shorter context never takes more memory.

Exceptions are Ollama's own. It halves the batch where memory is short, which makes the buffer
smaller (automaticGenerationBatch, server/sched.go@v0.32.15:807-890). A GPU that gets no layer has
no context and no buffer: where the estimate leaves none, the CPU alone is asked
(llm/memory.go@v0.9.6:350-352, llm/server.go@v0.9.6:156-158). And where the output finds no room any
more, a copy of the embeddings that it is tied to, or a tower, stays with the host
(llm/memory.go@v0.6.6:265-271).
"""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from generator.engines.ollama.scheduler.ask import OllamaAsk
from generator.fit.layout import Footprint, Placement
from generator.fit.shape import Load, Shape
from generator.fit.verdict import judge
from tests.fit.shapes import GIB, MIB, ask, gpus, shape

ERAS = ("0.3.14", "0.6.6", "0.9.6", "0.11.4", "0.12.3", "0.16.1", "0.24.0", "0.32.15")
MODELS = (
    "llama3.1:8b", "qwen2.5:32b", "gemma2:9b", "gemma3:12b", "gemma4:e4b", "gpt-oss:20b",
    "qwen3:30b", "qwen3-coder-next", "mistral-small3.1:24b",
)  # fmt: skip
ONE = tuple((size,) for size in (3, 4, 6, 8, 12, 16, 24, 48))
TWO = tuple((size, 6) for size in (4, 6, 8, 12, 24))


def put(model: Shape, wish: OllamaAsk, cards: tuple[int, ...]) -> tuple[Placement, Load, int]:
    """Return where a model goes on cards of so many GiB, how it is loaded, and what all take."""
    free = tuple(size * GIB for size in cards)
    load = wish.load_of(model, free)
    footprint = Footprint(model, load)
    placement = wish.place(footprint, free)
    devices, host = footprint.of(placement)
    return placement, load, sum(need.total for need in (*devices, host))


@pytest.mark.parametrize("name", MODELS)
def test_more_memory_never_gives_fewer_layers(name: str) -> None:
    model = shape(name)
    for release in ERAS:
        wish = ask(release, context=8192)
        for cards in (ONE, TWO):
            found = [put(model, wish, card)[0] for card in cards]
            for (small, less), (large, more) in pairwise(zip(cards, found, strict=True)):
                said = f"{name} {release}: {small} {less}, {large} {more}"
                assert more.on_gpus >= less.on_gpus, said
                # Of the same layers, no more have their experts elsewhere.
                assert more.on_gpus > less.on_gpus or more.sparse <= less.sparse, said


@pytest.mark.parametrize("name", MODELS)
def test_a_shorter_context_never_takes_more(name: str) -> None:
    model = shape(name)
    for release in ERAS:
        for cards in ((8,), (24,), (12, 6)):
            for (placed, load, less), (then, longer, more) in pairwise(
                _contexts(model, release, cards)
            ):
                said = f"{name} {release} {cards}: {load.context}"
                if longer.batch == load.batch and then.on_gpus == placed.on_gpus:
                    assert less <= more, said
                elif less > more:
                    assert longer.batch < load.batch or then.on_gpus < placed.on_gpus, said


def _contexts(
    model: Shape, release: str, cards: tuple[int, ...]
) -> Iterator[tuple[Placement, Load, int]]:
    for context in (2048, 4096, 16384, 65536):
        yield put(model, ask(release, context=context), cards)


@pytest.mark.parametrize("release", ["0.12.3", "0.24.0", "0.32.15"])
def test_a_larger_second_card_never_promises_less_context(release: str) -> None:
    """It did at 0.24: 103936 tokens with 23152 MiB, 94976 with 24841, where Ollama's deal fits."""
    model, wish = shape("mistral-small3.1:24b"), ask(release, context=2048)
    small, large = (
        judge(model, wish, gpus(9891 * MIB, size * MIB, memory=64 * GIB)) for size in (23152, 24841)
    )
    assert 0 < small.largest_context <= large.largest_context
    assert small.most_slots <= large.most_slots
