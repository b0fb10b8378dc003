"""Compute threads: one number, and the lever that the release obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.host import threads_for
from generator.plan import Setting
from generator.units import cpu_list

if TYPE_CHECKING:
    from generator.plan import Source
    from generator.resolve.draft import Draft

WHERE: Final = "threads.count"
# What the runtimes of custom builds read. The official Linux builds link none of them.
LIBRARIES: Final = {
    "OMP_NUM_THREADS": "OpenMP",
    "MKL_NUM_THREADS": "Intel MKL",
    "OPENBLAS_NUM_THREADS": "OpenBLAS",
    "VECLIB_MAXIMUM_THREADS": "Apple's vecLib",
}


def decide(draft: Draft) -> None:
    """Emit the thread count by the lever that works, and for the libraries of custom builds."""
    count, reason, source = thread_count(draft)
    if count is None:
        return
    dead = draft.emit_legacy(WHERE, str(count))
    if draft.reads("LLAMA_ARG_THREADS"):
        draft.set(
            "LLAMA_ARG_THREADS",
            str(count),
            where=WHERE,
            reason=reason,
            group="threads",
            source=source,
            replaces=dead,
        )
    elif source == "derived" and not draft.profile.models and count == _cores(draft):
        told = "Only a model carries it in this release; the server's own number is the same."
        draft.omit(f"num_thread {count}", told, WHERE, "threads")
    else:
        draft.all_models("num_thread", str(count), WHERE, reason, dead)
    for name, library in LIBRARIES.items():
        draft.emit(
            Setting(
                name=name,
                value=str(count),
                reason=f"For builds that link {library}; official Linux builds do not.",
                source=source,
                group="threads",
                key=WHERE,
            )
        )


def _cores(draft: Draft) -> int | None:
    cpu = draft.profile.host.cpu
    return cpu.cores if cpu else None


def thread_count(draft: Draft) -> tuple[int | None, str, Source]:
    """Return the compute threads, the reason and where they come from.

    Left out, they are derived for CPU hosts only: a GPU that holds the whole model leaves nothing
    for them to do.
    """
    profile = draft.profile
    if profile.threads.count is not None:
        return profile.threads.count, "Compute threads per model.", "profile"
    cpu = profile.host.cpu
    if draft.acceleration != "cpu" or cpu is None:
        return None, "", "derived"
    quota, cpus = quota_percent(draft), usable_cpus(draft)
    count = threads_for(cpu.cores, cpus, quota)
    if count < min(cpu.cores, cpus):
        why = f"as many as the quota of {quota}% can run beside the server"
    elif count < cpu.cores:
        why = f"one for each of the {count} allowed CPUs"
    else:
        why = "one per physical core"
    return count, f"Compute threads per model: {why}.", "derived"


def usable_cpus(draft: Draft) -> int:
    """Return how many CPUs the service may run on; 0: nobody says."""
    listed, cpu = draft.profile.resources.allowed_cpus, draft.profile.host.cpu
    if listed is not None:
        return len(cpu_list(listed) or ())
    return cpu.hardware_threads if cpu else 0


def quota_percent(draft: Draft) -> int | None:
    """Return the CPU quota that the profile names, in percent of one CPU."""
    resources = draft.profile.resources
    return resources.cpus * 100 if resources.cpus is not None else resources.cpu_quota
