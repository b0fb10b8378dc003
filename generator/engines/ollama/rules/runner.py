"""HW115, HW116 and HW117: variables of llama-server, which every runner inherits from 0.30 on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines.ollama.rules.helpers.runner import PREFIX, value_fault
from generator.rules.helpers.edits import removed, renamed, rewritten
from generator.rules.helpers.variables import known_variables, server_variables
from generator.rules.rule import Hit, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import View


@Rule(
    id="HW115",
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


@Rule(
    id="HW116",
    severity="warning",
    title="a variable that Ollama's command line overrides",
    why="Ollama starts llama-server with arguments, which win over variables: context, slots, "
    "batches, flash attention and the address come from Ollama's own settings and requests.",
    bad="LLAMA_ARG_CTX_SIZE=8192",
    good="OLLAMA_CONTEXT_LENGTH=8192",
    releases="0.30.0 and later",
    source="llm/llama_server.go@v0.32.15:376-410,575-621",
)
def overridden(view: View, facts: Facts) -> Iterator[Hit]:
    for variable, fact in known_variables(view, facts):
        if fact.effective or not fact.name.startswith(PREFIX):
            continue
        use, name = fact.replacement, fact.renamed
        message = fact.effect.removeprefix("Overridden: ").rstrip(".")
        yield Hit(
            message=f"`{variable.name}` has no effect: {message}",
            place=variable.place,
            fix=f"use {use}" if use else "remove it",
            link=fact.source,
            edits=renamed(view, variable, name)
            if name
            else (() if use else removed(view, variable)),
        )


@Rule(
    id="HW117",
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
