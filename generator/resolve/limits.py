"""Compute threads and limits: what the profile names, and what follows from the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.base import Threads
from generator.errors import Problem
from generator.host import LEAST_RESERVE, quota_acts, quota_for, reserve, threads_for
from generator.plan import Limit
from generator.units import GIB, MIB, cpu_list, format_size, limit_line, written_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from generator.host import Host
    from generator.plan import Source
    from generator.profiles.schema import Profile


# The comments, by the profile's names.
_REASONS: Final = {
    "cpu_quota": "at least one per compute thread, or they stall each other.",
    "cpu_weight": "Share of CPU time under contention; every service has 100.",
    "allowed_cpus": "CPUs that the service may run on.",
    "memory_max": "Above this the kernel kills; page cache counts too, but is reclaimed first.",
    "memory_high": "Above this the kernel reclaims and slows the service down.",
    "memory_swap_max": "Swap that the service may use.",
    "numa_policy": "Memory placement over NUMA nodes.",
    "numa_mask": "NUMA nodes that the policy is about.",
    "io_weight": "Share of disk time under contention; every service has 100.",
    "nice": "Nice level.",
    "tasks_max": "Processes and threads together.",
    "limit_memlock": "Memory that may be locked.",
    "oom_score_adjust": "How readily the kernel kills this service when memory runs out.",
}


_DIVIDED: Final = ("cpu_quota", "memory_max", "memory_high", "memory_swap_max", "tasks_max")
"""Limits that all servers of a host have together, by the profile."""


def thread_count(profile: Profile, host: Host, acceleration: str, divisor: int = 1) -> Threads:
    """Return the compute threads, the reason and where they come from.

    Left out, they are derived for CPU hosts only: a GPU that holds the whole model leaves nothing
    for them to do. One of several servers has that part of the cores that `divisor` says.
    """
    count = profile.threads.count
    if count is not None and divisor > 1:
        reason = f"Compute threads per model: a part of the {count} that all servers have."
        return Threads(max(1, count // divisor), reason, "derived")
    if count is not None:
        return Threads(count, "Compute threads per model.", "profile")
    if acceleration != "cpu" or not host.cores:
        return Threads(0, "", "derived")
    quota, cpus = quota_percent(profile, divisor), usable_cpus(profile, host)
    if divisor > 1:
        count = threads_for(max(1, host.cores // divisor), cpus, quota)
        reason = f"Compute threads per model: a part of the host's {host.cores} cores."
        return Threads(count, reason, "derived")
    count = threads_for(host.cores, cpus, quota)
    if count < min(host.cores, cpus):
        why = f"as many as the quota of {quota}% can run beside the server"
    elif count < host.cores:
        why = f"one for each of the {count} allowed CPUs"
    else:
        why = "one per physical core"
    return Threads(count, f"Compute threads per model: {why}.", "derived")


def usable_cpus(profile: Profile, host: Host) -> int:
    """Return how many CPUs the service may run on; 0: unknown."""
    listed = profile.resources.allowed_cpus
    return host.threads if listed is None else len(cpu_list(listed) or ())


def quota_percent(profile: Profile, divisor: int = 1) -> int | None:
    """Return the CPU quota that the profile names, in percent of one CPU."""
    resources = profile.resources
    whole = resources.cpus * 100 if resources.cpus is not None else resources.cpu_quota
    return None if whole is None else max(1, whole // divisor)


def limits_of(
    profile: Profile, host: Host, threads: int, locked: str, *, divisor: int = 1
) -> Iterator[Limit]:
    """Yield the limits in a fixed order, for so many compute threads.

    `locked` is why the model is locked in memory; empty: it is not. One of several servers has
    that part of what all have together which `divisor` says.
    """
    for limit in _whole(profile, host, threads, locked, divisor):
        yield _divided(limit, divisor)


def _divided(limit: Limit, divisor: int) -> Limit:
    """Return the part that one of several servers has of a limit; the quota is divided already."""
    whole = limit.value
    if divisor == 1 or limit.name not in _DIVIDED or not isinstance(whole, int) or not whole:
        return limit
    if limit.name == "cpu_quota":
        return limit
    value, text = whole // divisor, str(whole)
    if limit.name.startswith("memory"):
        value, text = value // MIB * MIB or value, written_size(whole)
    reason = f"{limit.reason} A part of the {text} that all servers have."
    return _limit(limit.name, value, reason, limit.source, limit.key)


def _whole(
    profile: Profile, host: Host, threads: int, locked: str, divisor: int
) -> Iterator[Limit]:
    for name, reason in _REASONS.items():
        value = getattr(profile.resources, name)
        if name == "cpu_quota":
            yield from _cpu_quota(profile, host, threads, divisor)
        elif value is not None:
            yield _limit(name, value, reason, "profile")
        elif name == "memory_max":
            yield from _derived_memory_max(host)
        elif name == "memory_swap_max":
            yield from _derived_swap(profile, host)
        elif name == "limit_memlock" and locked:
            yield _limit(name, "infinity", locked, "derived")


def faults(profile: Profile, host: Host) -> Iterator[Problem]:
    """Yield what is asked beyond the means of the host."""
    resources, quota = profile.resources, quota_percent(profile)
    if quota is not None and host.threads and quota > host.threads * 100:
        yield Problem(
            _quota_key(profile),
            f"{quota}% is more than the {host.threads} hardware threads of this host",
            f"write at most `{host.threads * 100}%`, or leave it out",
        )
    if resources.numa_policy in {"bind", "interleave"} and not resources.numa_mask:
        where, hint = "resources.numa_policy", "add `numa_mask`, like `0-1`"
        yield Problem(where, "says nothing without nodes", hint)
    yield from _memory_faults(profile, host)
    yield from _cpu_faults(profile, host)


def _limit(name: str, value: int | str, reason: str, source: Source, key: str = "") -> Limit:
    directive, written = limit_line(name, value)
    return Limit(
        name=name,
        value=value,
        directive=directive,
        written=written,
        reason=reason,
        source=source,
        key=key or f"resources.{name}",
    )


def _cpu_quota(profile: Profile, host: Host, threads: int, divisor: int) -> Iterator[Limit]:
    """Yield the quota; left out, a CPU per compute thread and one for the server."""
    asked = quota_percent(profile, divisor)
    percent = quota_for(threads) if asked is None else asked
    acts = threads and host.cores and quota_acts(percent, usable_cpus(profile, host))
    if asked is not None or acts:
        whole, all_threads = f"{percent / 100:g}", host.threads
        share = f"{whole} of {all_threads} hardware threads" if all_threads else f"{whole} CPUs"
        reason = f"{share}; {_REASONS['cpu_quota']}"
        source: Source = "derived" if asked is None else "profile"
        yield _limit("cpu_quota", percent, reason, source, _quota_key(profile))


def _quota_key(profile: Profile) -> str:
    return "resources.cpu_quota" if profile.resources.cpus is None else "resources.cpus"


def _derived_swap(profile: Profile, host: Host) -> Iterator[Limit]:
    """Yield no swap where memory is bounded: at its bound a service is swapped out before it ends.

    What decodes from swap answers in minutes.
    """
    top = profile.resources.memory_max
    if isinstance(top, int) or (top is None and any(_derived_memory_max(host))):
        reason = "At its memory limit the server ends; from swap it would answer in minutes."
        yield _limit("memory_swap_max", 0, reason, "derived")


def _derived_memory_max(host: Host) -> Iterator[Limit]:
    memory = host.memory
    if memory < 2 * LEAST_RESERVE:
        return
    value = (memory - reserve(memory)) // GIB * GIB
    reason = (
        f"Leaves {written_size(memory - value)} of the host's {written_size(memory)} to the rest."
    )
    yield _limit("memory_max", value, reason, "derived")


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
