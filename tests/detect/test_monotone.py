"""More memory never lowers a value that takes memory, as it is written: by small and big steps."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from generator.catalogue.catalogue import load_catalogue
from generator.detect.derive import derive
from generator.detect.profile import profile_text
from generator.detect.situation import situation_of
from generator.profiles.schema import Profile
from generator.resolve import resolve
from tests.detect.test_derive import box

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.detect.detected import Detected

GIB = 2**30
WHOLE = [*range(2, 65), *range(66, 257, 2)]
SIZES = sorted({*WHOLE, *(number / 4 for number in range(2 * 4, 64 * 4))})
"""In GiB: each quarter, and from 64 on every other whole one."""


def unified(size: float) -> Detected:
    found = box(size, cards=(size,), card="12.1")
    return replace(found, gpus=tuple(replace(gpu, unified=True) for gpu in found.gpus))


# By the size of the host; by that of one card beside it, and of each of four.
KINDS: dict[str, Callable[[float], Detected]] = {
    "cpu": box,
    "one card": lambda size: box(size, cards=(24,)),
    "four cards": lambda size: box(size, cards=(8, 8, 8, 8)),
    "card": lambda size: box(64, cards=(size,)),
    "cards": lambda size: box(256, cards=(size,) * 4),
    "unified": unified,
}


def used(found: Detected, release: str) -> dict[str, int]:
    """Return what is written, in bytes and numbers; for what is left out, what the server takes."""
    at = situation_of(found, load_catalogue(), release)
    data = tomllib.loads(profile_text(at, derive(at), name="box"))
    profile = Profile.model_validate(data, strict=False)
    gpu_memory = sum(gpu.memory for gpu in found.gpus)
    own = 262144 if gpu_memory >= 47 * GIB else 32768 if gpu_memory >= 23 * GIB else 4096
    cache = data["ollama"].get("prompt_cache", "8192MiB")
    numbers = {
        "prompt_cache": int(str(cache).removesuffix("MiB")),
        "context_length": profile.ollama.context_length or own,
        "max_loaded_models": profile.ollama.max_loaded_models or 3,
    }
    plan = resolve(profile, load_catalogue(), source="box")
    bounds = {limit.name: limit.value for limit in plan.service.limits}
    assert "memory_high" not in bounds
    # Below 4 GiB nothing is bounded.
    memory_max = bounds.get("memory_max", 0)
    assert isinstance(memory_max, int)
    return {**numbers, "memory_max": memory_max}


@pytest.mark.parametrize(
    ("release", "sizes"), [("0.24.0", WHOLE), ("0.32.15", SIZES)], ids=["0.24.0", "0.32.15"]
)
@pytest.mark.parametrize("kind", KINDS)
def test_no_step_lowers_anything(kind: str, release: str, sizes: list[float]) -> None:
    before: dict[str, int] = {}
    for size in sizes:
        after = used(KINDS[kind](size), release)
        fallen = {key: (before[key], after[key]) for key in before if after[key] < before[key]}
        assert not fallen, f"{size} GiB: {fallen}"
        before = after


def test_a_machine_of_16_gb_has_the_cache_of_its_neighbours() -> None:
    sizes = (7.75, 14.75, 15, 15.5, 15.75, 16, 17.75, 18)
    caches = [used(box(size), "0.32.15")["prompt_cache"] for size in sizes]
    assert caches == [512, 512, 512, 512, 512, 512, 512, 1024]
