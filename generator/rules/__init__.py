"""Rules: small pure functions that judge a View. One topic per file; RULES is the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules import (
    addresses,
    capacity,
    container,
    cpu,
    devices,
    directives,
    effects,
    environment,
    files,
    flash_attention,
    gpu,
    limits,
    memory,
    network,
    prompt_cache,
    quoting,
    reserved,
    runner,
    security,
    service,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from generator.catalogue.facts import Facts
    from generator.rules.rule import Rule
    from generator.view import Placed, View

RULES: Final[tuple[Rule, ...]] = (
    *environment.RULES,
    *values.RULES,
    *addresses.RULES,
    *quoting.RULES,
    *runner.RULES,
    *effects.RULES,
    *cpu.RULES,
    *memory.RULES,
    *prompt_cache.RULES,
    *limits.RULES,
    *gpu.RULES,
    *devices.RULES,
    *flash_attention.RULES,
    *reserved.RULES,
    *network.RULES,
    *security.RULES,
    *service.RULES,
    *capacity.RULES,
    *container.RULES,
    *files.RULES,
    *directives.RULES,
)
_RANKS: Final = {"error": 0, "warning": 1, "info": 2}


def judge(view: View, facts: Facts, rules: Iterable[Rule] = RULES) -> tuple[Placed, ...]:
    """Return what the rules have to say about a View, worst first, then by rule and place."""
    return ordered([placed for rule in rules for placed in rule.judge(view, facts)])


def ordered(found: Sequence[Placed]) -> tuple[Placed, ...]:
    """Return each once, worst first, then by rule and place."""
    return tuple(sorted(dict.fromkeys(found), key=_rank))


def _rank(placed: Placed) -> tuple[object, ...]:
    finding, place = placed.finding, placed.place
    return (_RANKS[finding.severity], finding.rule, place.file, place.line, finding.where)
