"""Rules of derivation: monotone, bounded, and what an expert would write."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.catalogue.catalogue import load_catalogue
from generator.detect.derive import RULES, derive
from generator.detect.detect import fitted
from generator.detect.detected import (
    Bound,
    Bounds,
    Cpu,
    Detected,
    Gpu,
    Install,
    Memory,
    Product,
    System,
    Usable,
)
from generator.detect.profile import rounded
from generator.detect.situation import Choice, situation_of
from generator.profiles.load import read_document
from generator.profiles.validate import validate
from tests.detect.machines import machine

GIB = 2**30
RELEASES = ["0.5.7", "0.9.2", "0.13.5", "0.24.0", "0.32.15"]


def box(
    memory: float = 64,
    cores: int = 8,
    *,
    fast: int = 0,
    cards: tuple[float, ...] = (),
    card: str = "8.6",
    quota: int = 0,
    chassis: str = "",
    hypervisor: str = "",
    threads: int = 0,
) -> Detected:
    """Return a machine with GPUs of so many GiB and one compute capability."""
    size = int(memory * GIB)
    return Detected(
        cpu=Cpu("A CPU", "x86_64", cores=cores, threads=threads or cores, performance_cores=fast),
        memory=Memory(size, size),
        bounds=Bounds(quota=Bound(quota, "/sys/fs/cgroup/cpu.max") if quota else None),
        usable=Usable(cores, threads or cores, fast, size),
        gpus=tuple(
            Gpu("nvidia", "A GPU", f"0000:0{n}:00.0", int(gib * GIB), None, f"GPU-{n}", card)
            for n, gib in enumerate(cards)
        ),
        product=Product(chassis=chassis),  # type: ignore[arg-type]
        system=System(hypervisor=hypervisor),
    )


def chosen(found: Detected, release: str | None = None) -> dict[str, object]:
    told = derive(situation_of(found, load_catalogue(), release))
    return {choice.key: choice.value for choice in told if isinstance(choice, Choice)}


def used(found: Detected, release: str) -> dict[str, int]:
    """Return what the memory is used for, the server's defaults where nothing is set."""
    there = chosen(found, release)
    gib = sum(gpu.memory for gpu in found.gpus) / GIB
    by_memory = release in {"0.24.0", "0.32.15"}
    own = 4096 if release != "0.5.7" else 2048
    if by_memory and gib >= 23:
        own = 32768 if gib < 47 else 262144
    cache = str(there.get("ollama.prompt_cache", "8192MiB")).removesuffix("MiB")
    numbers = {
        "context": there.get("ollama.context_length", own),
        "slots": there.get("ollama.num_parallel", 1),
        "models": there.get("ollama.max_loaded_models", 3),
        "cache": int(cache),
        "kv": 1 if there.get("ollama.kv_cache_type") == "q8_0" else 2,
    }
    return {key: value for key, value in numbers.items() if isinstance(value, int)}


SIZES = st.floats(0.25, 2000)


@given(SIZES, SIZES, st.sampled_from(RELEASES))
def test_more_memory_never_lowers_a_value_on_a_cpu(a: float, b: float, release: str) -> None:
    less, more = (used(box(size), release) for size in sorted((a, b)))
    assert all(less[key] <= more[key] for key in less), (less, more)


@given(SIZES, SIZES, SIZES, SIZES, st.integers(1, 4), st.sampled_from(RELEASES))
def test_more_memory_never_lowers_a_value_on_gpus(
    a: float, b: float, c: float, d: float, count: int, release: str
) -> None:
    (small, large), (little, much) = sorted((a, b)), sorted((c, d))
    less = used(box(little, cards=(small,) * count), release)
    more = used(box(much, cards=(large,) * count), release)
    assert all(less[key] <= more[key] for key in less), (less, more)


def thread_count(found: Detected) -> int:
    """Return the threads on a CPU: those named, otherwise one per core of the profile."""
    named = chosen(found).get("threads.count", found.usable.cores)
    assert isinstance(named, int)
    return named


CORES = st.integers(1, 256)


@given(CORES, CORES, st.integers(0, 30_000))
def test_more_cores_never_lower_the_threads(a: int, b: int, quota: int) -> None:
    less, more = sorted((a, b))
    fewer = thread_count(box(cores=less, quota=quota))
    # A quota of just all CPUs bounds nothing; beside more CPUs it does, and the server needs time.
    taken = quota == less * 100 and less < more
    assert fewer - taken <= thread_count(box(cores=more, quota=quota))


