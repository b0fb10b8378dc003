"""Compute threads: one number for the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.engines.base import Threads
from generator.host import threads_for
from generator.units import cpu_list

if TYPE_CHECKING:
    from generator.host import Host
    from generator.profiles.schema import Profile


def thread_count(profile: Profile, host: Host, acceleration: str) -> Threads:
    """Return the compute threads, the reason and where they come from.

    Left out, they are derived for CPU hosts only: a GPU that holds the whole model leaves nothing
    for them to do.
    """
    if profile.threads.count is not None:
        return Threads(profile.threads.count, "Compute threads per model.", "profile")
    if acceleration != "cpu" or not host.cores:
        return Threads(0, "", "derived")
    quota, cpus = quota_percent(profile), usable_cpus(profile, host)
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


def quota_percent(profile: Profile) -> int | None:
    """Return the CPU quota that the profile names, in percent of one CPU."""
    resources = profile.resources
    return resources.cpus * 100 if resources.cpus is not None else resources.cpu_quota
