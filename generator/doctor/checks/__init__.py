"""The checks, in the order in which one fault explains the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.doctor.checks import gpu, log, machine, models, server, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from generator.doctor.result import Result
    from generator.doctor.symptoms import Symptoms

CHECKS: Final[tuple[Callable[[Symptoms], Iterator[Result]], ...]] = (
    server.answers,
    server.one_server,
    gpu.seen_by_the_server,
    gpu.used,
    gpu.memory_module,
    gpu.driver,
    gpu.vulkan,
    gpu.container,
    gpu.clocks,
    models.reach,
    models.protected,
    models.disk,
    models.space,
    models.there,
    machine.memory,
    machine.ended,
    machine.processor,
    settings.stale,
    settings.at_odds,
    settings.keep_alive,
    log.lines,
)