@pytest.mark.parametrize("cards", [(), (24,)])
@pytest.mark.parametrize(
    ("percent", "threads", "written"),
    [
        # The server itself wants time too: four threads would use up 400%.
        (400, 3, "400%"),
        (401, 4, "401%"),
        (250, 2, "250%"),
        (150, 1, "150%"),
        # No thread count suits such a quota.
        (100, 1, None),
        (50, 1, None),
        # It holds all eight cores and a rest.
        (850, None, "850%"),
        (1600, None, None),
    ],
)
def test_threads_leave_the_server_time_within_a_quota(
    cards: tuple[float, ...], percent: int, threads: int | None, written: str | None
) -> None:
    there = chosen(box(cores=8, threads=16, quota=percent, cards=cards))
    assert there.get("threads.count") == threads
    assert there.get("resources.cpu_quota") == written


@given(st.integers(1, 64), st.integers(1, 64), st.integers(1, 64), st.integers(0, 9000))
def test_more_fast_or_slow_cores_never_lower_the_threads(
    fast: int, slow: int, more: int, quota: int
) -> None:
    base = thread_count(box(cores=fast + slow, fast=fast, quota=quota))
    faster = thread_count(box(cores=fast + more + slow, fast=fast + more, quota=quota))
    slower = thread_count(box(cores=fast + slow + more, fast=fast, quota=quota))
    assert base <= faster
    assert base <= slower


@given(CORES, st.integers(1, 30_000))
def test_a_quota_is_never_exceeded_and_never_above_the_machine(cores: int, quota: int) -> None:
    there = chosen(box(cores=cores, quota=quota))
    told = there.get("resources.cpu_quota")
    assert told == (f"{quota}%" if 100 < quota < cores * 100 else None)
    count = thread_count(box(cores=cores, quota=quota))
    # Some of the quota is left to the server.
    assert count == 1 or count * 100 < quota


@given(st.integers(1, 2**50), st.integers(1, 2**50))
def test_rounding_goes_down_and_keeps_the_order(a: int, b: int) -> None:
    assert rounded(a) <= a
    assert rounded(min(a, b)) <= rounded(max(a, b))


@pytest.mark.parametrize(
    ("memory", "context", "models", "cache"),
    [
        (2, None, 1, "256MiB"),
        # The server's own 4096 tokens: 8192 would leave nothing beside an 8B model.
        (7.7, None, 1, "512MiB"),
        (11.6, 8192, 1, "512MiB"),
        (15.4, 8192, 2, "512MiB"),
        (16, 8192, 2, "512MiB"),
        (23, 8192, 2, "1024MiB"),
        (31.2, 8192, None, "1024MiB"),
        (62.6, 16384, None, None),
        (251, 16384, None, None),
    ],
)
def test_a_cpu_by_its_memory(
    memory: float, context: int | None, models: int | None, cache: str | None
) -> None:
    there = chosen(box(memory), "0.32.15")
    assert there.get("ollama.context_length") == context
    assert there.get("ollama.max_loaded_models") == models
    assert there.get("ollama.prompt_cache") == cache
    assert "ollama.num_parallel" not in there


@pytest.mark.parametrize(
    ("cards", "context", "slots", "kv"),
    [
        ((6,), None, None, "q8_0"),
        ((8,), 8192, None, "q8_0"),
        ((12,), 8192, None, None),
        ((16,), 16384, None, None),
        # What the server takes by itself from 23 GiB on.
        ((23.6,), None, None, None),
        ((23.6, 23.6), 32768, 2, None),
        ((95,), 32768, 4, None),
        ((80, 80, 80, 80), 65536, 4, None),
    ],
)
def test_gpus_by_their_memory(
    cards: tuple[float, ...], context: int | None, slots: int | None, kv: str | None
) -> None:
    there = chosen(box(512, cards=cards), "0.32.15")
    assert there.get("ollama.context_length") == context
    assert there.get("ollama.num_parallel") == slots
    assert there.get("ollama.kv_cache_type") == kv


@pytest.mark.parametrize(
    ("capability", "release", "kv"),
    [
        ("6.1", "0.32.15", None),  # kernels, but no tensor cores
        ("8.9", "0.32.15", "q8_0"),
        ("8.9", "0.24.0", None),  # whether it comes about depends on the model
        ("", "0.32.15", None),  # a card that is not known
    ],
)
def test_a_quantised_cache_needs_a_card_and_a_release_for_it(
    capability: str, release: str, kv: str | None
) -> None:
    assert chosen(box(cards=(8,), card=capability), release).get("ollama.kv_cache_type") == kv


