"""The allocator of a device, and what real cards took for layers of the host and their own."""

from dataclasses import replace

import pytest

from generator.fit.graph import NOTHING, Pool
from generator.fit.layout import Footprint
from generator.fit.shape import Load
from tests.fit.shapes import MIB, shape


def test_the_smallest_gap_that_is_large_enough_is_taken() -> None:
    pool = Pool()
    blocks = [pool.take(size) for size in (512, 128, 256, 128)]
    pool.give(blocks[0], blocks[2])
    assert pool.take(200) == (640, 256)
    assert pool.peak == 1024


def test_gaps_that_meet_are_one() -> None:
    pool = Pool()
    first, second, _ = pool.take(128), pool.take(128), pool.take(128)
    pool.give(first, second)
    assert pool.take(256) == (0, 256)
    assert pool.peak == 384


def test_a_tensor_of_no_bytes_is_none() -> None:
    pool = Pool()
    assert pool.take(0) == NOTHING
    pool.give(NOTHING)
    assert (pool.gaps[0][0], len(pool.gaps), pool.peak) == (0, 1, 0)


# qwen3:4b in Q4_K_M with a q8_0 cache, 4096 tokens and batches of 512: llama.cpp@c841aeeb8 on CUDA,
# testdata/llamacpp_compute_buffer_sweep.json of gpustack/gguf-parser-go.
QWEN = Load(context=4096, cache_type="q8_0", outputs=1, unpacks=True)


@pytest.mark.parametrize(("layers", "told"), [(37, 79.09), (4, 98.74)])
def test_a_real_card_took_as_much(layers: int, told: float) -> None:
    (card,), _ = Footprint(shape("qwen3:4b"), QWEN).needs((layers,))
    assert card.compute / MIB == pytest.approx(told, abs=0.01)


def test_a_quantised_cache_is_there_as_f16_too() -> None:
    """Of one layer: 2 bytes × 1024 keys and as many values of each token, 512 MiB of 131072.

    Besides there are then the batch and its queries, 8 MiB each, the answers twice, 16, and the
    mask, 128; llama.cpp@b10488 reserves 672.09 where the matrices that the cache is turned by are
    counted, too. Without the f16 the feed-forward part is the widest.
    """
    load = Load(context=131072, cache_type="q8_0", outputs=1, unpacks=True)
    sizes = []
    for some in (load, replace(load, unpacks=False), replace(load, cache_type="f16")):
        (card,), _ = Footprint(shape("llama3.1:8b"), some).needs((33,))
        sizes.append(round(card.compute / MIB, 2))
    assert sizes == [672.09, 228.09, 236.01]
