"""Derive the tuning of a machine: RULES in the order of the profile's keys.

A rule is a pure function of the Situation. It returns a value with its reason, or why the key is
left out: what `resolve` or the server decides well is not decided twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.detect import by_cpu, by_gpu, by_memory
from generator.detect.situation import Choice, LeftOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from generator.detect.situation import Situation

    Answer = Choice | LeftOut | tuple[Choice, ...] | None

_DEFAULT_BINARY: Final = "/usr/local/bin/ollama"


def version(at: Situation) -> Choice | LeftOut:
    """The installed release, if the Catalogue has facts about it."""
    if at.asked:
        young = "" if at.facts.known else "; the catalogue does not know it"
        return Choice("ollama.version", at.asked, f"the release that this was asked for{young}.")
    there = at.found.ollama.version
    if there and str(at.facts.release) == there and at.facts.known:
        return Choice("ollama.version", there, "the release that is installed.")
    if there:
        return LeftOut("ollama.version", f"{there} is installed, which is not known; newest known.")
    return LeftOut("ollama.version", "none is installed; the newest known.")


def keep_alive(at: Situation) -> Choice | None:
    """A model on a spinning disk takes minutes to load again."""
    if at.found.disk.kind != "hdd":
        return None
    reason = "models lie on a spinning disk, from which 8 GB take a minute; the default is 5m"
    return Choice("ollama.keep_alive", "1h", f"{reason}.")


def binary(at: Situation) -> Choice | None:
    """The program, where it is not the official installer's place."""
    there = at.found.ollama
    if there.kind == "nixos" or there.binary in {"", _DEFAULT_BINARY}:
        return None
    return Choice("service.binary", there.binary, "where it is installed.")


RULES: Final[tuple[Callable[[Situation], Answer], ...]] = (
    version,
    by_gpu.acceleration,
    by_memory.context_length,
    by_memory.num_parallel,
    by_memory.max_loaded_models,
    by_memory.kv_cache_type,
    by_gpu.flash_attention,
    keep_alive,
    by_memory.prompt_cache,
    by_cpu.cpu_quota,
    by_memory.memory_max,
    by_memory.swap,
    by_cpu.numa,
    by_cpu.threads,
    by_gpu.visible_devices,
    binary,
    by_gpu.resume_fix,
)


def derive(at: Situation) -> tuple[Choice | LeftOut, ...]:
    """Return what each rule has to say, in order."""
    answers: list[Choice | LeftOut] = []
    for rule in RULES:
        found = rule(at)
        if isinstance(found, tuple):
            answers += found
        elif found is not None:
            answers.append(found)
    return tuple(answers)
