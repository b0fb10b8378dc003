"""HW206-HW211: limits on memory, and what they leave to the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.rules.container import is_client
from generator.rules.need import (
    computes_on_cpu,
    gib,
    heaviest,
    known_models,
    least,
    may_be_loaded,
    memory_limit,
    size_of,
    weights,
)
from generator.rules.rule import Hit, Rule, rule
from generator.share import reserve
from generator.units import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.catalogue.facts import Facts
    from generator.view import Bound, Variable, View

MIB: Final = 2**20


@rule(
    "HW206",
    severity="warning",
    title="a memory limit that is no limit",
    why="At or above the memory of the machine the limit never acts: the kernel runs out of memory "
    "first, and then chooses any process of the machine to kill.",
    bad="MemoryMax=32G    # on a machine with 32 GiB",
    good="MemoryMax=28G",
    source="systemd.resource-control(5)",
)
def limit_above_memory(view: View, _: Facts) -> Iterator[Hit]:
    """The kernel runs out of memory before the limit acts."""
    bound, memory = view.bound("memory_max"), view.host.memory
    limit = size_of(bound)
    if bound is None or limit is None or not memory or limit < memory:
        return
    more = "more than" if limit > memory else "all of"
    yield Hit(
        message=f"a memory limit of {format_size(limit)} is {more} this machine's "
        f"{format_size(memory)}: it never acts, and leaves nothing to the system",
        place=bound.place,
        fix=f"write `{_size(view, (memory - reserve(memory)) // MIB * MIB)}` or less",
    )


def _size(view: View, size: int) -> str:
    """Return a size as that file spells one: to Kubernetes `20G` is decimal."""
    return format_size(size) + ("i" if view.origin == "helm" else "")


@rule(
    "HW207",
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


@rule(
    "HW208",
    severity="warning",
    title="a soft memory limit that never acts",
    why="Above MemoryHigh= the kernel reclaims and slows the service down, above MemoryMax= it "
    "kills. A soft limit that is not below the hard one is never reached first.",
    bad="MemoryHigh=20G\nMemoryMax=20G",
    good="MemoryHigh=18G\nMemoryMax=20G",
    source="systemd.resource-control(5)",
)
def soft_limit_above_hard(view: View, _: Facts) -> Iterator[Hit]:
    """The hard limit acts before the soft one is reached."""
    bound = view.bound("memory_high")
    high, top = size_of(bound), size_of(view.bound("memory_max"))
    # In compose it is a reservation, which may be the whole limit.
    reserves = view.origin == "compose" and high == top
    if bound is None or high is None or top is None or high < top or reserves:
        return
    word = "not below" if high == top else "above"
    yield Hit(
        message=f"the soft memory limit, {format_size(high)}, is {word} the hard one, "
        f"{format_size(top)}: it never acts",
        place=bound.place,
        fix=f"write less than `{format_size(top)}`, or leave it out",
    )


@rule(
    "HW209",
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
        fix=_lifting(view),
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
    told = {line.name: line.value for line in view.lines}
    return told.get("User") == "root" or "CAP_IPC_LOCK" in told.get("AmbientCapabilities", "")


def _lifting(view: View) -> str:
    ways = {
        "profile": 'add `limit_memlock = "infinity"` to [resources]',
        "compose": "add `ulimits: {memlock: -1}` to the service",
        "quadlet": "add `Ulimit=memlock=-1:-1` to [Container]",
        "nixos": 'add `serviceConfig.LimitMEMLOCK = "infinity"`',
    }
    in_unit = view.container is None or view.origin in {"compose", "quadlet"}
    lifted = ways.get(view.origin, "add `LimitMEMLOCK=infinity` to [Service]")
    return lifted if in_unit else "add `--ulimit memlock=-1` to the options of the container"


@rule(
    "HW210",
    severity="info",
    title="a memory limit without one on swap",
    why="At its memory limit a service is swapped out before anything is killed, and a model that "
    "decodes from swap answers in minutes. Docker allows as much swap again as memory unless told "
    "otherwise.",
    bad="MemoryMax=20G",
    good="MemoryMax=20G\nMemorySwapMax=0",
    source="systemd.resource-control(5); docs.docker.com: Resource constraints",
)
def no_limit_on_swap(view: View, _: Facts) -> Iterator[Hit]:
    """A model that decodes from swap answers in minutes."""
    bound = view.bound("memory_max")
    # Profiles do not tell whether the host swaps, and Kubernetes has swap off.
    if view.origin in {"profile", "helm"} or bound is None or size_of(bound) is None:
        return
    if view.bound("memory_swap_max") is None and not is_client(view):
        size = bound.written or format_size(size_of(bound) or 0)
        yield Hit(
            message="at this limit the kernel swaps model memory out before it kills, if the host "
            "has swap: answers then take minutes",
            place=bound.place,
            fix=_no_swap(view, bound, size),
        )


def _no_swap(view: View, bound: Bound, size: str) -> str:
    same = "the same as the memory, for no swap"
    if view.origin == "compose":
        return f"add `memswap_limit: {size}`, {same}"
    # Limits of a unit are no options of its container.
    if view.container is not None and not bound.place.key.endswith("MemoryMax"):
        return f"add `--memory-swap={size}`, {same}"
    nixos = view.origin == "nixos"
    return 'add `serviceConfig.MemorySwapMax = "0"`' if nixos else "add `MemorySwapMax=0`"


RULES: Final[tuple[Rule, ...]] = (
    limit_above_memory,
    less_than_the_weights,
    soft_limit_above_hard,
    lock_without_limit,
    no_limit_on_swap,
)
