"""Limits of the service: what the profile names, and what follows from the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.host import LEAST_RESERVE, quota_acts, quota_for, reserve
from generator.plan import Limit
from generator.resolve.threads import quota_percent, thread_count, usable_cpus
from generator.units import GIB, cpu_list, format_size, written_size

if TYPE_CHECKING:
    from generator.plan import Source
    from generator.resolve.draft import Draft

Limits = tuple[Limit, ...]

# By the profile's names: systemd's word, and the comment.
LIMITS: Final = {
    "cpu_weight": ("CPUWeight", "Share of CPU time under contention; every service has 100."),
    "allowed_cpus": ("AllowedCPUs", "CPUs that the service may run on."),
    "memory_max": (
        "MemoryMax",
        "Above this the kernel kills; page cache counts too, but is reclaimed first.",
    ),
    "memory_high": (
        "MemoryHigh",
        "Above this the kernel reclaims and slows the service down.",
    ),
    "memory_swap_max": ("MemorySwapMax", "Swap that the service may use."),
    "numa_policy": ("NUMAPolicy", "Memory placement over NUMA nodes."),
    "numa_mask": ("NUMAMask", "NUMA nodes that the policy is about."),
    "io_weight": ("IOWeight", "Share of disk time under contention; every service has 100."),
    "nice": ("Nice", "Nice level."),
    "tasks_max": ("TasksMax", "Processes and threads together."),
    "limit_memlock": ("LimitMEMLOCK", "Memory that may be locked."),
    "oom_score_adjust": (
        "OOMScoreAdjust",
        "How readily the kernel kills this service when memory runs out.",
    ),
}
_SIZES: Final = frozenset({"memory_max", "memory_high", "memory_swap_max", "limit_memlock"})


def decide(draft: Draft) -> Limits:
    """Return the limits in a fixed order, and report those beyond the host's means."""
    limits = [*_cpu_quota(draft)]
    for name, (_, reason) in LIMITS.items():
        value = getattr(draft.profile.resources, name)
        if value is not None:
            limits.append(_limit(name, value, reason, "profile"))
        elif (derived := _derived(draft, name)) is not None:
            limits.append(derived)
    if (
        draft.profile.resources.numa_policy in {"bind", "interleave"}
        and not draft.profile.resources.numa_mask
    ):
        draft.problem(
            "resources.numa_policy", "says nothing without nodes", "add `numa_mask`, like `0-1`"
        )
    _check_memory(draft)
    _check_cpus(draft)
    return tuple(limits)


def _limit(name: str, value: int | str, reason: str, source: Source) -> Limit:
    exact = name in _SIZES and isinstance(value, int)
    return Limit(
        name=name,
        value=value,
        directive=LIMITS[name][0],
        written=format_size(int(value)) if exact else str(value),
        reason=reason,
        source=source,
        key=f"resources.{name}",
    )


def _cpu_quota(draft: Draft) -> Limits:
    cpu = draft.profile.host.cpu
    available = cpu.hardware_threads if cpu else None
    quota = quota_percent(draft)
    where = "resources.cpus" if draft.profile.resources.cpus is not None else "resources.cpu_quota"
    if quota is None:
        return _derived_quota(draft)
    if available is not None and quota > available * 100:
        draft.problem(
            where,
            f"{quota}% is more than the {available} hardware threads of this host",
            f"write at most `{available * 100}%`, or leave it out",
        )
    return (_quota(quota, available, source="profile", key=where),)


def _derived_quota(draft: Draft) -> Limits:
    """One CPU per compute thread and one for the server, unless that is the whole machine."""
    count, _, _ = thread_count(draft)
    cpu = draft.profile.host.cpu
    if count is None or cpu is None or not quota_acts(quota_for(count), usable_cpus(draft)):
        return ()
    return (_quota(quota_for(count), cpu.hardware_threads, source="derived"),)


def _quota(
    percent: int, available: int | None, *, source: Source, key: str = "resources.cpu_quota"
) -> Limit:
    whole = f"{percent / 100:g}"
    share = f"{whole} of {available} hardware threads" if available else f"{whole} CPUs"
    return Limit(
        name="cpu_quota",
        value=percent,
        directive="CPUQuota",
        written=f"{percent}%",
        reason=f"{share}; at least one per compute thread, or they stall each other.",
        source=source,
        key=key,
    )


def _derived(draft: Draft, name: str) -> Limit | None:
    if name == "memory_max":
        return _derived_memory_max(draft)
    if name == "limit_memlock" and "LLAMA_ARG_MLOCK" in draft.profile.ollama.env:
        reason = "LLAMA_ARG_MLOCK locks the model in memory, which needs this."
        return _limit(name, "infinity", reason, "derived")
    return None


def _derived_memory_max(draft: Draft) -> Limit | None:
    memory = draft.profile.host.memory
    if memory is None or memory < 2 * LEAST_RESERVE:
        return None
    value = (memory - reserve(memory)) // GIB * GIB
    reason = (
        f"Leaves {written_size(memory - value)} of the host's {written_size(memory)} to the rest."
    )
    return _limit("memory_max", value, reason, "derived")


def _check_memory(draft: Draft) -> None:
    resources, memory = draft.profile.resources, draft.profile.host.memory
    for name in ("memory_max", "memory_high"):
        value = getattr(resources, name)
        if isinstance(value, int) and memory is not None and value > memory:
            draft.problem(
                f"resources.{name}",
                f"{format_size(value)} is more than this host's {format_size(memory)}",
                "write less, or leave it out",
            )
    high, top = resources.memory_high, resources.memory_max
    if isinstance(high, int) and isinstance(top, int) and high > top:
        draft.problem(
            "resources.memory_high",
            f"{format_size(high)} is above memory_max, {format_size(top)}, so it never acts",
            "write less than memory_max",
        )


def _check_cpus(draft: Draft) -> None:
    cpu, resources = draft.profile.host.cpu, draft.profile.resources
    if cpu is None:
        return
    if resources.allowed_cpus is not None:
        highest = max(cpu_list(resources.allowed_cpus) or (0,))
        if highest >= cpu.hardware_threads:
            draft.problem(
                "resources.allowed_cpus",
                f"this host has no CPU {highest}; it has 0-{cpu.hardware_threads - 1}",
                "name CPUs that exist",
            )
    count = draft.profile.threads.count
    if count is not None and count > cpu.hardware_threads:
        draft.problem(
            "threads.count",
            f"{count} threads are more than this host's {cpu.hardware_threads} hardware threads",
            f"write at most {cpu.cores}, one per physical core",
        )
