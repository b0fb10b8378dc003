"""The context length that is left out: what the GPUs hold beside the main model. Sizes in MiB."""

from typing import Any

import pytest

from generator.plan import Plan
from tests.plans import ALONE, plan, rules, shipped

GIB = 2**30
BIG = "qwen2.5:32b"
WHERE = "Tokens of context per request slot:"


def host(*gib: int, **more: Any) -> dict[str, Any]:
    """An RTX 3090 or larger for each size."""
    gpus = [{"name": "GPU", "memory": f"{g}GiB", "compute_capability": "8.6"} for g in gib]
    return {"gpus": gpus, **more}


def decided(
    *gib: int, model: str = BIG, version: str | None = None, **ollama: Any
) -> tuple[int, str]:
    """Return the context that is set, and why; 0: none is."""
    return told(plan({"host": host(*gib), "models": [{"name": model}], "ollama": ollama}, version))


def told(plan: Plan) -> tuple[int, str]:
    found = [s for s in plan.service.environment if s.name == "OLLAMA_CONTEXT_LENGTH"]
    assert all(s.source == "derived" for s in found)
    return (int(found[0].value), found[0].reason) if found else (0, "")


def test_what_fits_beside_the_weights() -> None:
    """18508 of weights, 436 of buffers, 457 for the runner, 1024 left free: 4151 of 24576 are left.

    A token takes 256 KiB: 16604 of them, in steps of 1024.
    """
    assert decided(24) == (
        16384,
        f"{WHERE} as many as fit beside `{BIG}` on the GPUs; the server would take 32768.",
    )


@pytest.mark.parametrize(
    ("ollama", "tokens"),
    [
        ({"num_parallel": 2}, 8192),  # 4183 / 0.5 = 8366
        ({"kv_cache_type": "q8_0"}, 30720),  # 4123 / (0.25 × 34/64) = 31042
        ({"gpu_overhead": "2GiB"}, 12288),  # 3135 / 0.25 = 12540
        ({"context_length": 65536}, 0),  # what is written is not judged here
    ],
)
def test_the_settings_of_the_service_count(ollama: dict[str, Any], tokens: int) -> None:
    if "context_length" in ollama:
        data = {"host": host(24), "models": [{"name": BIG}], "ollama": ollama}
        (setting,) = [
            s for s in plan(data).service.environment if s.name == "OLLAMA_CONTEXT_LENGTH"
        ]
        assert (setting.value, setting.source) == ("65536", "profile")
    else:
        assert decided(24, **ollama)[0] == tokens


def test_up_to_0_24_nothing_is_left_free() -> None:
    """317 of logits for a batch of 512, 457 for the runner: 5294 / 0.25 = 21176."""
    assert decided(24, version="0.24")[0] == 20480


def test_over_two_gpus_a_layer_is_lost_on_each() -> None:
    """Each has 24576 - 1024 - 457 - 486 - 822 (the output): 21787, together 43574.

    39979 of weights leave 3595, at 320 KiB a token 11504 of them.
    """
    assert decided(24, 24, model="llama3.3:70b")[0] == 11264


def test_memory_that_is_the_hosts_too_keeps_the_share_of_the_system() -> None:
    """121856 less an eighth, 1024, 457 and 852 of buffers: 104291 - 4404 in 8 slots of 128 KiB."""
    data = {
        "host": host(119, unified_memory=True),
        "models": [{"name": "llama3.1:8b"}],
        "ollama": {"num_parallel": 8},
    }
    assert told(plan(data))[0] == 99328


def test_where_nothing_fits_it_is_what_a_small_gpu_gets() -> None:
    tokens, reason = decided(24, model="llama3.3:70b")
    assert tokens == 4096
    assert reason == (
        f"{WHERE} the least, for not even these fit beside `llama3.3:70b` on the GPUs; the server "
        "would take 32768."
    )


def test_the_trained_context_is_what_a_model_gets_at_most() -> None:
    """llama3:8b knows 8192 tokens; 16 slots of them are 16 GiB."""
    assert decided(24, model="llama3:8b", num_parallel=16)[0] == 0
    assert "would take 8192" in decided(24, model="llama3:8b", num_parallel=32)[1]


@pytest.mark.parametrize(
    "data",
    [
        {"host": host(24), "models": [{"name": "llama3.1:8b"}]},  # 32768 fit
        {"host": host(32), "models": [{"name": BIG}]},
        {"host": host(22), "models": [{"name": BIG}]},  # 4096 in any case
        {"host": host(24)},
        {"host": host(24), "models": [{"name": "somebody/model:32b"}]},
        {"host": host(24), "models": [{"name": f"{BIG}-instruct-iq3_xs"}]},  # no size is known
        {"host": host(24), "models": [{"name": BIG, "role": "fallback"}]},
        {"host": host(24), "models": [{"name": BIG, "parameters": {"num_ctx": 8192}}]},
        {"host": host(24), "models": [{"name": BIG, "parameters": {"num_gpu": 20}}]},
        {"host": host(24), "models": [{"name": BIG}], "gpu": {"layers": 20}},
        {"host": host(24, 6), "models": [{"name": BIG}], "gpu": {"visible_devices": ["0"]}},
        {"host": host(24), "models": [{"name": BIG}], "ollama": {"acceleration": "cpu"}},
    ],
    ids=[
        *("fits", "fits in 32 GiB", "lowest tier", "no model", "unknown", "no size", "not main"),
        *("own context", "own layers", "forced layers", "one of two", "on the CPU"),
    ],
)
def test_otherwise_the_default_stays(data: dict[str, Any]) -> None:
    assert told(plan(data)) == (0, "")


def test_without_tiers_there_is_nothing_to_derive() -> None:
    assert decided(24, version="0.15.4")[0] == 0
    assert decided(24, version="0.15.5")[0] > 0


def test_the_first_main_model_decides() -> None:
    models = [{"name": "llama3.1:8b"}, {"name": BIG}]
    assert told(plan({"host": host(24), "models": models})) == (0, "")


def test_a_derived_context_is_not_found_fault_with() -> None:
    found = rules(plan({"host": host(48), "models": [{"name": "llama3.3:70b"}]}))
    assert not found & {"HW304", "HW511"}


@pytest.mark.parametrize("name", ALONE)
def test_shipped_profiles_have_what_they_write(name: str) -> None:
    found = {s.name: s.source for s in shipped(name).service.environment}
    assert found.get("OLLAMA_CONTEXT_LENGTH", "profile") == "profile"
