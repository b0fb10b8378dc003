"""Derive the tuning of a machine: RULES in the order of the profile's keys.

A rule is a pure function of the Situation. It returns a value with its reason, or why the key is
left out: what `resolve` or the server decides well is not decided twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.detect import by_cpu, by_gpu, by_memory, by_service

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.detect.choice import Choice, Left
    from generator.detect.situation import Situation

    Told = Choice | Left | tuple[Choice, ...] | None

RULES: Final[tuple[Callable[[Situation], Told], ...]] = (
    by_service.version,
    by_gpu.acceleration,
    by_memory.context_length,
    by_memory.num_parallel,
    by_memory.max_loaded_models,
    by_memory.kv_cache_type,
    by_gpu.flash_attention,
    by_service.keep_alive,
    by_memory.prompt_cache,
    by_cpu.cpu_quota,
    by_memory.memory_max,
    by_memory.swap,
    by_cpu.numa,
    by_cpu.threads,
    by_gpu.visible_devices,
    by_service.binary,
    by_gpu.resume_fix,
)


def derive(at: Situation) -> tuple[Choice | Left, ...]:
    """Return what each rule has to say, in order."""
    told: list[Choice | Left] = []
    for rule in RULES:
        found = rule(at)
        if isinstance(found, tuple):
            told += found
        elif found is not None:
            told.append(found)
    return tuple(told)
