"""What holds for every profile: pure, deterministic, monotone, and faithful to hostile text."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.catalogue.catalogue import load_catalogue
from generator.engines.ollama.scheduler.ask import ask_of
from generator.errors import HostwrightError
from generator.fit.host import host_of
from generator.fit.shape import shape_of
from generator.fit.verdict import judge
from generator.plan import Plan
from generator.profiles.schema import Profile
from generator.readers.plan.view import view_of
from generator.resolve import resolve
from generator.targets import TARGETS, load_target
from tests.consumers.targets import consumer, written
from tests.facts import facts_at
from tests.hostile import HOSTILE, batches
from tests.plans import plan

GIB = 2**30


def test_output_does_not_depend_on_the_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-m", "generator", "-p", "dual-pascal", "-t", "all", "--json"],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            timeout=60,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def derived(memory: int, cores: int) -> tuple[int, int, int]:
    """Return what is derived: memory limit, threads and quota (no quota: the whole machine)."""
    host = {"memory": memory, "cpu": {"cores": cores, "threads": 2 * cores}}
    decided = plan({"host": host})
    top, quota = decided.service.limit("memory_max"), decided.service.limit("cpu_quota")
    threads = next(s.value for s in decided.service.environment if s.name == "LLAMA_ARG_THREADS")
    return (
        int(top.value) if top else 0,
        int(threads),
        int(quota.value) if quota else 2 * cores * 100,
    )


@given(st.integers(1, 2**41), st.integers(0, 2**40), st.integers(1, 512), st.integers(0, 512))
def test_a_larger_host_never_lowers_a_derived_value(
    memory: int, more_memory: int, cores: int, more_cores: int
) -> None:
    small, large = derived(memory, cores), derived(memory + more_memory, cores + more_cores)
    assert all(less <= more for less, more in zip(small, large, strict=True))
    assert large[0] <= memory + more_memory


def granted(model: str, trained: int, memories: list[int], **ollama: object) -> int:
    """Return the context of a slot: what is set, else what the server takes by itself."""
    gpus = [{"name": "GPU", "memory": memory, "compute_capability": "8.6"} for memory in memories]
    decided = plan({"host": {"gpus": gpus}, "models": [{"name": model}], "ollama": ollama})
    found = [s.value for s in decided.service.environment if s.name == "OLLAMA_CONTEXT_LENGTH"]
    total = sum(memories)
    own = 4096 if total < 23 * GIB else 32768 if total < 47 * GIB else 262144
    return int(found[0]) if found else min(own, trained)


MODELS = {
    "llama3.1:8b": 131072,
    "llama3.3:70b": 131072,
    "qwen2.5:32b": 32768,
    "qwen3-coder:30b": 262144,
    "gemma3:27b": 131072,
    "gpt-oss:120b": 131072,
    "tinyllama:1.1b": 2048,
}
BYTES = st.integers(GIB, 100 * GIB)


@given(
    st.sampled_from(sorted(MODELS)),
    st.lists(st.tuples(BYTES, BYTES), min_size=1, max_size=3),
    st.lists(BYTES, max_size=1),
    st.integers(1, 16),
    st.sampled_from(["f16", "q8_0", "f32"]),
)
def test_more_gpu_memory_never_lowers_the_context(
    model: str, grown: list[tuple[int, int]], added: list[int], slots: int, kind: str
) -> None:
    ollama = {"num_parallel": slots, "kv_cache_type": kind}
    fewer = [less for less, _ in grown]
    more = [less + plus for less, plus in grown] + added
    small = granted(model, MODELS[model], fewer, **ollama)
    large = granted(model, MODELS[model], more, **ollama)
    assert min(4096, MODELS[model]) <= small <= large <= MODELS[model]


@given(st.sampled_from(sorted(MODELS)), BYTES, st.integers(1, 2), st.integers(1, 8))
def test_with_a_derived_context_the_scheduler_leaves_no_layer_to_the_cpu(
    model: str, memory: int, cards: int, slots: int
) -> None:
    gpu = {"name": "GPU", "memory": memory, "compute_capability": "8.6"}
    data = {
        "schema_version": 1,
        "name": "test",
        "host": {"gpus": [gpu] * cards},
        "models": [{"name": model}],
        "ollama": {"num_parallel": slots},
    }
    profile = Profile.model_validate(data, strict=False)
    view = view_of(resolve(profile, load_catalogue(), source="test.toml"))
    facts = facts_at(str(view.release))
    context, fact = view.variable("OLLAMA_CONTEXT_LENGTH"), facts.model(model)
    assert fact is not None
    if context is not None and int(context.value) > 4096:
        shape = shape_of(fact, facts)
        fit = judge(shape, ask_of(view, facts), host_of(view), search=False)
        assert fit.placement.on_gpus == shape.layers + 1


@given(st.integers(1, 128), st.integers(1, 256))
def test_derived_threads_always_fit_the_quota(cores: int, percent: int) -> None:
    host = {"cpu": {"cores": cores, "threads": cores}}
    quota = min(percent * 10, cores * 100)
    decided = plan({"host": host, "resources": {"cpu_quota": f"{quota}%"}})
    threads = next(
        int(s.value) for s in decided.service.environment if s.name == "LLAMA_ARG_THREADS"
    )
    assert threads == 1 or threads * 100 <= quota


def carried(values: dict[str, str]) -> Plan:
    description = " ".join(values.values())
    return plan(
        {
            "description": description,
            "ollama": {"env": values, "port": 8000},
            "threads": {"count": 2},
        }
    )


def check(values: dict[str, str], folder: Path) -> None:
    decided = carried(values)
    for target in TARGETS:
        place = written(target, decided, folder / target)
        found = consumer(target).read(place, decided)
        assert {name: found.environment[name] for name in values} == values, target


@pytest.mark.parametrize("target", [target for target in TARGETS if target != "plan"])
def test_a_value_that_no_consumer_takes_is_refused_by_name(target: str) -> None:
    decided = carried({"BAD": "\ufdd0"})
    with pytest.raises(HostwrightError, match="BAD"):
        load_target(target).render(decided)


def test_hostile_values_come_back_from_every_consumer(tmp_path: Path) -> None:
    check({f"V{index}": text for index, text in enumerate(HOSTILE)}, tmp_path)


@settings(max_examples=8, deadline=None)
@given(batches)
def test_any_text_comes_back_from_every_consumer(
    tmp_path_factory: pytest.TempPathFactory, values: list[str]
) -> None:
    named = {f"V{index}": text for index, text in enumerate(values)}
    check(named, tmp_path_factory.mktemp("any"))
