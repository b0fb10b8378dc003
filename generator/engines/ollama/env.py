"""`ollama.env`: variables without a key of their own, emitted as written and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.names import name_fault
from generator.engines.ollama.rules.helpers.values import value_fault
from generator.engines.ollama.spelling import TYPED_ELSEWHERE
from generator.errors import Problem
from generator.fit.kv import PLAIN
from generator.plan import Setting

if TYPE_CHECKING:
    from generator.engines.base import Case
    from generator.engines.ollama.decision import Decisions


def decide(case: Case) -> Decisions:
    """Emit them; refuse those with a key of their own and those that stop every load."""
    for name, value in case.profile.ollama.env.items():
        where = f"ollama.env.{name}"
        if name in TYPED_ELSEWHERE:
            message = f"`{name}` has a key of its own"
            yield Problem(where, message, f"write {TYPED_ELSEWHERE[name]}")
        elif fault := _misread(case, name, value):
            yield Problem(where, fault, "mend or remove it")
        else:
            yield Setting(
                name=name,
                value=value,
                reason=_reason(case, name),
                source="profile",
                group="environment",
                key=where,
            )


def _misread(case: Case, name: str, value: str) -> str:
    """Return why llama-server would exit on this value, or read another: it parses each first."""
    if fault := value_fault(name, value, case.facts):
        return fault.what + (", and no model would load" if fault.breaks else "")
    variable = case.facts.variable(name)
    if variable is None or not variable.known:
        return ""
    if variable.dangerous:
        return f"breaks every model ({variable.effect.rstrip('.')})"
    flash_attention = case.profile.ollama.flash_attention
    if name in _KV_ARGUMENTS and value not in PLAIN and flash_attention is False:
        message = f"`{value}` needs flash attention, which this profile turns off"
        return f"{message}, and no model would load"
    return ""


_KV_ARGUMENTS: Final = ("LLAMA_ARG_CACHE_TYPE_K", "LLAMA_ARG_CACHE_TYPE_V")


def _reason(case: Case, name: str) -> str:
    """Return the comment of a variable that is emitted as written; rules say what is wrong."""
    fault = name_fault(name, case.facts)
    variable = case.facts.variable(name)
    if fault is not None and fault.rule != "HW104":
        return f"Not read by Ollama {case.facts.release}: {fault.what}; as the profile has it."
    if variable is not None:
        return variable.effect
    if case.facts.runner_reads(name):
        return "Read by llama-server, for every model; as the profile has it."
    return "As the profile has it; not a variable this catalogue knows."
