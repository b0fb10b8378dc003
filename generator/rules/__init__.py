"""Rules: small pure functions that judge a Plan. One topic per file; RULES is the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules import cpu, gpu, network, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from generator.catalogue import Catalogue
    from generator.errors import Finding
    from generator.plan import Plan
    from generator.profile import Profile

    Rule = Callable[[Plan, Profile, Catalogue], Iterable[Finding]]

RULES: Final[tuple[Rule, ...]] = (
    cpu.threads_above_cores,
    cpu.threads_above_quota,
    cpu.weight_is_the_default,
    gpu.driver_floor,
    gpu.driver_too_new,
    gpu.spread_without_need,
    gpu.context_by_memory,
    network.reachable_from_outside,
    service.warmup_unloaded_at_once,
    service.warmup_beyond_resident,
    service.embedding_warmup,
)
