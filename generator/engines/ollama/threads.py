"""Compute threads: the lever that the release obeys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from generator.engines.ollama.decision import legacy, lever, omission, reads
from generator.plan import Setting

if TYPE_CHECKING:
    from generator.engines.base import Case
    from generator.engines.ollama.decision import Decisions

WHERE: Final = "threads.count"
VARIABLE: Final = "LLAMA_ARG_THREADS"
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
    needless = source == "derived" and not case.profile.models and count == case.host.cores
    if needless and not reads(case, VARIABLE):
        message = "Only a model carries it in this release; the server's own number is the same."
        yield omission(f"num_thread {count}", message, WHERE)
    else:
        yield from lever(
            case, VARIABLE, "num_thread", str(count), where=WHERE, reason=reason, source=source
        )
    for name, library in LIBRARIES.items():
        yield Setting(
            name=name,
            value=str(count),
            reason=f"For builds that link {library}; official Linux builds do not.",
            source=source,
            group="threads",
            key=WHERE,
        )
