"""Rules about threads, CPU time and NUMA nodes. More cores never give fewer threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generator.detect.choice import Choice, Left
from generator.detect.root import cpu_list, written_list

if TYPE_CHECKING:
    from generator.detect.situation import Situation


def threads(at: Situation) -> Choice | Left:
    """One per physical core, the fast ones where there are two kinds, within the quota."""
    usable, cpu = at.found.usable, at.found.cpu
    quota = quota_percent(at)
    fast = usable.performance_cores
    cores = fast if at.on_cpu and fast else usable.cores
    count = min(cores, max(1, quota // 100)) if quota else cores
    if at.on_cpu and fast and count == fast:
        told = f"the {fast} performance cores: a slow core makes the others wait at every layer"
        return Choice("threads.count", count, f"{told}. Measure again with more if in doubt.")
    if at.on_cpu and quota and count < cores and fast:
        return Choice("threads.count", count, f"as many threads as the quota of {quota}% can run.")
    if at.on_cpu:
        return Left("threads.count", "one thread per physical core of the host, or of the quota.")
    if 0 < count < cpu.cores:
        told = (
            f"the bounds here leave {count} of {cpu.cores} cores, which llama-server does not see"
        )
        return Choice("threads.count", count, f"{told}: it would start one per core.")
    return Left("threads.count", "with the model on the GPU its threads have little to do.")


def cpu_quota(at: Situation) -> Choice | Left:
    """The quota that a control group sets; otherwise none is tighter than the threads need."""
    quota, bound = quota_percent(at), at.found.bounds.quota
    if quota and bound:
        told = f"{bound.where} allows no more"
        return Choice("resources.cpu_quota", f"{quota}%", f"{told}; threads beyond it would stall.")
    return Left("resources.cpu_quota", "derived: one CPU above the threads, or no bound at all.")


def quota_percent(at: Situation) -> int:
    """Return the quota that bounds this machine; 0: none does."""
    bound, threads_there = at.found.bounds.quota, at.found.usable.threads
    return bound.value if bound and bound.value < threads_there * 100 else 0


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
    told = (
        f"weights over the memory of all {len(nodes)} nodes: loaded by one thread they would lie "
        f"on one, and the other sockets read them over the link between. Threads bound to one "
        f"node can be faster for small models: measure both."
    )
    return (
        Choice("resources.numa_policy", "interleave", told),
        Choice("resources.numa_mask", written_list(nodes), "the nodes that have CPUs and memory."),
    )
