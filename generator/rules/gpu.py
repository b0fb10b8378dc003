"""HW3xx: drivers, placement and what a large memory does to defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue import Catalogue
    from generator.facts import GpuGeneration
    from generator.plan import Plan
    from generator.profile import Profile

# server/routes.go@v0.32.15:2047-2057: from here on an unset context length is 262144 tokens.
LARGE_MEMORY = 47 * 2**30


def _generations(plan: Plan, catalogue: Catalogue) -> list[GpuGeneration]:
    gpus = plan.devices.gpus if plan.devices else ()
    found = (catalogue.generation(g.compute_capability) for g in gpus if g.compute_capability)
    return [generation for generation in found if generation is not None]


def _driver_major(profile: Profile) -> int | None:
    major = profile.host.driver.partition(".")[0]
    return int(major) if major else None


def driver_floor(plan: Plan, profile: Profile, catalogue: Catalogue) -> Iterator[Finding]:
    """HW301: below the floor of the release the server computes on the CPU."""
    release = catalogue.facts_release(catalogue.release(plan.release))
    major = _driver_major(profile)
    floors = [(g.driver_floor_in(release), g) for g in _generations(plan, catalogue)]
    if major is None or not floors:
        return
    floor, generation = max(floors, key=lambda pair: pair[0])
    if major < floor:
        yield Finding(
            rule="HW301",
            severity="warning",
            message=f"driver {profile.host.driver} is too old for Ollama {plan.release} on "
            f"{generation.name}, which asks for {floor}; the server would compute on the CPU",
            where="host.driver",
            fix=f"install driver {floor} or newer",
            link=generation.source,
        )


def driver_too_new(plan: Plan, profile: Profile, catalogue: Catalogue) -> Iterator[Finding]:
    """HW302: NVIDIA drops old generations from its drivers."""
    major = _driver_major(profile)
    for generation in dict.fromkeys(_generations(plan, catalogue)):
        last = generation.last_driver
        if major is not None and last is not None and major > last:
            yield Finding(
                rule="HW302",
                severity="warning",
                message=f"driver {profile.host.driver} does not know {generation.name} any more",
                where="host.driver",
                fix=f"install the {last} branch",
                link=generation.source,
            )


def spread_without_need(plan: Plan, _profile: Profile, _: Catalogue) -> Iterator[Finding]:
    """HW303: spreading forces a split, also of a model that one card holds."""
    spread = any(s.name == "OLLAMA_SCHED_SPREAD" and s.value == "1" for s in plan.environment)
    if spread and plan.devices is not None:
        yield Finding(
            rule="HW303",
            severity="info",
            message="spreading also splits a model that one GPU could hold: more memory in all, "
            "and a hop between the cards at every token",
            where="ollama.sched_spread",
            fix="leave it out: the server splits what does not fit on one GPU",
            link="server/sched.go@v0.32.15:1064",
        )


def context_by_memory(plan: Plan, _profile: Profile, catalogue: Catalogue) -> Iterator[Finding]:
    """HW304: on a large GPU memory an unset context length is the largest tier."""
    release = catalogue.facts_release(catalogue.release(plan.release))
    memory = sum(gpu.memory for gpu in plan.devices.gpus) if plan.devices else 0
    explicit = any(s.name == "OLLAMA_CONTEXT_LENGTH" for s in plan.environment)
    if explicit or memory < LARGE_MEMORY or not catalogue.behaves("context-by-memory", release):
        return
    yield Finding(
        rule="HW304",
        severity="warning",
        message="without a context length the server takes 262144 tokens per slot on this much "
        "GPU memory",
        where="ollama.context_length",
        fix="write the context that you need, like `context_length = 8192`",
        link=catalogue.behaviour("context-by-memory").source,
    )
