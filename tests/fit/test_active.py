"""What is active of a model, against the numbers that its maker gives."""

from dataclasses import replace

import pytest

from generator.fit.active import (
    active_bytes,
    active_expert_bytes,
    active_weights,
    dense_bytes,
    expert_bytes,
)
from tests.fit.shapes import shape


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("qwen3:30b", 3.3),  # Qwen3-30B-A3B: 3.3B activated
        ("mixtral:8x7b", 12.9),  # Mistral: 12.9B of 46.7B for each token
        ("gpt-oss:20b", 3.6),  # OpenAI: 3.6B active of 21B, the embedding counted once
        ("gpt-oss:120b", 5.1),  # 5.1B of 117B
        ("llama3.1:8b", 8.0),
    ],
)
def test_active_weights_are_what_the_maker_says(name: str, billions: float) -> None:
    model = shape(name)
    ends = model.vocabulary * model.embedding * (1 if name.startswith("gpt-oss") else 2)
    assert (active_weights(model) + ends) / 1e9 == pytest.approx(billions, rel=0.02)


def test_of_a_dense_model_all_is_read_but_the_token_embedding() -> None:
    model = shape("llama3.1:8b")
    assert active_bytes(model) == model.tensor_bytes - model.input_bytes
    assert sum(active_expert_bytes(model)) == 0
    assert dense_bytes(model) == model.layer_bytes


def test_of_the_experts_those_used_are_read() -> None:
    model = shape("gpt-oss:20b")
    experts = expert_bytes(model)
    # 32 experts of three matrices of 2880 × 2880 at 17 bytes for 32 weights.
    assert experts[0] == 3 * 2880 * 2880 * 32 * 17 // 32
    assert active_expert_bytes(model)[0] == experts[0] * 4 // 32


def test_what_a_file_tells_of_its_experts_wins() -> None:
    model = shape("qwen3:30b")
    told = tuple(size // 2 for size in model.layer_bytes)
    assert expert_bytes(replace(model, expert_bytes=told)) == told
    assert sum(expert_bytes(model)) > 0.9 * sum(model.layer_bytes)
