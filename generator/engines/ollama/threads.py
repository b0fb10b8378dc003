"""Compute threads: the lever that the release obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.decision import all_models, legacy, omission, reads, setting
from generator.plan import Setting

if TYPE_CHECKING:
    from generator.engines.base import Case
    from generator.engines.ollama.decision import Decisions

WHERE: Final = "threads.count"
# What the runtimes of custom builds read. The official Linux builds link none of them.
LIBRARIES: Final = {
    "OMP_NUM_THREADS": "OpenMP",
    "MKL_NUM_THREADS": "Intel MKL",
    "OPENBLAS_NUM_THREADS": "OpenBLAS",
    "VECLIB_MAXIMUM_THREADS": "Apple's vecLib",
}


def decide(case: Case) -> Decisions:
    """Emit the thread count by the lever that works, and for the libraries of custom builds."""
    count, reason, source = case.threads
    if not count:
        return
    yield from legacy(case, WHERE, str(count))
    dead = case.facts.legacy_names(WHERE)
    if reads(case, "LLAMA_ARG_THREADS"):
        yield from setting(
            case,
            "LLAMA_ARG_THREADS",
            str(count),
            where=WHERE,
            reason=reason,
            group="threads",
            source=source,
            replaces=dead,
        )
    elif source == "derived" and not case.profile.models and count == case.host.cores:
        told = "Only a model carries it in this release; the server's own number is the same."
        yield omission(f"num_thread {count}", told, WHERE, "threads")
    else:
        yield from all_models(case, "num_thread", str(count), WHERE, reason, dead)
    for name, library in LIBRARIES.items():
        yield Setting(
            name=name,
            value=str(count),
            reason=f"For builds that link {library}; official Linux builds do not.",
            source=source,
            group="threads",
            key=WHERE,
        )
