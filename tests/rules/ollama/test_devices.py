"""HW303 and HW304 where models and cards are known. Sizes in MiB, worked out by hand."""

from typing import Any

import pytest

from generator.engines.ollama.rules.devices import context_by_memory, spread_without_need
from generator.host import Gpu, Host
from generator.view import Container, ModelUse, Place, View
from tests.plans import shipped
from tests.views import FILE, found, view

GIB = 2**30
HERMES = "hermes3:8b-llama3.1-q5_K_M"
GENERIC = (
    "spreading also splits a model that one GPU could hold: more memory in all, and a hop between "
    "the cards at every token"
)


def cards(*sizes: int) -> Host:
    names = ("Quadro P4000", "GTX 1060")
    return Host(
        gpus=tuple(
            Gpu(name=name, memory=size * GIB, compute_capability="6.1")
            for name, size in zip(names, sizes, strict=False)
        )
    )


def service(*models: str, env: dict[str, str] | None = None, **more: Any) -> View:
    fields = {"acceleration": "cuda", "host": cards(8, 6)}
    used = tuple(ModelUse(name=name, place=Place(FILE, 9)) for name in models)
    return view(env or {}, **{**fields, "models": used, **more})


def spread(*models: str, **more: Any) -> View:
    return service(*models, **{**more, "env": {"OLLAMA_SCHED_SPREAD": "1", **more.get("env", {})}})


def message(seen: View) -> str:
    (placed,) = found(spread_without_need, seen)
    assert placed.finding.rule == "HW303"
    assert placed.finding.severity == "info"
    assert placed.place == Place(FILE, 1)
    return placed.finding.message


def test_the_card_that_holds_the_model_is_named() -> None:
    """5115 of weights, 512 of cache, 120 of buffers and 457 of the runner: 6204 of 8192."""
    assert message(spread(HERMES)) == (
        f"`{HERMES}` fits on one GPU, Quadro P4000, with 6.1 GiB of 8 GiB; spreading splits it "
        "all the same: more memory in all, and a hop between the cards at every token"
    )


def test_the_largest_model_counts() -> None:
    """At Q8_0 the same model has 7605 of weights on GPUs."""
    assert f"`{HERMES}`" in message(spread("qwen2.5:0.5b", HERMES))
    assert found(spread_without_need, spread(HERMES, "hermes3:8b-llama3.1-q8_0")) == ()


@pytest.mark.parametrize(
    "env",
    [
        {"OLLAMA_CONTEXT_LENGTH": "16384"},  # 2048 of cache: 7740, and 1024 are left free
        {"OLLAMA_NUM_PARALLEL": "4"},
    ],
)
def test_context_and_slots_may_need_the_split(env: dict[str, str]) -> None:
    assert found(spread_without_need, spread(HERMES, env=env)) == ()


def test_a_quantised_cache_counts_for_the_choice_until_0_30() -> None:
    """1088 of q8_0 cache, and 266 for the logits of a batch: 6927.

    From 0.30 on the choice counts 5467 and an f16 cache of 2048, which is above 80 % of 8192.
    """
    env = {
        "OLLAMA_NUM_PARALLEL": "4",
        "OLLAMA_KV_CACHE_TYPE": "q8_0",
        "OLLAMA_FLASH_ATTENTION": "1",
    }
    assert "Quadro P4000, with 6.8 GiB" in message(spread(HERMES, env=env, release="0.24"))
    assert found(spread_without_need, spread(HERMES, env=env)) == ()


@pytest.mark.parametrize(
    "seen",
    [
        spread(),
        spread("somebody/model:8b"),
        spread(HERMES, "somebody/model:8b"),
        spread("muse-glimmer:30b"),  # its size alone is known
        spread(HERMES, host=cards(8)),
        spread(HERMES, host=cards(8, 0)),
        spread(HERMES, host=Host()),
        spread(HERMES, env={"CUDA_VISIBLE_DEVICES": "1"}),
        spread(HERMES, container=Container(image="x", place=Place(FILE, 3), gpus=("1",))),
        spread(models=(ModelUse(name="mine", place=Place(FILE, 9), base=HERMES),)),
    ],
    ids=[
        *("no model", "unknown", "one unknown", "no size", "one card", "no memory", "no card"),
        *("hidden", "one in the container", "with parameters"),
    ],
)
def test_what_is_not_known_leaves_the_general_remark(seen: View) -> None:
    assert message(seen) == GENERIC


