"""Shapes that the Catalogue can tell beside those of plain transformers."""

from dataclasses import replace
from typing import Any

import pytest

from generator.catalogue import build
from generator.catalogue.models import ModelFact
from generator.errors import HostwrightError
from generator.fit.kv import kv_of
from generator.fit.shape import Load, Shape, shape_of
from tests.facts import facts_at
from tests.fit.shapes import kv_bytes

NEXT = {
    "architecture": "qwen3next", "layers": 48, "embedding": 2048, "feed_forward": 512,
    "heads": 16, "kv_heads": 2, "key_length": 256, "value_length": 256, "pattern": "RRRA",
    "ssm_conv_kernel": 4, "ssm_inner_size": 4096, "ssm_state_size": 128, "ssm_group_count": 16,
}  # fmt: skip


def fact(**more: Any) -> ModelFact:
    base = facts_at().model("llama3.1:8b")
    assert base is not None
    return replace(base, **more)


def shape(**more: Any) -> Shape:
    return shape_of(fact(**more), facts_at())


def test_a_pattern_says_which_layers_keep_what() -> None:
    found = shape(**NEXT)
    assert found.kv_heads[:5] == (0, 0, 0, 2, 0)
    # llama.cpp logs 75.38 MiB of state for one sequence: 36 layers of R 3 × 8192 and S 128 × 4096.
    assert sum(found.states) * 4 == 36 * (3 * 8192 + 128 * 4096) * 4
    load = Load(context=4096)
    assert kv_bytes(found, load) == 12 * 2 * 512 * 4096 * 2 + sum(found.states) * 4
    assert kv_of(fact(**NEXT), 4096) == kv_bytes(found, load)


def test_a_state_is_kept_for_every_slot_whatever_the_context() -> None:
    found = shape(**NEXT | {"pattern": "R"})
    one, four = (kv_bytes(found, Load(context=c, slots=s)) for c, s in ((512, 1), (65536, 4)))
    assert four == 4 * one


def test_a_compressed_cache_is_one_key_for_all_heads() -> None:
    # glm-4.7-flash: 47 layers × 576 × 2 bytes a token.
    found = shape(layers=47, kv_lora_rank=512, rope_dimension=64, key_length=256, value_length=256)
    load = Load(context=4096)
    assert kv_bytes(found, load) == 47 * 576 * 2 * 4096
    assert kv_bytes(found, replace(load, latent_values=True)) == 47 * (576 + 512) * 2 * 4096


def test_local_layers_may_have_heads_of_their_own() -> None:
    found = shape(
        layers=12, pattern="WWWWWA", window=1024, kv_heads=1, key_length=512, value_length=512,
        window_kv_heads=8, window_key_length=256, window_value_length=256,
    )  # fmt: skip
    assert found.kv_heads[4:6] == (8, 1)
    load = Load(context=8192, batch=512)
    assert kv_bytes(found, load) == 2 * (10 * 8 * 512 * 1536 + 2 * 1 * 1024 * 8192)


def test_an_encoder_has_no_cache() -> None:
    found = shape(encoder=True)
    assert kv_bytes(found, Load(context=8192)) == 0
    assert found.output_bytes == 0


def test_an_embedding_for_each_layer_is_read_like_the_first() -> None:
    """That of Gemma 4 E2B: 256 of each of 35 layers, for 262144 tokens, at F16."""
    model = facts_at().model("gemma4:e2b")
    assert model is not None
    found = shape_of(model, facts_at())
    assert found.more_input_bytes == 35 * 256 * 262144 * 2
    assert found.tensor_bytes == model.weight_bytes
    assert found.own_output_bytes == 0
    assert sum(found.layer_bytes) < found.more_input_bytes / 4


def test_layers_without_experts_are_smaller() -> None:
    """DeepSeek V2 Lite: 67.2 million weights and attention in the first, 571 in all others."""
    model = facts_at().model("deepseek-v2:16b")
    assert model is not None
    found = shape_of(model, facts_at())
    first, second, *_ = found.layer_bytes
    assert 6 < second / first < 7.5
    assert found.tensor_bytes == model.weight_bytes


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('pattern = "AX"', "`X` in its pattern"),
        ('pattern = "AW"', "needs both window"),
        ('pattern = "AR"', "recurrent layers"),
        ("kv_lora_rank = 512", "rope_dimension"),
        ("dense_layers = 1", "dense_feed_forward"),
        ('pattern = "AW"\nwindow = 512\nwindow_every = 2', "more than window_every"),
    ],
)
def test_half_a_shape_is_refused(more: str, message: str) -> None:
    text = build.read()["models.toml"].replace("kv_heads = 8\n", f"kv_heads = 8\n{more}\n", 1)
    with pytest.raises(HostwrightError, match=message):
        build.parsed("models.toml", text)
