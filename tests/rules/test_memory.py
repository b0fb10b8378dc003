"""HW206 to HW211: limits on memory, and what they leave to the models."""

import dataclasses
from typing import Any

import pytest

from generator.engines.ollama.rules.memory import (
    caches_beyond_memory,
    less_than_the_weights,
    lock_without_limit,
)
from generator.engines.ollama.scheduler.settings import may_be_loaded
from generator.fit.kv import kv_of
from generator.host import Gpu
from generator.rules.limits import limit_above_memory, no_limit_on_swap, soft_limit_above_hard
from generator.rules.registry import every_rule
from generator.view import Bound, Container, Line, ModelUse, Place, View
from tests.facts import facts_at
from tests.plans import plan, rules, shipped
from tests.views import FILE, found, view

GIB = 2**30
MIB = 2**20
RULES = every_rule()
AT = Place(FILE, 9)


def uses(*names: str) -> tuple[ModelUse, ...]:
    return tuple(ModelUse(name=name, place=AT) for name in names)


# The drop-in of a 12-core host with 32 GiB, as its operator wrote it.
OPERATOR = {
    "OLLAMA_CONTEXT_LENGTH": "8192",
    "OLLAMA_NUM_PARALLEL": "4",
    "OLLAMA_MAX_LOADED_MODELS": "3",
    "OLLAMA_KV_CACHE_TYPE": "q8_0",
}
THREE = uses("qwen2.5-coder:7b", "deepseek-r1:7b", "llama3.1:8b")


def on_cpu(limit: int | None, *names: str, env: dict[str, str] | None = None, **more: Any) -> View:
    bounds = {"memory_max": limit} if limit is not None else {}
    return view(env, bounds, **{"acceleration": "cpu", "models": uses(*names), **more})


