"""The KV cache: what llama-fit-params of llama.cpp@4df29be told at 4096 tokens, in MiB."""

from dataclasses import replace

import pytest

from generator.fit.compute import host_compute_bytes
from generator.fit.shape import Load
from tests.fit.shapes import MIB, kv_bytes, mib, shape


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("llama3.1:8b", (512, 272, 144)),
        ("qwen2.5-coder:7b", (224, 119, 63)),
        ("qwen3:8b", (576, 306, 162)),
        ("llama3.2:3b", (448, 238, 126)),
    ],
)
def test_the_cache_by_type(name: str, sizes: tuple[int, int, int]) -> None:
    types = ("f16", "q8_0", "q4_0")
    found = [kv_bytes(shape(name), Load(context=4096, cache_type=kind)) for kind in types]
    assert found == [size * MIB for size in sizes]


def test_every_slot_has_its_own() -> None:
    model = shape("llama3.1:8b")
    assert kv_bytes(model, Load(context=4096, slots=4)) == 4 * 512 * MIB
    # Whole blocks of 256 tokens.
    assert kv_bytes(model, Load(context=4000, slots=1)) == 512 * MIB


@pytest.mark.parametrize(
    ("batch", "slots", "size"),
    [
        # gpt-oss:20b at 32768 tokens: 12 of 24 layers keep 128 tokens and the batch.
        # 12 × 2 KiB × 32768 = 768, and 12 × 2 KiB × 768 (640 in blocks of 256) = 18.
        (512, 1, 786),
        (2048, 1, 822),
        # Four slots of 8192, each with a window of its own: 768 + 4 × 18.
        (512, 4, 840),
    ],
)
def test_a_window_is_kept_with_the_batch(batch: int, slots: int, size: int) -> None:
    load = Load(context=32768 // slots, slots=slots, batch=batch)
    assert mib(kv_bytes(shape("gpt-oss:20b"), load)) == size


def test_every_sixth_layer_of_gemma3_keeps_everything() -> None:
    # 26 layers of 2 × 256 × 2 bytes: 4 × 32768 tokens = 128 MiB, 22 × 1024 = 22 MiB.
    assert mib(kv_bytes(shape("gemma3:1b"), Load(context=32768))) == 150


def test_a_type_that_is_not_known_counts_as_f16() -> None:
    load = Load(context=4096, cache_type="q9_9")
    assert kv_bytes(shape("llama3.1:8b"), load) == 512 * MIB


@pytest.mark.parametrize(
    ("name", "load", "hundredths"),
    [
        # `CUDA_Host compute buffer size` of 0.3.8 at 8192 tokens, of 0.13.3 and of 0.18.2.
        ("llama3.1:8b", Load(context=2048, slots=4, flash_attention=False, unified=True), 2400),
        ("phi4:14b", Load(context=4096, flash_attention=False), 2300),
        (
            "gemma2:2b",
            Load(context=8192, slots=2, flash_attention=False, batch=256, windowless=True),
            2225,
        ),
    ],
)
def test_the_host_buffer_is_what_logs_tell(name: str, load: Load, hundredths: int) -> None:
    told = host_compute_bytes(shape(name), replace(load, earlier=True))
    assert round(told / MIB * 100) == hundredths
