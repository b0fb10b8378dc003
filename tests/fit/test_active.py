"""What is active of a model, against the numbers that its maker gives."""

import pytest

from generator.fit.active import (
    active_bytes,
    active_expert_bytes,
    active_weights,
    dense_bytes,
    expert_bytes,
)
from tests.fit.shapes import shape

NANO = "R-R-RA-R-R-RA-R-R-RA-R-R-RA-R-R-RA-R-R-R-RA-R-R-R-R-"


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("qwen3:30b", 3.3),  # Qwen3-30B-A3B: 3.3B activated
        ("mixtral:8x7b", 12.9),  # Mistral: 12.9B of 46.7B for each token
        ("gpt-oss:20b", 3.6),  # OpenAI: 3.6B active of 21B, the embedding counted once
        ("gpt-oss:120b", 5.1),  # 5.1B of 117B
        ("llama3.1:8b", 8.0),
        ("llama4:scout", 17.2),  # Meta: 17B active of 109B
        ("llama4:maverick", 17.2),  # 17B of 400B, every second layer without experts
        ("deepseek-v3:671b", 37.5),  # DeepSeek: 37B of 671B, with compressed attention
        ("nemotron-3-super:120b", 12.7),  # NVIDIA: 12.7B of 120.6B; 12.1B without an embedding
        ("nemotron-3-nano:30b", 3.6),  # 3.6B of 31.6B; 3.2B without an embedding
        ("gemma4:26b", 3.8),  # Google: 3.8B of 25.2B, a dense part beside the experts
    ],
)
def test_active_weights_are_what_the_maker_says(name: str, billions: float) -> None:
    model = shape(name)
    ends = model.vocabulary * model.embedding * (1 if name.startswith(("gpt-oss", "gemma")) else 2)
    assert (active_weights(model) + ends) / 1e9 == pytest.approx(billions, rel=0.02)


@pytest.mark.parametrize(
    ("name", "sparse"),
    [
        ("llama4:maverick", [layer % 2 == 1 for layer in range(48)]),
        ("deepseek-v3:671b", [layer > 2 for layer in range(61)]),
        ("nemotron-3-nano:30b", [kind == "-" for kind in NANO]),
        ("gemma4:26b", [True] * 30),
    ],
)
def test_experts_are_in_the_layers_that_have_them(name: str, sparse: list[bool]) -> None:
    model = shape(name)
    assert [size > 0 for size in expert_bytes(model)] == sparse
    assert sum(model.layer_bytes) - sum(expert_bytes(model)) > 0
    assert min(map(int.__sub__, model.layer_bytes, expert_bytes(model))) >= 0


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


def test_a_dense_model_has_none() -> None:
    assert sum(expert_bytes(shape("qwen3:30b"))) > 0.9 * sum(shape("qwen3:30b").layer_bytes)
    assert expert_bytes(shape("qwen3:32b")) == (0,) * 64
