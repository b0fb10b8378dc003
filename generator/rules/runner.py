"""HW115-HW117: variables of llama-server, which every runner inherits from 0.30 on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from generator.rules.edits import removed, renamed, rewritten
from generator.rules.environment import server_variables
from generator.rules.rule import Hit, Rule, rule
from generator.rules.values import NO, YES, known_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.catalogue.records import Variable as Fact
    from generator.view import View

PREFIX: Final = "LLAMA_ARG_"
# common/arg.cpp and common/common.h of llama.cpp, is_truthy and is_falsey: these, in lower case.
_TRUE: Final = frozenset({"on", "enabled", "true", "1"})
_FALSE: Final = frozenset({"off", "disabled", "false", "0"})
# std::stoi: blanks, a sign, digits; what follows them does not matter to it.
_STOI: Final = re.compile(r"\s*[+-]?\d+", re.ASCII)
_BESIDE_NUMBERS: Final = {f"{PREFIX}N_GPU_LAYERS": frozenset({"auto", "all"})}
_EXITS: Final = "llama-server exits on it"


@dataclass(frozen=True, slots=True)
class ValueFault:
    """What is wrong with a value: `breaks` every load or is misread; `meant` empty: not known."""

    what: str
    breaks: bool = True
    meant: str = ""


def value_fault(name: str, value: str, facts: Facts) -> ValueFault | None:
    """Return what llama-server makes wrong of a value; None: nothing that is known."""
    fact = facts.variable(name)
    read = fact.known if fact else facts.runner_reads(name)
    if not name.startswith(PREFIX) or not read:
        return None
    if name.startswith(f"{PREFIX}NO_") and (fact is None or fact.on_invalid == "presence"):
        told = f"is set by any value, `{value}` too"
        return ValueFault(told, breaks=False) if value.lower() in NO else None
    if fact is not None and (fact.allowed_values or fact.kind in {"bool", "int", "uint"}):
        return _typed_fault(fact, value)
    if name in _BESIDE_NUMBERS:
        return None if value in _BESIDE_NUMBERS[name] else _number_fault(value)
    if name == f"{PREFIX}FIT_TARGET":
        return _list_fault(value)
    return None if value.strip() else ValueFault("is empty, which ends llama-server for most names")


def _typed_fault(fact: Fact, value: str) -> ValueFault | None:
    # No name of llama-server is for one platform alone.
    allowed = fact.allowed("x86_64-linux")
    if allowed is None:
        return _switch_fault(fact, value) if fact.kind == "bool" else _number_fault(value)
    told = f"`{value}` is not one of {', '.join(allowed)}" if value.strip() else "is empty"
    return None if value in allowed else ValueFault(f"{told}: {_EXITS}")


def _switch_fault(fact: Fact, value: str) -> ValueFault | None:
    if value in _TRUE | _FALSE:
        return None
    meant = "1" if value.lower() in YES else "0" if value.lower() in NO else ""
    if fact.on_invalid == "load-fail":
        told = f"`{value}` is neither on nor off" if value.strip() else "is empty"
        return ValueFault(f"{told}: {_EXITS}", meant=meant)
    # A flag that can only be turned on.
    told = f"`{value}` is none of on, enabled, true and 1: it stays off"
    return ValueFault(told, breaks=False, meant=meant) if meant == "1" else None


def _number_fault(value: str) -> ValueFault | None:
    digits = _STOI.match(value)
    told = f"`{value}` is not a whole number" if value.strip() else "is empty"
    if digits is None or abs(int(digits[0])) >= 2**31:
        return ValueFault(f"{told}: {_EXITS}")
    if digits.end() != len(value):
        return ValueFault(f"{told}: only `{digits[0].strip()}` is read", breaks=False)
    return None


def _list_fault(value: str) -> ValueFault | None:
    if "," not in value:
        return _number_fault(value)
    sound = all(_number_fault(part) is None for part in value.split(","))
    return None if sound else ValueFault(f"`{value}` is not a list of whole numbers: {_EXITS}")


@rule(
    "HW115",
    severity="error",
    title="a value that llama-server cannot read",
    why="llama-server reads every LLAMA_ARG_ variable before it does anything else, those too that "
    "its command line overrides. One empty or malformed value ends it, and with it the discovery "
    "of GPUs and the load of every model. After digits it ignores what follows.",
    bad='LLAMA_ARG_N_CPU_MOE=""',
    good="# left out, or a number",
    releases="0.30.0 and later",
    source="llama.cpp common/arg.cpp@4df29be; llm/llama_server.go@v0.32.15:446",
)
def malformed(view: View, facts: Facts) -> Iterator[Hit]:
    """A malformed or empty value ends llama-server wherever it is started."""
    for variable in server_variables(view):
        fault = value_fault(variable.name, variable.value, facts)
        if fault is None or variable.unresolved:
            continue
        if fault.meant:
            fix, edits = f"write `{fault.meant}`", rewritten(view, variable, fault.meant)
        else:
            gone = not fault.what.startswith("`")
            fix = "remove it" if gone else "write a value that it takes, or remove it"
            edits = removed(view, variable) if gone else ()
        yield Hit(
            message=f"{variable.name} {fault.what}"
            + ("; no GPU is found, no model loads" if fault.breaks else ""),
            place=variable.place,
            severity=None if fault.breaks else "warning",
            fix=fix,
            edits=edits,
        )


@rule(
    "HW116",
    severity="warning",
    title="a variable that Ollama's command line overrides",
    why="Ollama starts llama-server with arguments of its own, and an argument wins over its "
    "variable. Context, slots, batches, flash attention and the address come from Ollama's own "
    "settings and requests.",
    bad="LLAMA_ARG_CTX_SIZE=8192",
    good="OLLAMA_CONTEXT_LENGTH=8192",
    releases="0.30.0 and later",
    source="llm/llama_server.go@v0.32.15:376-410,575-621",
)
def overridden(view: View, facts: Facts) -> Iterator[Hit]:
    """What Ollama passes as an argument wins over its variable."""
    for variable, fact in known_variables(view, facts):
        if fact.effective or not fact.name.startswith(PREFIX):
            continue
        use, name = fact.replacement, fact.renamed
        told = fact.effect.removeprefix("Overridden: ").rstrip(".")
        yield Hit(
            message=f"`{variable.name}` has no effect: {told}",
            place=variable.place,
            fix=f"use {use}" if use else "remove it",
            link=fact.source,
            edits=renamed(view, variable, name)
            if name
            else (() if use else removed(view, variable)),
        )


@rule(
    "HW117",
    severity="error",
    title="a variable that breaks every model",
    why="Every runner inherits the environment of the server. A key, a prefix or TLS for "
    "llama-server shuts out Ollama itself, its only client: the health check passes and every "
    "completion fails. A second source of models or another mode replaces what was asked for.",
    bad="LLAMA_API_KEY=secret",
    good="# a proxy that authenticates, before Ollama",
    releases="0.30.0 and later",
    source="llm/llama_server.go@v0.32.15:446; measured on llama-server of b10434",
)
def breaks_every_model(view: View, facts: Facts) -> Iterator[Hit]:
    """Ollama is the only client of llama-server, and knows no key, prefix or TLS."""
    for variable, fact in known_variables(view, facts):
        if fact.dangerous:
            yield Hit(
                message=f"`{variable.name}` breaks every model: {_lowered(fact.effect)}",
                place=variable.place,
                fix="remove it",
                link=fact.source,
                edits=removed(view, variable),
            )


def _lowered(effect: str) -> str:
    return f"{effect[0].lower()}{effect[1:]}".rstrip(".")


RULES: Final[tuple[Rule, ...]] = (malformed, overridden, breaks_every_model)