@pytest.mark.parametrize(
    ("chassis", "hypervisor", "fix"),
    [
        ("desktop", "", True),
        ("laptop", "", True),
        ("server", "", False),
        ("desktop", "KVM", False),
        ("", "", None),
    ],
)
def test_what_sleeps_is_mended(chassis: str, hypervisor: str, fix: bool | None) -> None:
    there = chosen(box(cards=(24,), chassis=chassis, hypervisor=hypervisor))
    assert there.get("service.resume_fix") is fix


def test_cards_that_are_alike_are_not_pinned() -> None:
    # One that is replaced has another UUID, and would be left out without a word.
    assert "gpu.visible_devices" not in chosen(box(cards=(8, 8)))
    assert left(box(cards=(8, 8)), "gpu.visible_devices") == (
        "all 2, also one that replaces another: they are alike."
    )


def test_cards_that_differ_go_by_uuid_and_one_by_nothing() -> None:
    assert chosen(box(cards=(8, 6)))["gpu.visible_devices"] == ["GPU-0", "GPU-1"]
    assert "gpu.visible_devices" not in chosen(box(cards=(8,)))


def test_a_card_without_a_uuid_leaves_them_all() -> None:
    found = box(cards=(8, 6))
    nameless = replace(found, gpus=(found.gpus[0], replace(found.gpus[1], uuid="")))
    assert "gpu.visible_devices" not in chosen(nameless)


def left(found: Detected, key: str) -> str:
    told = derive(situation_of(found, load_catalogue()))
    return next(item.reason for item in told if item.key == key)


def test_why_no_card_is_named_says_which_are_used() -> None:
    key, radeon = "gpu.visible_devices", replace(box(), gpus=machine("radeon").gpus)
    assert (
        left(radeon, key) == "the server takes AMD Radeon RX 7900 XTX by itself, and none beside."
    )
    assert left(box(cards=(8,)), key) == "all that there are."
    assert left(box(), key) == "no GPU computes."


@pytest.mark.parametrize(
    ("memory", "held"),
    [(4, "4 GiB hold one small model"), (8, "8 GiB hold one 8B model"), (16, "2 models of 8B")],
)
def test_how_many_models_a_memory_holds_is_told(memory: float, held: str) -> None:
    assert held in left(box(memory), "ollama.max_loaded_models")


def test_whole_gpus_go_before_slices() -> None:
    found = box(cards=(80, 40))
    mixed = replace(found, gpus=(found.gpus[0], replace(found.gpus[1], mig=True)))
    assert len(situation_of(mixed, load_catalogue()).gpus) == 1


def test_a_gpu_host_in_a_small_cpuset_is_told_its_threads() -> None:
    found = box(cards=(24,), cores=32)
    bounded = replace(found, usable=replace(found.usable, cores=4, threads=8))
    assert chosen(bounded)["threads.count"] == 4
    assert "threads.count" not in chosen(found)


@pytest.mark.parametrize(
    ("installed", "asked", "version"),
    [
        ("0.24.0", None, "0.24.0"),
        ("0.24.0", "0.32", "0.32"),
        ("", None, None),
        ("99.0.0", None, None),
        ("0.0.0", None, None),
    ],
)
def test_the_release(installed: str, asked: str | None, version: str | None) -> None:
    found = replace(box(), ollama=Install(version=installed))
    assert chosen(found, asked).get("ollama.version") == version


def test_a_gpu_that_is_not_used_is_named_with_the_cause() -> None:
    cards = (
        Gpu("nvidia", "RTX 9999", "0000:01:00.0"),
        Gpu("amd", "AMD Radeon gfx1036", "", 2 * GIB, target="gfx1036", unified=True),
        Gpu("intel", "Intel GPU 56a0", "0000:03:00.0", fault="it is from Intel"),
    )
    told = derive(situation_of(replace(box(), gpus=cards), load_catalogue()))
    reason = next(choice.reason for choice in told if choice.key == "ollama.acceleration")
    assert reason == (
        "no GPU can be used: RTX 9999: its memory is not known; AMD Radeon gfx1036: the processor "
        "that it is in computes as fast, or it is not known; Intel GPU 56a0: it is from Intel."
    )


def test_every_rule_has_a_reason_to_be() -> None:
    assert all(rule.__doc__ for rule in RULES)
    assert len(set(RULES)) == len(RULES)


@pytest.mark.parametrize(("memory", "limit"), [(6, "4G"), (16, "14G"), (24, None)])
def test_a_limit_beyond_this_machine_leaves_the_system_its_share(
    memory: int, limit: str | None
) -> None:
    at = situation_of(box(memory), load_catalogue())
    base = validate(read_document("xeon-cpu", ["resources.memory_max=20G"]))
    values = {choice.key: choice.value for choice in fitted(at, base, derive(at))}
    assert values.get("resources.memory_max") == limit
