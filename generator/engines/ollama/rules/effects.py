"""HW106, HW107, HW114 to HW117, HW121: variables whose effect hangs on the release, or is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.rules.helpers.values import PREFIX, digits_of, value_fault
from generator.fit.kv import PLAIN
from generator.meaning import cleaned, truthy
from generator.rules.helpers.variables import (
    known_variables,
    removed,
    renamed,
    rewritten,
    server_variables,
)
from generator.rules.rule import Hit, Hits, Rule
from generator.units import MIB, whole

if TYPE_CHECKING:
    from generator.catalogue.facts import Facts
    from generator.errors import Severity
    from generator.view import Variable, View


_LIBRARY: Final = "OLLAMA_LLM_LIBRARY"
_KV_TYPE: Final = "OLLAMA_KV_CACHE_TYPE"
_FLASH: Final = "OLLAMA_FLASH_ATTENTION"
_OVERHEAD: Final = "OLLAMA_GPU_OVERHEAD"
_SYSTEMS: Final = ("x86_64-linux", "aarch64-linux")


@Rule(
    id="HW106",
    severity="error",
    deviates=True,
    title="a compute library that the release does not have",
    why="OLLAMA_LLM_LIBRARY is the name of a directory under lib/ollama, and those change with "
    "releases. Up to 0.12.3 an unknown name is ignored. From 0.12.4 on it leaves the CPU alone, "
    "which only the debug log tells. No release since 0.5.8 has one for a kind of CPU.",
    bad="OLLAMA_LLM_LIBRARY=cuda",
    good="# left out: the server finds the library by itself",
    source="discover/runner.go@v0.32.15:67,100; llm/server.go@v0.12.3:243; ollama#13069",
)
def library_unknown(view: View, facts: Facts) -> Hits:
    variable, fact = view.variable(_LIBRARY), facts.variable(_LIBRARY)
    name = cleaned(variable.value) if variable else ""
    # A profile for a CPU may name what it likes; `resolve` says what that does.
    if variable is None or variable.unresolved or fact is None or not name:
        return
    if view.acceleration == "cpu":
        return
    if name.startswith("mlx_") and facts.behaves("mlx-names-pass"):
        return
    systems = (view.host.system,) if view.host.system in _SYSTEMS else _SYSTEMS
    there = dict.fromkeys(n for system in systems for n in fact.allowed(system) or ())
    if name in there or not there:
        return
    strict = facts.behaves("llm-library-strict")
    meant_cpu = name.partition("_")[0] == "cpu"
    effect = "computes on the CPU alone" if strict else "ignores it"
    fix = "leave it out: the server finds its library"
    yield Hit(
        message=f"Ollama {view.release} has no library `{name}`, and {effect}",
        place=variable.place,
        severity="info" if meant_cpu or not strict else None,
        fix=f"{fix}; for the CPU alone write CUDA_VISIBLE_DEVICES=-1" if meant_cpu else fix,
        # Without it, a host with a GPU would use it.
        edits=() if meant_cpu and strict else removed(view, variable),
    )


@Rule(
    id="HW107",
    deviates=True,
    title="a KV cache type that does not come about",
    why="A quantised KV cache needs flash attention. Without it, releases up to 0.24 warn in the "
    "log and keep f16; from 0.30 on every load fails. From 0.13.4 to 0.24 most models want "
    "OLLAMA_FLASH_ATTENTION=1 for it, whatever the release turns on by itself.",
    bad="OLLAMA_KV_CACHE_TYPE=q8_0\nOLLAMA_FLASH_ATTENTION=0",
    good="OLLAMA_KV_CACHE_TYPE=q8_0\nOLLAMA_FLASH_ATTENTION=1",
    releases="0.5.0 and later",
    source="llm/server.go@v0.24.0:237-243; llm/llama_server.go@v0.32.15:394-396",
)
def kv_type_in_vain(view: View, facts: Facts) -> Hits:
    for name in (_KV_TYPE, "LLAMA_ARG_CACHE_TYPE_V"):
        variable, fact = view.variable(name), facts.variable(name)
        kind = cleaned(variable.value).lower() if variable else ""
        if variable is None or variable.unresolved or fact is None or not (kind and fact.known):
            continue
        allowed = fact.allowed(_SYSTEMS[0]) or ()
        if kind in allowed and kind not in PLAIN:
            yield from _without_flash_attention(view, facts, variable, kind)
        elif kind not in allowed and name == _KV_TYPE:  # HW115 has the other
            severity, effect = _in_vain(facts)
            yield Hit(
                message=f"`{kind}` is no KV cache type of Ollama {view.release}: {effect}",
                place=variable.place,
                severity=severity,
                fix=f"one of {', '.join(allowed)}",
            )


def _in_vain(facts: Facts) -> tuple[Severity | None, str]:
    """Return how bad it is that a type does not come about, and what follows from it."""
    fails = facts.behaves("kv-type-load-error")
    return ("error", "every load fails") if fails else (None, "the cache stays f16")


def _without_flash_attention(view: View, facts: Facts, variable: Variable, kind: str) -> Hits:
    asked = view.variable(_FLASH)
    word = cleaned(asked.value) if asked else ""
    if truthy(word) or (not word and variable.name != _KV_TYPE):
        return
    if word:
        severity, effect = _in_vain(facts)
        message, fix = f"which is turned off: {effect}", f"remove {_FLASH}, or write `f16`"
    else:
        (severity, message), fix = _by_default(facts), f"add {_FLASH}=1"
    yield Hit(
        message=f"`{kind}` needs flash attention, {message}",
        place=variable.place,
        severity=severity,
        fix=fix,
    )


def _by_default(facts: Facts) -> tuple[Severity, str]:
    """Return how bad it is that nobody turns flash attention on, and what follows from it."""
    fact = facts.variable(_FLASH)
    if facts.behaves("kv-type-load-error"):
        return "info", "and every load fails where the release does not turn it on by itself"
    if facts.behaves("kv-type-asks-for-flash-attention"):
        return "warning", "and most models of this release keep f16 until it is turned on by hand"
    if fact is not None and fact.default == "auto":
        return "warning", "which this release turns on for a few models only: others keep f16"
    return "warning", "which is off by default: the cache stays f16"


@Rule(
    id="HW114",
    title="GPU memory that is not kept free",
    why="From 0.30 on llama-server places GGUF models and does not read OLLAMA_GPU_OVERHEAD: it "
    "leaves LLAMA_ARG_FIT_TARGET MiB free on every device, 1024 unless told otherwise. The server "
    "still takes it off the GPU memory by which it chooses a context where none is set: without "
    "it that may be eight times as long, so --fix then leaves it.",
    bad="OLLAMA_GPU_OVERHEAD=2147483648",
    good="LLAMA_ARG_FIT_TARGET=2048",
    releases="0.30.0 and later",
    source="server/sched.go@v0.32.15:616-624; server/routes.go@v0.32.15:2043-2057; ollama#12223",
)
def overhead_in_vain(view: View, facts: Facts) -> Hits:
    variable, fact = view.variable(_OVERHEAD), facts.variable(_OVERHEAD)
    if variable is None or fact is None or fact.works or not fact.known:
        return
    word = cleaned(variable.value)
    if word in {"", "0"} or variable.unresolved:  # It asks for nothing, or nobody knows.
        return
    size = int(digits_of(word, fact) or 0)
    mib = -(-size // MIB)
    # A smaller margin than the default is not what anybody asks for who keeps memory free.
    free = facts.default_number("LLAMA_ARG_FIT_TARGET")
    wanted = mib > free and view.lacks("LLAMA_ARG_FIT_TARGET")
    fix = f"write LLAMA_ARG_FIT_TARGET={mib}" if wanted else f"remove it: {free} MiB stay free"
    message = f"{_OVERHEAD} keeps nothing free since {fact.effective_until}"
    lowers = bool(whole(word)) and _by_memory(view, facts)
    if lowers:
        message += ", but lowers the GPU memory by which the context is chosen"
        fix += "; write OLLAMA_CONTEXT_LENGTH first, or the context may grow"
    edits = rewritten(view, variable, str(mib), "LLAMA_ARG_FIT_TARGET")
    yield Hit(
        message=message,
        place=variable.place,
        fix=fix if size else "write LLAMA_ARG_FIT_TARGET=<MiB per device>",
        link=fact.source,
        edits=() if lowers or not size else edits if wanted else removed(view, variable),
    )


def _by_memory(view: View, facts: Facts) -> bool:
    """Return whether the release chooses the context by the memory of the GPUs."""
    return bool(facts.context_tiers) and view.lacks("OLLAMA_CONTEXT_LENGTH")


@Rule(
    id="HW121",
    severity="info",
    title="thread variables of libraries that Ollama does not link",
    why="The official Linux builds have no OpenMP, MKL or OpenBLAS. One with OpenMP would still "
    "get its thread count from Ollama; `ldd` of libggml-cpu shows gomp in a distribution's build. "
    "`ollama.build` of a profile makes one with a BLAS library, whose threads they bound.",
    bad="OMP_NUM_THREADS=20",
    good="LLAMA_ARG_THREADS=12",
    source="llama/server/CMakePresets.json@v0.32.15:13; llm/generate/gen_linux.sh@v0.3.14:55,87",
)
def thread_libraries(view: View, facts: Facts) -> Hits:
    idle = [
        (variable, fact)
        for variable in server_variables(view)
        if (fact := facts.variable(variable.name))
        and fact.effect.startswith("No effect: official Linux builds")
        # A profile emits them beside the lever that works, each with a remark.
        and variable.place.key != "threads.count"
    ]
    if not idle:
        return
    variable, _ = idle[0]
    names = ", ".join(v.name for v, _ in idle)
    use = next((f.replacement for _, f in idle if f.replacement), "")
    yield Hit(
        message=f"official Linux builds read no {names}",
        place=variable.place,
        fix=f"use {use}" if use else "remove it",
    )


@Rule(
    id="HW115",
    severity="error",
    title="a value that llama-server cannot read",
    why="llama-server reads every LLAMA_ARG_ variable before it does anything else, those too that "
    "its command line overrides. One empty or malformed value ends it, and with it the discovery "
    "of GPUs and the load of every model. After digits it ignores what follows. What ends it was "
    "tried on the program itself, name by name.",
    bad='LLAMA_ARG_N_CPU_MOE=""',
    good="# left out, or a number",
    releases="0.30.0 and later",
    source="seen on llama-server b10488; llm/llama_server.go@v0.32.15:446",
)
def malformed(view: View, facts: Facts) -> Hits:
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
    title="a variable that Ollama's command line overrides",
    why="Ollama starts llama-server with arguments, which win over variables: context, slots, "
    "batches, flash attention and the address come from Ollama's own settings and requests.",
    bad="LLAMA_ARG_CTX_SIZE=8192",
    good="OLLAMA_CONTEXT_LENGTH=8192",
    releases="0.30.0 and later",
    source="llm/llama_server.go@v0.32.15:376-410,575-621",
)
def overridden(view: View, facts: Facts) -> Hits:
    for variable, fact in known_variables(view, facts):
        if fact.effective or not fact.name.startswith(PREFIX):
            continue
        fault = value_fault(variable.name, variable.value, facts)
        if fault is not None and fault.breaks:  # HW115 has it
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
def breaks_every_model(view: View, facts: Facts) -> Hits:
    for variable, fact in known_variables(view, facts):
        if fact.dangerous:
            effect = f"{fact.effect[0].lower()}{fact.effect[1:]}".rstrip(".")
            yield Hit(
                message=f"`{variable.name}` breaks every model: {effect}",
                place=variable.place,
                fix="remove it",
                link=fact.source,
                edits=removed(view, variable),
            )
