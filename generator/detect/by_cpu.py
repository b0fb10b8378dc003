"""Rules about threads, CPU time and NUMA nodes.

More cores never give fewer threads; a quota takes one of them, for the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.detect.root import written_list
from generator.detect.situation import Choice, LeftOut
from generator.host import quota_acts, threads_for
from generator.units import cpu_list

if TYPE_CHECKING:
    from generator.detect.situation import Situation


def threads(at: Situation) -> Choice | LeftOut:
    """One per physical core, the fast ones where there are two kinds, within the quota."""
    key, quota = "threads.count", quota_percent(at)
    fast = at.found.usable.performance_cores if at.on_cpu else 0
    cores = fast or at.found.usable.cores
    count = threads_for(cores, at.found.usable.threads, quota)
    if not at.on_cpu:
        return _beside_gpu(at, count)
    if count < cores:
        return Choice(key, count, f"what the quota of {quota}% holds beside the server itself.")
    if fast:
        reason = f"the {fast} performance cores: a slow core makes the others wait at every layer"
        return Choice(key, count, f"{reason}. Measure again with more if in doubt.")
    return LeftOut(key, "one thread per physical core of the host.")


def _beside_gpu(at: Situation, count: int) -> Choice | LeftOut:
    cores = at.found.cpu.cores
    if 0 < count < cores:
        reason = f"the bounds here leave {count} of {cores} cores, which llama-server does not see"
        return Choice("threads.count", count, f"{reason}: it would start one per core.")
    return LeftOut("threads.count", "with the model on the GPU its threads have little to do.")


def cpu_quota(at: Situation) -> Choice | LeftOut:
    """The quota that a control group sets; otherwise none is tighter than the threads need."""
    key, quota, bound = "resources.cpu_quota", quota_percent(at), at.found.bounds.quota
    if quota is None or not bound:
        return LeftOut(key, "derived: one CPU above the threads, or no bound at all.")
    if quota <= 100:  # noqa: PLR2004 -- percent of one CPU
        return LeftOut(key, f"{bound.where} allows {quota}%: one thread alone would use that up.")
    reason = f"{bound.where} allows no more"
    return Choice(key, f"{quota}%", f"{reason}; threads beyond it would stall.")


def quota_percent(at: Situation) -> int | None:
    """Return the quota that bounds this machine; None: none does."""
    bound = at.found.bounds.quota
    return bound.value if bound and quota_acts(bound.value, at.found.usable.threads) else None


def numa(at: Situation) -> tuple[Choice, ...]:
    """Spread the weights over the memory of all nodes that the threads run on."""
    allowed = cpu_list(at.found.bounds.cpus) or frozenset()
    nodes = [
        node.id
        for node in at.found.cpu.nodes
        if node.memory and (not allowed or (cpu_list(node.cpus) or frozenset()) & allowed)
    ]
    if not at.on_cpu or len(nodes) < 2:  # noqa: PLR2004 -- one node has nothing to spread over
        return ()
    reason = (
        f"weights over the memory of all {len(nodes)} nodes: loaded by one thread they would lie "
        f"on one, and the other sockets read them over the link between. Threads bound to one "
        f"node can be faster for small models: measure both."
    )
    return (
        Choice("resources.numa_policy", "interleave", reason),
        Choice("resources.numa_mask", written_list(nodes), "the nodes that have CPUs and memory."),
    )