CASES: dict[str, tuple[View, View]] = {
    "HW206": (
        view({}, {"memory_max": 32 * GIB}, host={"memory": 32 * GIB}),
        view({}, {"memory_max": 20 * GIB}, host={"memory": 32 * GIB}),
    ),
    "HW207": (on_cpu(4 * GIB, "qwen2.5-coder:7b"), on_cpu(8 * GIB, "qwen2.5-coder:7b")),
    "HW208": (
        view({}, {"memory_high": 20 * GIB, "memory_max": 20 * GIB}),
        view({}, {"memory_high": 18 * GIB, "memory_max": 20 * GIB}),
    ),
    "HW209": (
        view({"LLAMA_ARG_MLOCK": "1"}),
        view({"LLAMA_ARG_MLOCK": "1"}, {"limit_memlock": None}),
    ),
    "HW210": (
        view({}, {"memory_max": 20 * GIB}),
        view({}, {"memory_max": 20 * GIB, "memory_swap_max": 0}),
    ),
    "HW211": (
        view(OPERATOR, {"memory_max": 20 * GIB}, models=THREE, acceleration="cpu"),
        view(
            OPERATOR | {"LLAMA_ARG_CACHE_RAM": "512"},
            {"memory_max": 20 * GIB},
            models=THREE,
            acceleration="cpu",
        ),
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_it_catches_one_and_leaves_the_other_alone(rule: str) -> None:
    caught, left = CASES[rule]
    assert found(RULES[rule], caught)
    assert not found(RULES[rule], left)


@pytest.mark.parametrize("rule", CASES)
def test_a_finding_says_what_where_and_what_to_do(rule: str) -> None:
    (placed,) = found(RULES[rule], CASES[rule][0])
    assert placed.finding.message
    assert placed.finding.fix
    assert placed.finding.link
    assert placed.place.file == FILE
    assert placed.place.line


def test_a_limit_above_the_memory_leaves_an_eighth_in_its_fix() -> None:
    seen = view({}, {"memory_max": 40 * GIB}, host={"memory": 32 * GIB})
    (placed,) = found(limit_above_memory, seen)
    assert placed.finding.message.startswith("a memory limit of 40 GiB is more than this machine's")
    assert placed.finding.fix == "write `28G` or less"


def test_a_limit_of_all_memory_is_told_of_a_profile_too() -> None:
    profile = {"host": {"memory": "32GiB"}, "resources": {"memory_max": "32G"}}
    assert "HW206" in rules(plan(profile))


@pytest.mark.parametrize("limit", [None, "infinity", "90%"])
def test_a_lifted_limit_is_none(limit: str | None) -> None:
    seen = view({}, {"memory_max": limit}, host={"memory": 32 * GIB})
    assert not found(limit_above_memory, seen)


# HW207 ------------------------------------------------------------------------------------------


def test_one_model_that_cannot_be_loaded_is_an_error() -> None:
    (placed,) = found(less_than_the_weights, on_cpu(4 * GIB, "qwen2.5-coder:7b"))
    assert placed.finding.severity == "error"
    assert placed.finding.message == (
        "the weights of `qwen2.5-coder:7b` (Q4_K_M) alone take 4.4 GiB, the service has 4 GiB: "
        "it cannot be loaded"
    )
    # 4460 + 4096 × 56 KiB + (3 × 18944 + 4 × 3584 + 2048) × 2 KiB: 4827 MiB
    assert placed.finding.fix.startswith("allow 4.7 GiB at the least, with KV cache and buffers")


def test_models_that_fit_one_by_one_are_a_warning() -> None:
    names = ("qwen2.5-coder:7b", "deepseek-r1:7b", "llama3.1:8b")
    (placed,) = found(less_than_the_weights, on_cpu(12 * GIB, *names))
    assert placed.finding.severity == "warning"
    # 4460.45 + 4460.45 + 4685.3 MiB
    assert "the 3 models that may be loaded at once take 13.3 GiB" in placed.finding.message
    # 4827 + 4827 + 4685 + 512 + (3 × 14336 + 4 × 4096 + 2048) × 2 KiB: 14971 MiB
    assert placed.finding.fix.startswith("allow 14.6 GiB at the least, with KV cache and buffers")


def test_fewer_may_be_loaded_at_once() -> None:
    names = ("qwen2.5-coder:7b", "deepseek-r1:7b", "llama3.1:8b")
    two = {"OLLAMA_MAX_LOADED_MODELS": "2"}
    assert not found(less_than_the_weights, on_cpu(12 * GIB, *names, env=two))


def test_a_quantisation_of_the_tag_counts() -> None:
    assert not found(less_than_the_weights, on_cpu(6 * GIB, "llama3.1:8b"))
    caught = on_cpu(6 * GIB, "llama3.1:8b-instruct-q8_0")
    assert "(Q8_0) alone take 7.9 GiB" in found(less_than_the_weights, caught)[0].finding.message


def test_a_tuned_model_counts_as_its_base() -> None:
    tuned = ModelUse(name="house-coder", place=AT, base="qwen2.5-coder:7b")
    assert found(less_than_the_weights, on_cpu(4 * GIB, models=(tuned,)))


def test_the_memory_of_the_machine_is_a_limit() -> None:
    seen = on_cpu(None, "llama3.1:8b", host={"memory": 4 * GIB})
    assert found(less_than_the_weights, seen)


def test_on_a_gpu_or_with_unknown_models_nothing_is_said() -> None:
    on_gpu = on_cpu(4 * GIB, "llama3.1:8b", acceleration="cuda")
    not_told = on_cpu(4 * GIB, "llama3.1:8b", acceleration="")
    unknown = on_cpu(4 * GIB, "somebody/else:7b")
    assert not any(found(less_than_the_weights, v) for v in (on_gpu, not_told, unknown))


def test_a_container_without_a_gpu_computes_on_the_cpu() -> None:
    box = Container(image="ollama/ollama", place=AT)
    seen = on_cpu(4 * GIB, "llama3:8b", acceleration="", container=box, kind="compose")
    assert found(less_than_the_weights, seen)


# HW208, HW209, HW210 ----------------------------------------------------------------------------


def test_a_reservation_of_the_whole_limit_is_fine_in_compose() -> None:
    equal = {"memory_high": 8 * GIB, "memory_max": 8 * GIB}
    above = {"memory_high": 9 * GIB, "memory_max": 8 * GIB}
    assert not found(soft_limit_above_hard, view({}, equal, kind="compose"))
    assert found(soft_limit_above_hard, view({}, above, kind="compose"))


@pytest.mark.parametrize(
    ("variable", "value", "release", "told"),
    [
        ("LLAMA_ARG_MLOCK", "1", "0.32.15", True),
        ("LLAMA_ARG_MLOCK", "1", "0.30.0", True),
        ("LLAMA_ARG_MLOCK", "1", "0.24.0", False),  # not read
        ("LLAMA_ARG_MLOCK", "0", "0.32.15", False),
        ("LLAMA_ARG_LOAD_MODE", "mmap+mlock", "0.32.6", True),
        ("LLAMA_ARG_LOAD_MODE", "mlock", "0.32.5", False),  # not read
        ("LLAMA_ARG_LOAD_MODE", "mmap", "0.32.15", False),
    ],
)
def test_what_asks_for_locked_memory(variable: str, value: str, release: str, told: bool) -> None:
    assert bool(found(lock_without_limit, view({variable: value}, release=release))) == told


@pytest.mark.parametrize(
    ("env", "release", "told"),
    [
        ({"LLAMA_ARG_MLOCK": "1"}, "0.32.6", True),
        ({"LLAMA_ARG_LOAD_MODE": "mlock"}, "0.32.15", True),
        ({"LLAMA_ARG_MLOCK": "1"}, "0.32.5", False),
        ({"LLAMA_ARG_LOAD_MODE": "mmap"}, "0.32.15", False),
    ],
)
def test_on_the_cpu_alone_nothing_locks(env: dict[str, str], release: str, told: bool) -> None:
    limited: dict[str, int | str | None] = {"limit_memlock": None}
    alone = view(env, limited, release=release, acceleration="cpu")
    assert bool(found(lock_without_limit, alone)) == told
    assert not found(lock_without_limit, view(env, limited, release=release, acceleration="cuda"))


def test_a_memlock_limit_that_holds_the_weights_is_enough() -> None:
    env, models = {"LLAMA_ARG_MLOCK": "1"}, uses("llama3.1:8b")
    small = view(env, {"limit_memlock": 64 * MIB}, models=models)
    large = view(env, {"limit_memlock": 6 * GIB}, models=models)
    assert "of which 64M may be locked" in found(lock_without_limit, small)[0].finding.message
    assert not found(lock_without_limit, large)


def test_who_may_lock_anyway_is_left_alone() -> None:
    env = {"LLAMA_ARG_MLOCK": "1"}
    root = (Line(section="Service", name="User", value="root", place=AT),)
    box = Container(image="ollama/ollama", place=AT, memlock=True)
    assert not found(lock_without_limit, view(env, lines=root))
    seen = view(env, container=box, kind="compose", acceleration="cuda")
    assert not found(lock_without_limit, seen)


@pytest.mark.parametrize(
    ("origin", "fix"),
    [
        ("systemd", "add `LimitMEMLOCK=infinity` to [Service]"),
        ("compose", "add `ulimits: {memlock: -1}` to the service"),
        ("profile", 'add `limit_memlock = "infinity"` to [resources]'),
    ],
)
def test_the_fix_is_written_for_the_file(origin: str, fix: str) -> None:
    seen = view({"LLAMA_ARG_MLOCK": "1"}, kind=origin)
    assert found(lock_without_limit, seen)[0].finding.fix == fix


def test_the_load_mode_of_a_profile_needs_the_limit_too() -> None:
    data: dict[str, Any] = {"ollama": {"env": {"LLAMA_ARG_LOAD_MODE": "mlock"}}}
    host = {"host": {"gpus": [{"name": "RTX 4090", "memory": "24GiB"}]}}
    assert "HW209" in rules(plan(data | host))
    limited = {"resources": {"limit_memlock": "infinity"}}
    assert "HW209" not in rules(plan(data | host | limited))
    # On the CPU alone no limit helps.
    assert "HW209" in rules(plan(data | limited))


def test_compose_is_told_to_write_the_same_size_twice() -> None:
    bound = Bound(name="memory_max", value=8 * GIB, place=AT, written="8g")
    (placed,) = found(no_limit_on_swap, dataclasses.replace(view(kind="compose"), bounds=(bound,)))
    assert placed.finding.severity == "info"
    assert placed.finding.fix == "add `memswap_limit: 8g`, the same as the memory, for no swap"


def test_profiles_and_kubernetes_are_spared_the_swap() -> None:
    for origin in ("profile", "helm"):
        assert not found(no_limit_on_swap, view({}, {"memory_max": GIB}, kind=origin))


# HW211 ------------------------------------------------------------------------------------------


def test_three_caches_beside_three_models() -> None:
    (placed,) = found(caches_beyond_memory, CASES["HW211"][0])
    assert placed.finding.severity == "warning"
    # Weights 13606 MiB; KV at q8_0 for 32768 tokens: 952 + 952 + 2176 MiB.
    assert placed.finding.message == (
        "3 runners may keep up to 8192 MiB of earlier prompts each, beside 17686 MiB for weights "
        "and KV cache; the service has 20480 MiB"
    )
    assert placed.finding.fix == "write `LLAMA_ARG_CACHE_RAM=256`"


@pytest.mark.parametrize(
    ("release", "told"), [("0.24.0", False), ("0.30.0", True), ("0.32.15", True)]
)
def test_only_llama_server_has_the_cache(release: str, told: bool) -> None:
    seen = view(OPERATOR, {"memory_max": 20 * GIB}, release=release, models=THREE)
    assert bool(found(caches_beyond_memory, seen)) == told


@pytest.mark.parametrize(
    ("value", "told"), [("0", False), ("512", False), ("-1", True), ("8192", True), ("x", False)]
)
def test_the_size_that_is_set_counts(value: str, told: bool) -> None:
    env = OPERATOR | {"LLAMA_ARG_CACHE_RAM": value}
    seen = view(env, {"memory_max": 20 * GIB}, models=THREE, acceleration="cpu")
    placed = found(caches_beyond_memory, seen)
    assert bool(placed) == told
    assert all(p.place.line == 5 for p in placed)


def test_a_cache_without_a_limit_is_said_so() -> None:
    env = {"LLAMA_ARG_CACHE_RAM": "-1"}
    seen = view(env, {"memory_max": 64 * GIB}, models=uses("llama3.1:8b"))
    (placed,) = found(caches_beyond_memory, seen)
    assert placed.finding.message.startswith("the runner may keep any amount of earlier")


def test_where_the_number_of_models_is_a_guess_it_is_a_remark() -> None:
    seen = view({}, {"memory_max": 20 * GIB})
    (placed,) = found(caches_beyond_memory, seen)
    assert placed.finding.severity == "info"
    assert placed.finding.fix == "write `LLAMA_ARG_CACHE_RAM=2048`"
    small = view({}, {"memory_max": 8 * GIB})
    assert found(caches_beyond_memory, small)[0].finding.severity == "warning"


def test_too_little_memory_gets_no_cache() -> None:
    seen = on_cpu(5 * GIB + 200 * MIB, "llama3.1:8b")
    (placed,) = found(caches_beyond_memory, seen)
    assert placed.finding.fix == "write `LLAMA_ARG_CACHE_RAM=0`, for no cache"


def test_a_model_that_does_not_fit_by_itself_is_not_told_twice() -> None:
    assert not found(caches_beyond_memory, on_cpu(4 * GIB, "llama3.1:8b"))


def test_enough_memory_is_left_alone() -> None:
    on_gpu = {"memory": 64 * GIB}
    assert not found(caches_beyond_memory, view({}, {}, host=on_gpu))
    assert not found(caches_beyond_memory, view())


def test_the_xeon_would_have_caches_beyond_its_memory() -> None:
    assert "HW211" not in rules(shipped("xeon-cpu"))
    left_alone = shipped("xeon-cpu", "ollama.prompt_cache=8GiB")
    (finding,) = (f for f in left_alone.findings if f.rule == "HW211")
    assert finding.fix == 'write `prompt_cache = "256MiB"` under [ollama]'


# What models need -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cache_type", "mib"),
    [
        # llama-fit-params at 4096 tokens.
        ("llama3.1:8b", "f16", 512),
        ("llama3.1:8b", "q8_0", 272),
        ("llama3.1:8b", "q4_0", 144),
        ("qwen2.5-coder:7b", "f16", 224),
        ("qwen2.5-coder:7b", "q8_0", 119),
        ("qwen2.5-coder:7b", "q4_0", 63),
        ("deepseek-r1:8b-0528-qwen3", "f16", 576),
        ("deepseek-r1:8b-0528-qwen3", "q8_0", 306),
        ("deepseek-r1:8b-0528-qwen3", "q4_0", 162),
        ("llama3.2:3b", "f16", 448),
        ("llama3.2:3b", "q8_0", 238),
        ("llama3.2:3b", "q4_0", 126),
        ("llama3.1:8b", "nonsense", 512),
    ],
)
def test_the_kv_cache_is_what_llama_cpp_measures(name: str, cache_type: str, mib: int) -> None:
    model = facts_at().model(name)
    assert model is not None
    assert kv_of(model, 4096, cache_type) == mib * MIB


@pytest.mark.parametrize(
    ("env", "release", "gpus", "count"),
    [
        ({"OLLAMA_MAX_LOADED_MODELS": "2"}, "0.32.15", 0, 2),
        ({"OLLAMA_MAX_LOADED_MODELS": "0"}, "0.32.15", 0, 3),
        ({}, "0.32.15", 2, 6),
        ({}, "0.2.0", 0, 3),
        ({}, "0.1.48", 2, 1),
    ],
)
def test_how_many_models_may_be_loaded(
    env: dict[str, str], release: str, gpus: int, count: int
) -> None:
    host = {"gpus": tuple(Gpu(name=f"GPU {n}", memory=8 * GIB) for n in range(gpus))}
    seen = view(env, release=release, host=host)
    assert may_be_loaded(seen, facts_at(str(seen.release))) == count
