"""What Ollama's own engine keeps and computes with, held to public logs."""

import pytest

from generator.fit.kv import kv_layers
from generator.fit.layout import Footprint
from tests.fit.shapes import GIB, MIB, ask, shape


@pytest.mark.parametrize(
    ("name", "release", "context", "slots", "mib"),
    [
        # 18 layers of 4096 + 512 tokens and 18 of 8192: logged as 450 MiB.
        ("gpt-oss:120b", "0.11.10", 8192, 1, 450.0),
        # 52 layers of 2 × 1024 + 512, 10 of 2 × 4096: logged as 1.6 GiB.
        ("gemma3:27b", "0.10.0", 4096, 2, 1680.0),
        # Before 0.6.3 every layer keeps all of it (ollama#9791): 62 × 8192 × 8 KiB.
        ("gemma3:27b", "0.6.2", 4096, 2, 3968.0),
        # llama.cpp keeps the window and a batch, of 1024, of each slot: 52 × 2048 and 10 × 4096.
        ("gemma3:27b", "0.32.15", 4096, 2, 2304.0),
    ],
)
def test_the_cache_of_all_slots_is_one(
    name: str, release: str, context: int, slots: int, mib: float
) -> None:
    model, wish = shape(name), ask(release, context=context, slots=slots, flash_attention=None)
    load = wish.load_of(model, (80 * GIB,))
    assert sum(kv_layers(model, load)) / MIB == pytest.approx(mib)


def test_the_buffer_has_logits_for_one_token_of_each_slot() -> None:
    """96.0 MiB on a CPU at 0.16.1, and 121.8 beside 5.6 of the host's at 0.11.10, are logged."""
    coder = shape("qwen3-coder:30b")
    wish = ask("0.16.1", context=16384, on_cpu=True)
    _, host = Footprint(coder, wish.load_of(coder, ())).needs(())
    assert host.compute / MIB == 96.0
    large, wish = shape("gpt-oss:120b"), ask("0.11.10", context=8192, flash_attention=None)
    (card,), host = Footprint(large, wish.load_of(large, (65331 * MIB,))).needs((37,))
    assert (round(card.compute / MIB, 1), round(host.compute / MIB, 1)) == (121.8, 5.6)


def test_a_window_as_wide_as_the_context_keeps_all_of_it() -> None:
    model, wish = shape("gpt-oss:20b"), ask("0.12.11", context=4096, flash_attention=None)
    load = wish.load_of(model, (24 * GIB,))
    # 24 layers × 4096 tokens × 8 heads × 128 floats of 2 bytes.
    assert sum(kv_layers(model, load)) == 24 * 4096 * 2048


@pytest.mark.parametrize(("release", "matrix"), [("0.12.7", False), ("0.12.8", True)])
def test_a_batch_brings_over_what_the_host_keeps(release: str, matrix: bool) -> None:
    """Of qwen3:14b the largest is the way down of a layer with six bits: 17408 × 5120 × 210/256."""
    model, wish = shape("qwen3:14b"), ask(release)
    footprint = Footprint(model, wish.load_of(model, (6 * GIB,)))
    (part,), _ = footprint.needs((20,), headless=True)
    (whole,), _ = footprint.needs((model.layers + 1,))
    assert part.compute - whole.compute == (17408 * 5120 * 210 // 256 if matrix else 0)