def test_without_spreading_there_is_nothing_to_say() -> None:
    assert found(spread_without_need, service(HERMES, env={"OLLAMA_SCHED_SPREAD": "0"})) == ()
    assert found(spread_without_need, service(HERMES)) == ()


def test_the_shipped_profile_is_told_of_its_card() -> None:
    (finding,) = [f for f in shipped("dual-pascal").findings if f.rule == "HW303"]
    assert "fits on one GPU, Quadro P4000" in finding.message


# HW304 ------------------------------------------------------------------------------------------

TOP = "without a context length the server takes 262144 tokens per slot on this much GPU memory"
MIDDLE = "without a context length the server takes 32768 tokens per slot on this much GPU memory"

ALSO = "with 4 slots; with 4.6 GiB of weights that is beyond the GPUs' 48 GiB"
BESIDE = "with 18.5 GiB of weights that is beyond the GPUs' 24 GiB"


@pytest.mark.parametrize(
    ("gib", "models", "env", "told"),
    [
        (48, (), {}, TOP),
        (48, ("somebody/model:8b",), {}, TOP),
        # 131072 × 128 KiB
        (
            48,
            ("llama3.1:8b", "qwen2.5:0.5b"),
            {},
            f"{TOP}: 16 GiB of KV cache for `llama3.1:8b`, trained for 131072",
        ),
        # 4 × 131072 × 128 KiB, and 4403 MiB beside it
        (
            48,
            ("llama3.1:8b",),
            {"OLLAMA_NUM_PARALLEL": "4"},
            f"{TOP}: 64 GiB of KV cache for `llama3.1:8b`, trained for 131072, {ALSO}",
        ),
        # 262144 × 96 KiB × 34/64
        (
            48,
            ("qwen3-coder:30b",),
            {"OLLAMA_KV_CACHE_TYPE": "q8_0"},
            f"{TOP}: 12.8 GiB of KV cache for `qwen3-coder:30b`",
        ),
        # 32768 × 256 KiB, and 18.1 GiB beside it
        (24, ("qwen2.5:32b",), {}, f"{MIDDLE}: 8 GiB of KV cache for `qwen2.5:32b`; {BESIDE}"),
    ],
)
def test_the_cache_of_the_tier_is_told(
    gib: int, models: tuple[str, ...], env: dict[str, str], told: str
) -> None:
    (placed,) = found(context_by_memory, service(*models, env=env, host=cards(gib)))
    assert placed.finding.message == told
    assert placed.finding.severity == "warning"
    assert placed.finding.fix == "write the context that you need, like 8192"


@pytest.mark.parametrize(
    ("gib", "models", "env"),
    [
        (24, (), {}),
        (24, ("somebody/model:32b",), {}),
        (24, ("llama3.1:8b",), {}),  # 4403 + 4096
        (32, ("qwen2.5:32b",), {}),  # 18.1 + 8 GiB
        (24, ("qwen2.5:32b",), {"OLLAMA_KV_CACHE_TYPE": "q8_0"}),  # 18.1 + 4.3 GiB
        (24, ("llama3.1:70b",), {}),  # the weights alone are beyond it
        (24, ("qwen2.5:32b",), {"OLLAMA_CONTEXT_LENGTH": "32768"}),  # HW511 tells it
        (22, ("qwen2.5:32b",), {}),  # 4096 tokens
    ],
)
def test_a_tier_that_fits_or_that_nobody_can_judge_is_left_alone(
    gib: int, models: tuple[str, ...], env: dict[str, str]
) -> None:
    assert found(context_by_memory, service(*models, env=env, host=cards(gib))) == ()


def test_tiers_begin_with_0_15_5() -> None:
    at = cards(24)
    assert found(context_by_memory, service("qwen2.5:32b", release="0.15.5", host=at))
    assert found(context_by_memory, service("qwen2.5:32b", release="0.15.4", host=at)) == ()


def test_a_container_without_a_gpu_has_no_tier() -> None:
    box = Container(image="ollama/ollama", place=Place(FILE, 3))
    seen = service("llama3.1:8b", host=cards(48), acceleration="", container=box)
    assert found(context_by_memory, seen) == ()
