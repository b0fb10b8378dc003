"""HW207 and HW209: what limits on memory leave to the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines.ollama.rules.helpers.need import heaviest, known_models, least, weights
from generator.fit.ask import may_be_loaded
from generator.fit.host import computes_on_cpu, memory_limit, size_of
from generator.rules.rule import Hit, Rule
from generator.units import format_size, gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Variable, View


@Rule(
    id="HW207",
    severity="error",
    title="less memory than the weights of the models",
    why="On a CPU the weights are read into memory, not mapped from the file, so the kernel cannot "
    "take them back: it kills the server. The weights alone decide here; what KV cache and compute "
    "buffer add at the least is in the fix.",
    bad="MemoryMax=4G    # and qwen2.5-coder:7b, 4.4 GiB of weights",
    good="MemoryMax=8G",
    source="llm/server.go@v0.24.0:719-726; server/sched.go@v0.32.15:1159-1164",
)
def less_than_the_weights(view: View, facts: Facts) -> Iterator[Hit]:
    """On a CPU the kernel cannot take weights back, so it kills the server."""
    limit = memory_limit(view)
    models = heaviest(known_models(view, facts), may_be_loaded(view, facts))
    if limit is None or not models or not computes_on_cpu(view):
        return
    have, place = limit
    largest, total = weights(models[0]), sum(weights(model) for model in models)
    needed = [least(view, facts, model).total for model in models]
    if largest >= have:
        yield Hit(
            message=f"the weights of `{models[0].names[0]}` ({models[0].quantisation}) alone take "
            f"{gib(largest)}, the service has {gib(have)}: it cannot be loaded",
            place=place,
            fix=f"allow {gib(needed[0])} at the least, with KV cache and buffers, or serve a "
            "smaller model or quantisation",
        )
    elif total >= have:
        yield Hit(
            message=f"the weights of the {len(models)} models that may be loaded at once take "
            f"{gib(total)}, the service has {gib(have)}",
            place=place,
            severity="warning",
            fix=f"allow {gib(sum(needed))} at the least, with KV cache and buffers, or lower "
            "OLLAMA_MAX_LOADED_MODELS",
        )


@Rule(
    id="HW209",
    severity="warning",
    title="locked memory without the limit for it",
    why="Locking the weights needs a limit on locked memory that holds them; the usual one is 8 "
    "MiB. Without it llama-server warns in its log and goes on unlocked.",
    bad="Environment=LLAMA_ARG_MLOCK=1",
    good="Environment=LLAMA_ARG_MLOCK=1\nLimitMEMLOCK=infinity",
    releases="0.30.0 and later",
    source="llama.cpp common/arg.cpp@4df29be; systemd.exec(5)",
)
def lock_without_limit(view: View, facts: Facts) -> Iterator[Hit]:
    """Without a limit that holds the weights, llama-server goes on unlocked."""
    variable = _locks(view, facts)
    bound = view.bound("limit_memlock")
    lifted = bound is not None and bound.value is None
    if variable is None or lifted or _may_lock_anyway(view):
        return
    largest = max((weights(m) for m in known_models(view, facts)), default=0)
    allowed = size_of(bound)
    if allowed is not None and 0 < largest <= allowed:
        return
    yield Hit(
        message=f"{variable.name} asks to lock the weights in memory, "
        + (
            f"of which {format_size(allowed)} may be locked"
            if allowed is not None
            else "but the limit on locked memory is not lifted"
        )
        + ": llama-server warns and goes on unlocked",
        place=variable.place,
        fix=view.phrases.memlock,
    )


def _locks(view: View, facts: Facts) -> Variable | None:
    """Return the variable that asks for locked weights, if the release reads it."""
    wanted = {
        "LLAMA_ARG_MLOCK": {"1", "on", "true", "enabled"},
        "LLAMA_ARG_LOAD_MODE": {"mlock", "mmap+mlock"},
    }
    for name, values in wanted.items():
        variable, fact = view.variable(name), facts.variable(name)
        read = fact is not None and fact.works
        if variable is not None and read and variable.value.strip() in values:
            return variable
    return None


def _may_lock_anyway(view: View) -> bool:
    """Return whether the service has CAP_IPC_LOCK, for which no limit counts, or its own limit."""
    box = view.container
    if box is not None:
        return box.memlock or box.privileged is not None
    said = {line.name: line.value for line in view.lines}
    capable = "CAP_IPC_LOCK" in said.get("AmbientCapabilities", "")
    return capable or said.get("User") == "root"
