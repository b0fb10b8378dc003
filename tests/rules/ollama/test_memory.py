"""HW511 and HW512: what slots, context and models together ask for. Sizes worked out by hand.

llama3.1:8b has 4685 MiB of weights, 282 of them the token embedding that stays with the host, and
128 KiB of KV cache a token; qwen2.5-coder:7b 4460 MiB and 56 KiB, both at f16. A batch of 512
computes in (3 × feed-forward + 4 × embedding + context / 2) × 2 KiB.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from generator.engines.ollama.rules.devices import context_by_memory
from generator.engines.ollama.rules.memory import beyond_memory, one_slot_only
from generator.host import Gpu, Host
from generator.rules.registry import every_rule
from generator.view import ModelUse, Place, View
from tests.views import found, view

BY_ID = every_rule()
GIB = 2**30


def service(
    *models: str,
    gpu: int = 0,
    ram: int = 0,
    env: Mapping[str, str] | None = None,
    release: str = "0.32.15",
    **more: Any,
) -> View:
    cards = (Gpu(name="Quadro P4000", memory=gpu * GIB, compute_capability="6.1"),) if gpu else ()
    return view(
        env,
        host=Host(memory=ram * GIB, gpus=cards),
        acceleration="cuda" if gpu else "cpu",
        models=tuple(ModelUse(name=name, place=Place("override.conf", 20)) for name in models),
        release=release,
        **more,
    )


def asking(context: int, slots: int, **more: str) -> dict[str, str]:
    return {"OLLAMA_CONTEXT_LENGTH": str(context), "OLLAMA_NUM_PARALLEL": str(slots), **more}


CASES: dict[str, tuple[View, View]] = {
    # 4403 MiB + 4 × 8192 × 128 KiB + 124 = 8623 MiB of 8192; with q8_0 it is 6703.
    "HW511": (
        service("llama3.1:8b", gpu=8, env=asking(8192, 4)),
        service("llama3.1:8b", gpu=8, env=asking(8192, 4, OLLAMA_KV_CACHE_TYPE="q8_0")),
    ),
    "HW512": (
        service("qwen3.5:27b", env={"OLLAMA_NUM_PARALLEL": "4"}),
        service("qwen3.5:27b", env={"OLLAMA_NUM_PARALLEL": "1"}),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert [placed.finding.rule for placed in found(BY_ID[rule], caught)] == [rule]
    assert found(BY_ID[rule], left) == ()


def test_it_says_how_much_and_what_would_fit() -> None:
    """A tenth is left to buffers: (7372 - 4685) MiB / 512 KiB = 5374 tokens, in whole 1024s."""
    (placed,) = found(beyond_memory, CASES["HW511"][0])
    assert "`llama3.1:8b` with 4 slots of 8192 tokens takes 8.4 GiB" in placed.finding.message
    assert "the GPUs together have 8 GiB: the CPU computes the rest" in placed.finding.message
    assert placed.finding.fix == "write OLLAMA_CONTEXT_LENGTH=5120, or fewer slots"
    assert placed.place == Place("override.conf", 2)


def test_one_slot_is_about_the_context() -> None:
    """4403 + 65536 / 8 + 180 MiB = 12775."""
    (placed,) = found(
        beyond_memory, service("llama3.1:8b", gpu=8, env={"OLLAMA_CONTEXT_LENGTH": "65536"})
    )
    assert "a context of 65536 tokens takes 12.5 GiB" in placed.finding.message
    assert placed.place == Place("override.conf", 1)


def test_the_context_stops_where_the_model_was_trained_to() -> None:
    """llama3:8b knows 8192 tokens: less than 4438 + 1024 + 124 MiB."""
    assert found(beyond_memory, service("llama3:8b", gpu=8, env=asking(262144, 1))) == ()


@pytest.mark.parametrize(
    ("gpu", "release", "slots"),
    [
        (22, "0.32.15", 64),  # 4096 tokens a slot: 4403 MiB + 64 × 512 MiB = 36.3 GiB
        (80, "0.15.4", 160),  # no tiers yet: 84.3 GiB
    ],
)
def test_an_unset_context_of_4096_is_counted(gpu: int, release: str, slots: int) -> None:
    many = {"OLLAMA_NUM_PARALLEL": str(slots)}
    few = {"OLLAMA_NUM_PARALLEL": "16"}
    assert found(beyond_memory, service("llama3.1:8b", gpu=gpu, env=many, release=release))
    assert found(beyond_memory, service("llama3.1:8b", gpu=gpu, env=few, release=release)) == ()


@pytest.mark.parametrize("gpu", [24, 80])
def test_a_context_that_the_release_chose_is_for_hw304_to_tell(gpu: int) -> None:
    """One slot of 32768 or more: 16 of them are beyond 24 GiB, and beyond 80."""
    seen = service("llama3.1:8b", gpu=gpu, env={"OLLAMA_NUM_PARALLEL": "16"})
    assert found(beyond_memory, seen) == ()
    assert found(context_by_memory, seen)


def test_the_compute_buffer_counts_where_it_was_measured() -> None:
    """Weights and cache are 4403 + 3712 = 8115 MiB of 8192; the buffer takes 134 more."""
    env = {"OLLAMA_CONTEXT_LENGTH": "29696"}
    (placed,) = found(beyond_memory, service("llama3.1:8b", gpu=8, env=env))
    assert "takes 8.1 GiB" in placed.finding.message
    assert found(beyond_memory, service("llama3.1:8b", gpu=8, env=env, release="0.24")) == ()


def test_a_gpu_does_not_get_the_token_embedding() -> None:
    """4685 + 3584 MiB are 77 beyond 8192, but 282 of them stay with the host."""
    env = {"OLLAMA_CONTEXT_LENGTH": "28672"}
    assert found(beyond_memory, service("llama3.1:8b", gpu=8, env=env)) == ()
    (placed,) = found(beyond_memory, service("llama3.1:8b", ram=8, env=env))
    assert "takes 8.2 GiB" in placed.finding.message


def test_weights_alone_are_for_others_to_tell() -> None:
    assert found(beyond_memory, service("llama3.1:8b", gpu=4)) == ()


def test_a_cpu_host_counts_its_memory() -> None:
    """4460 MiB + 4 × 32768 × 56 KiB + 171 MiB = 11.5 GiB."""
    env = asking(32768, 4)
    (placed,) = found(beyond_memory, service("qwen2.5-coder:7b", ram=8, env=env))
    assert "the service has 8 GiB: it cannot be loaded, or is killed" in placed.finding.message
    assert found(beyond_memory, service("qwen2.5-coder:7b", ram=16, env=env)) == ()


SEED = ("qwen2.5-coder:7b", "deepseek-r1:7b", "llama3.1:8b")


def test_three_models_under_a_memory_limit() -> None:
    """4 × 8192 tokens: 2 × (4460 + 1792 + 147) + 4685 + 4096 + 124 = 21703 MiB, 21.2 GiB."""
    env = asking(8192, 4, OLLAMA_MAX_LOADED_MODELS="3")
    limited = service(*SEED, ram=32, env=env, bounds={"memory_max": 20 * GIB})
    (placed,) = found(beyond_memory, limited)
    assert placed.finding.severity == "warning"
    assert "the 3 models that may be loaded at once take 21.2 GiB" in placed.finding.message
    assert "the kernel kills the server when all are" in placed.finding.message
    assert placed.place == Place("override.conf", 3)
    more = service(*SEED, ram=32, env=env, bounds={"memory_max": 22 * GIB})
    assert found(beyond_memory, more) == ()


def test_without_a_limit_the_scheduler_takes_turns() -> None:
    env = asking(8192, 4, OLLAMA_MAX_LOADED_MODELS="3")
    (placed,) = found(beyond_memory, service(*SEED, ram=18, env=env))
    assert placed.finding.severity == "info"
    assert "each load evicts another" in placed.finding.message
    # Nobody has asked for all of them at once.
    assert found(beyond_memory, service(*SEED, ram=18, env=asking(8192, 4))) == ()


def test_a_model_of_one_slot_has_one_context() -> None:
    """Only models of a known shape are counted; none of them is of one slot today."""
    assert found(beyond_memory, service("qwen3.5:27b", gpu=8, env=asking(262144, 4))) == ()


@pytest.mark.parametrize(
    ("name", "architecture", "since", "before"),
    [
        ("llama3.2-vision:11b", "mllama", "0.4.0", "0.3.14"),
        ("qwen3-vl:8b", "qwen3vl", "0.12.7", "0.12.6"),
        ("qwen3-next:80b", "qwen3next", "0.15.5", "0.15.4"),
        ("lfm2:24b", "lfm2", "0.15.5", "0.15.4"),
        ("qwen3.5", "qwen35", "0.17.1", "0.17.0"),
        ("nemotron-3-nano:30b", "nemotron_h", "0.17.1", "0.17.0"),
        ("nemotron3", "nemotron_h_omni", "0.22.0", "0.21.2"),
        ("llava:7b", "vision", "0.2.0", "0.1.48"),
        ("minicpm-v:8b", "vision", "0.4.0", "0.4.1"),
    ],
)
def test_architectures_of_one_slot_by_release(
    name: str, architecture: str, since: str, before: str
) -> None:
    env = {"OLLAMA_NUM_PARALLEL": "4"}
    (placed,) = found(one_slot_only, service(name, env=env, release=since))
    assert placed.finding.severity == "warning"
    assert f"`{name}` gets one slot, not 4: its architecture, {architecture}," in (
        placed.finding.message
    )
    assert placed.place == Place("override.conf", 20)
    assert found(one_slot_only, service(name, env=env, release=before)) == ()


def test_embedding_models_are_only_remarked() -> None:
    env = {"OLLAMA_NUM_PARALLEL": "4"}
    (placed,) = found(one_slot_only, service("nomic-embed-text", "llama3.1:8b", env=env))
    assert placed.finding.severity == "info"
    assert found(one_slot_only, service("nomic-embed-text", env=env, release="0.3.6")) == ()


def test_a_model_of_the_cloud_has_no_slots_here() -> None:
    env = {"OLLAMA_NUM_PARALLEL": "4"}
    assert found(one_slot_only, service("qwen3.5:cloud", "qwen3.5:397b-cloud", env=env)) == ()


def preloaded(name: str, **more: Any) -> View:
    seen = service(name, **more)
    return replace(seen, models=tuple(replace(used, warmed=True) for used in seen.models))


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (preloaded("llama3.3:70b", gpu=24, ram=64), "of 81 layers are on GPUs"),
        (preloaded("llama3.1:8b", gpu=4), "of 33 layers are on GPUs"),
        (preloaded("llama3.1:8b", gpu=16), ""),
        (preloaded("llama3.1:8b", gpu=4, env={"CUDA_VISIBLE_DEVICES": "GPU-1,GPU-2"}), ""),
        (preloaded("llama3.1:8b", gpu=4, env={"LLAMA_ARG_N_GPU_LAYERS": "10"}), ""),
        (preloaded("llama3.1:8b", ram=16), ""),
        (preloaded("nobody/knows:70b", gpu=4), ""),
        (service("llama3.3:70b", gpu=24, ram=64), ""),
    ],
)
def test_a_preloaded_model_goes_where_the_scheduler_puts_it(seen: View, told: str) -> None:
    hits = found(beyond_memory, seen)
    assert [told in placed.finding.message for placed in hits] == [True] * bool(told)
    assert all(placed.finding.severity == "warning" for placed in hits)
