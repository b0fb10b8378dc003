"""Limits of the service: what the profile names, and what follows from the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.errors import Problem
from generator.host import LEAST_RESERVE, quota_acts, quota_for, reserve
from generator.plan import Limit
from generator.resolve.threads import quota_percent, usable_cpus
from generator.units import GIB, cpu_list, format_size, written_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.host import Host
    from generator.plan import Source
    from generator.profiles.schema import Profile


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


def limits_of(profile: Profile, host: Host, threads: int, locked: str) -> tuple[Limit, ...]:
    """Return the limits in a fixed order, for so many compute threads.

    `locked` is why the model is locked in memory; empty: it is not.
    """
    return tuple(_limits(profile, host, threads, locked))


def faults(profile: Profile, host: Host) -> Iterator[Problem]:
    """Yield what is asked beyond the means of the host."""
    resources = profile.resources
    yield from _quota_faults(profile, host)
    if resources.numa_policy in {"bind", "interleave"} and not resources.numa_mask:
        where, hint = "resources.numa_policy", "add `numa_mask`, like `0-1`"
        yield Problem(where, "says nothing without nodes", hint)
    yield from _memory_faults(profile, host)
    yield from _cpu_faults(profile, host)


def _limits(profile: Profile, host: Host, threads: int, locked: str) -> Iterator[Limit]:
    yield from _cpu_quota(profile, host, threads)
    for name, (_, reason) in LIMITS.items():
        value = getattr(profile.resources, name)
        if value is not None:
            yield _limit(name, value, reason, "profile")
        elif name == "memory_max":
            yield from _derived_memory_max(host)
        elif name == "limit_memlock" and locked:
            yield _limit(name, "infinity", locked, "derived")


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


def _cpu_quota(profile: Profile, host: Host, threads: int) -> Iterator[Limit]:
    """Yield the quota; left out, a CPU per compute thread and one for the server."""
    quota = quota_percent(profile)
    derived = quota_for(threads)
    if quota is not None:
        yield _quota(quota, host.threads, "profile", _quota_key(profile))
    elif threads and host.cores and quota_acts(derived, usable_cpus(profile, host)):
        yield _quota(derived, host.threads, "derived", _quota_key(profile))


def _quota_key(profile: Profile) -> str:
    return "resources.cpu_quota" if profile.resources.cpus is None else "resources.cpus"


def _quota(percent: int, available: int, source: Source, key: str) -> Limit:
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


def _derived_memory_max(host: Host) -> Iterator[Limit]:
    memory = host.memory
    if memory < 2 * LEAST_RESERVE:
        return
    value = (memory - reserve(memory)) // GIB * GIB
    reason = (
        f"Leaves {written_size(memory - value)} of the host's {written_size(memory)} to the rest."
    )
    yield _limit("memory_max", value, reason, "derived")


def _quota_faults(profile: Profile, host: Host) -> Iterator[Problem]:
    quota = quota_percent(profile)
    if quota is not None and host.threads and quota > host.threads * 100:
        yield Problem(
            _quota_key(profile),
            f"{quota}% is more than the {host.threads} hardware threads of this host",
            f"write at most `{host.threads * 100}%`, or leave it out",
        )


def _memory_faults(profile: Profile, host: Host) -> Iterator[Problem]:
    resources, memory = profile.resources, host.memory
    for name in ("memory_max", "memory_high"):
        value = getattr(resources, name)
        if isinstance(value, int) and memory and value > memory:
            message = f"{format_size(value)} is more than this host's {format_size(memory)}"
            yield Problem(f"resources.{name}", message, "write less, or leave it out")
    high, top = resources.memory_high, resources.memory_max
    if isinstance(high, int) and isinstance(top, int) and high > top:
        yield Problem(
            "resources.memory_high",
            f"{format_size(high)} is above memory_max, {format_size(top)}, so it never acts",
            "write less than memory_max",
        )


def _cpu_faults(profile: Profile, host: Host) -> Iterator[Problem]:
    listed, count = profile.resources.allowed_cpus, profile.threads.count
    highest = max(cpu_list(listed or "") or (0,))
    if host.threads and highest >= host.threads:
        yield Problem(
            "resources.allowed_cpus",
            f"this host has no CPU {highest}; it has 0-{host.threads - 1}",
            "name CPUs that exist",
        )
    if host.threads and count is not None and count > host.threads:
        yield Problem(
            "threads.count",
            f"{count} threads are more than this host's {host.threads} hardware threads",
            f"write at most {host.cores}, one per physical core",
        )
